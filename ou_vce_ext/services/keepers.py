"""Jupyter's side of the keepers: launching programs under them, and hearing how they fare."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import os
import select
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ..errors import DataInUseError
from ..launch import LaunchPlan, NetworkTrial, Process
from ..sentences import say
from .json_lines import JsonLines
from .kept_process import KeeperLostError, KeptProcess
from .refusals import refusal

_PACKAGE_ROOT = str(Path(__file__).resolve().parents[2])
_BOOT = (
    "import sys; sys.path.append({root!r}); sys.dont_write_bytecode = True; "
    "from ou_vce_ext.services.keeper_parent import main; main()"
)


class KeeperLauncher:
    """Launches programs under keepers. One for each Jupyter server.

    ``errors`` is a file for what keepers themselves have to say when they break (it stays empty).
    """

    def __init__(self, *, log: logging.Logger, errors: Path | None = None) -> None:
        self.log = log
        self.errors = errors
        self._parent: subprocess.Popen[bytes] | None = None
        self._channel: _ParentChannel | None = None
        self._numbers = itertools.count(1)
        self._starting = asyncio.Lock()
        self.processes: dict[int, KeptProcess] = {}
        self._namespace: bool | None = None
        self._no_networks = False
        self._ways_out: set[tuple[str, ...]] = set()

    async def _ready_channel(self) -> _ParentChannel:
        async with self._starting:
            if self._channel is None or self._channel.closed:
                self._channel = self._start_parent()
            return self._channel

    def _start_parent(self) -> _ParentChannel:
        mine, theirs = socket.socketpair()
        # Nothing of Jupyter's environment: it may hold a token. The loader's paths must stay.
        env = {k: v for k, v in os.environ.items() if k in ("LD_LIBRARY_PATH", "LANG", "PATH")}
        with open(self.errors or os.devnull, "ab") as errors:
            self._parent = subprocess.Popen(
                [
                    sys.executable,
                    "-I",
                    "-S",
                    "-c",
                    _BOOT.format(root=_PACKAGE_ROOT),
                    str(os.getpid()),
                ],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=errors,
                cwd="/",
                env=env,
                start_new_session=True,
            )
        theirs.close()
        return _ParentChannel(mine, self)

    async def launch(self, plan: LaunchPlan) -> Process:
        """Start ``plan`` under a keeper of its own; see :class:`~ou_vce_ext.launch.Launcher`."""
        channel = await self._ready_channel()
        number = next(self._numbers)
        mine, theirs = socket.socketpair()
        process = KeptProcess(mine, number, plan)
        self.processes[number] = process
        grace = sum(step.wait for step in plan.stop) + 1.0
        try:
            try:
                channel.fork(number, grace, theirs)
            finally:
                # At once: while we hold it, we would not see a keeper break before it says a word.
                theirs.close()
            told = await asyncio.shield(process.started)
        except asyncio.CancelledError:
            # Whoever asked has gone away: what has just been started must not stay behind.
            process.close()
            raise
        except OSError as error:
            process.close()
            raise KeeperLostError from error
        if told["event"] == "started":
            if plan.memory_limit and not process.limited:
                self.log.info(
                    "No control group can be made here: %s is held to %d MB only as far as the "
                    "program itself does.",
                    plan.argv[0],
                    plan.memory_limit // 1_000_000,
                )
            return process
        process.close()
        self.processes.pop(number, None)
        if told["event"] == "locked":
            raise DataInUseError(
                say("This data folder is in use by another process."),
                say("Stop the other one first. Nothing has been touched."),
                told["holder"],
            )
        raise refusal(plan, told)

    async def can_make_network(self, way_out: tuple[str, ...] = ()) -> NetworkTrial:
        """Try it; what can only change with the system itself is asked of the kernel once."""
        if self._no_networks or way_out in self._ways_out:
            return "no-namespace" if self._no_networks else "yes"
        channel = await self._ready_channel()
        found = await channel.ask_network(way_out)
        # A way out is asked for again: whoever installs what is missing need not restart Jupyter.
        self._no_networks = found == "no-namespace"
        if found == "yes":
            self._ways_out.add(way_out)
        return found

    async def can_use_namespace(self) -> bool:
        """Whether a user namespace may be made here; asked of the kernel once."""
        if self._namespace is None:
            channel = await self._ready_channel()
            self._namespace = await channel.ask_namespace()
        return self._namespace

    def forget(self, number: int) -> None:
        """A keeper and its tree are gone for good."""
        process = self.processes.pop(number, None)
        if process:
            process.gone()

    def lose_all(self) -> None:
        """The parent was killed: its keepers live on, but nobody tells us of their end."""
        if self._parent:
            self._parent.wait()
            self._parent = None
        for process in list(self.processes.values()):
            asyncio.get_running_loop().create_task(self._watch_orphan(process))

    async def _watch_orphan(self, process: KeptProcess) -> None:
        # The keeper still talks to us. Only where it dies too is the main process all we can watch.
        await process.exited()
        while not process.told_down and process.pid and os.path.exists(f"/proc/{process.pid}"):
            if process.closed:
                await asyncio.sleep(0.05)
            else:
                await asyncio.sleep(0.02)
        self.forget(process.number)

    async def aclose(self) -> None:
        """Stop everything that still runs, gently, and let go of the parent."""
        running = [p for p in self.processes.values() if not p.closed]
        await asyncio.gather(*(process.stop() for process in running), return_exceptions=True)
        for process in list(self.processes.values()):
            process.close()
        self.processes.clear()
        if self._channel:
            self._channel.close()
        if self._parent:
            parent, self._parent = self._parent, None
            await asyncio.get_running_loop().run_in_executor(None, parent.wait)

    def stop_blocking(self, timeout: float) -> bool:
        """Stop everything and wait, without an event loop: for the very end of Jupyter's life.

        ``timeout`` in seconds. True when all keepers have ended; the rest goes on by itself.
        """
        waiting = {}
        for process in self.processes.values():
            if process.closed:
                continue
            process.sock.setblocking(True)
            try:
                process.sock.send(b'{"op": "stop"}\n')
            except OSError:
                continue
            waiting[process.sock.fileno()] = process.sock
        end = time.monotonic() + timeout
        while waiting and time.monotonic() < end:
            poll = select.poll()
            for descriptor in waiting:
                poll.register(descriptor, select.POLLIN)
            for descriptor, _ in poll.poll(max(0.0, end - time.monotonic()) * 1000):
                try:
                    alive = waiting[descriptor].recv(1 << 16)
                except OSError:
                    alive = b""
                if not alive:
                    del waiting[descriptor]
        return not waiting

    @property
    def parent_pid(self) -> int | None:
        """The keepers' parent, while it lives."""
        if self._parent is None or self._channel is None or self._channel.closed:
            return None
        return self._parent.pid

    @property
    def busy(self) -> bool:
        """Whether any keeper still runs."""
        return any(not process.closed for process in self.processes.values())


class _ParentChannel(JsonLines):
    """The line to the keepers' parent."""

    def __init__(self, sock: socket.socket, launcher: KeeperLauncher) -> None:
        super().__init__(sock)
        self.launcher = launcher
        self._namespace: asyncio.Future[bool] | None = None
        self._networks: dict[int, asyncio.Future[NetworkTrial]] = {}
        self._numbers = itertools.count(1)

    def fork(self, number: int, grace: float, control: socket.socket) -> None:
        """Have a keeper forked that owns ``control``. Raises OSError when the parent is gone."""
        order = json.dumps({"op": "keep", "id": number, "grace": grace}).encode() + b"\n"
        socket.send_fds(self.sock, [order], [control.fileno()])

    async def ask_namespace(self) -> bool:
        """Whether the kernel lets us make a user namespace."""
        if self._namespace is None:
            self._namespace = asyncio.get_running_loop().create_future()
            self.send({"op": "namespace"})
        return await asyncio.shield(self._namespace)

    async def ask_network(self, way_out: tuple[str, ...]) -> NetworkTrial:
        """Have a private network tried. Raises KeeperLostError."""
        number = next(self._numbers)
        answer: asyncio.Future[NetworkTrial] = asyncio.get_running_loop().create_future()
        self._networks[number] = answer
        order = {"op": "network", "id": number, "way_out": list(way_out), "log": os.devnull}
        self.send(order)
        return await answer

    def on_message(self, message: dict[str, Any]) -> None:
        """News of a keeper."""
        if message["event"] == "gone":
            self.launcher.forget(message["id"])
        elif message["event"] == "lost":
            self.launcher.log.warning("a keeper was killed; ending what it kept")
        elif message["event"] == "namespace" and self._namespace and not self._namespace.done():
            self._namespace.set_result(message["allowed"])
        elif message["event"] == "network":
            tried = self._networks.pop(message["id"])
            if not tried.done():
                tried.set_result(message["found"] or "no-namespace")

    def on_end(self) -> None:
        """The parent was killed; a new one is made when next needed."""
        self.launcher.log.warning("the keepers' parent was killed; a new one will be started")
        if self._namespace and not self._namespace.done():
            self._namespace.set_exception(KeeperLostError())
            self._namespace.exception()
        for answer in self._networks.values():
            if not answer.done():
                answer.set_exception(KeeperLostError())
                answer.exception()
        self._networks.clear()
        self.launcher.lose_all()

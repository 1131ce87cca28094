"""Jupyter's side of the keepers: launching programs under them, and hearing how they fare."""

from __future__ import annotations

import asyncio
import errno
import itertools
import json
import logging
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import DataInUseError, DefiniteError, VceError
from ..launch import Ending, LaunchPlan, Listener, NetworkTrial, Process
from ..models import Usage

_PACKAGE_ROOT = str(Path(__file__).resolve().parents[2])
_BOOT = (
    "import sys; sys.path.append({root!r}); sys.dont_write_bytecode = True; "
    "from ou_vce_ext.services.keeper_parent import main; main()"
)
_ANSWER_TIMEOUT = 5.0


class KeeperLostError(VceError):
    """The keeper of a service was killed; what it kept is being ended by its parent."""

    def __init__(self) -> None:
        super().__init__(
            "keeper-lost",
            "The small process that looks after this service was killed.",
            "Start the service again. If this keeps happening, the machine may be out of memory.",
        )


class _Lines:
    """Lines of JSON over a socket, both ways, in the event loop; readable after the loop's end."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.sock = sock
        self._incoming = b""
        self._outgoing = b""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(sock, self._readable)
        self.closed = False

    def _readable(self) -> bool:
        """Take in what has come; whether there may be more."""
        try:
            data = self.sock.recv(1 << 16)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self.close()
            self.on_end()
            return False
        self._incoming += data
        while b"\n" in self._incoming:
            line, _, self._incoming = self._incoming.partition(b"\n")
            self.on_message(json.loads(line))
        return True

    def drain(self) -> None:
        """Take in the last words of a peer that is gone, before anybody acts upon its end."""
        while not self.closed and self._readable():
            pass

    def send(self, message: Mapping[str, object]) -> None:
        """Send one line; a peer that is gone is noticed by the reading side."""
        self._outgoing += json.dumps(message).encode() + b"\n"
        self._writable()

    def _writable(self) -> None:
        if self.closed:
            return
        try:
            sent = self.sock.send(self._outgoing)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._outgoing = b""
            return
        self._outgoing = self._outgoing[sent:]
        if self._outgoing:
            self._loop.add_writer(self.sock, self._writable)
        else:
            self._loop.remove_writer(self.sock)

    def close(self) -> None:
        """Let go of the socket."""
        if not self.closed:
            self.closed = True
            if not self._loop.is_closed():
                self._loop.remove_reader(self.sock)
                self._loop.remove_writer(self.sock)
            self.sock.close()

    def on_message(self, message: dict[str, Any]) -> None:
        """One message has come."""

    def on_end(self) -> None:
        """The peer is gone."""


class KeptProcess(_Lines):
    """One run of a program, as Jupyter sees it. Implements :class:`~ou_vce_ext.launch.Process`."""

    def __init__(self, sock: socket.socket, number: int, plan: LaunchPlan) -> None:
        super().__init__(sock)
        self.number = number
        self.plan = plan
        self.keeper_pid: int | None = None
        self.limited = False
        """Whether the kernel holds it to the plan's ``memory_limit``."""
        self.unseen_end = False
        """Whether nobody saw the end of the run before this one, on the same data."""
        self._pid = 0
        self._start_time: int | None = None
        loop = asyncio.get_running_loop()
        self.started: asyncio.Future[dict[str, Any]] = loop.create_future()
        self._exited: asyncio.Future[Ending] = loop.create_future()
        self._down: asyncio.Future[None] = loop.create_future()
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._numbers = itertools.count(1)
        self._cpu: tuple[float, float] | None = None
        self.told_down = False
        self.send(plan.to_json())

    @property
    def pid(self) -> int:
        """The main process's id."""
        return self._pid

    def on_message(self, message: dict[str, Any]) -> None:
        """Sort what the keeper says."""
        if "seq" in message:
            answer = self._answers.pop(message["seq"], None)
            if answer and not answer.done():
                answer.set_result(message)
            return
        event = message["event"]
        if event in ("started", "refused", "locked"):
            if event == "started":
                self._pid = message["pid"]
                self._start_time = message["start_time"]
                self.keeper_pid = message["keeper"]
                self.limited = message["limited"]
                self.unseen_end = message["unseen_end"]
            if not self.started.done():
                self.started.set_result(message)
        elif event == "exit" and not self._exited.done():
            self._exited.set_result(
                Ending(
                    message["code"],
                    message["signal"],
                    asked=message["asked"],
                    starved=message["starved"],
                )
            )
        elif event == "down":
            self.told_down = True
            self._settle_down()

    def on_end(self) -> None:
        """The keeper closed its socket: all is well after ``down``, else it was killed."""
        if not self.started.done():
            self.started.set_exception(KeeperLostError())
            # Nobody may be waiting any more: an exception that is never asked for is no defect.
            self.started.exception()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(KeeperLostError())
                answer.exception()
        self._answers.clear()
        if not self._exited.done():
            self._exited.set_result(Ending(keeper_lost=True))

    def gone(self) -> None:
        """The parent says that the keeper, and all that it left behind, is gone."""
        # This news comes by another line, and may overtake how the main process ended.
        self.drain()
        self._settle_down()

    def _settle_down(self) -> None:
        if not self._exited.done():
            self._exited.set_result(Ending(keeper_lost=True))
        if not self._down.done():
            self._down.set_result(None)

    async def exited(self) -> Ending:
        """Wait until the main process has ended, and tell how."""
        return await asyncio.shield(self._exited)

    async def down(self) -> Ending:
        """Wait until every process of the tree is gone, and tell how the main one ended."""
        await asyncio.shield(self._down)
        return await self.exited()

    async def stop(self) -> Ending:
        """End the tree by the plan's steps and wait until it is gone."""
        self.send({"op": "stop"})
        return await self.down()

    def kill(self) -> None:
        """Skip the gentle steps: for a person who was told what may be lost."""
        self.send({"op": "stop", "force": True})

    async def _ask(self, **order: object) -> dict[str, Any]:
        if self.closed:
            raise KeeperLostError
        number = next(self._numbers)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        self.send({"seq": number, **order})
        try:
            # Not wait_for: until Python 3.12 it loses a cancellation that comes with the answer.
            async with asyncio.timeout(_ANSWER_TIMEOUT):
                return await answer
        finally:
            self._answers.pop(number, None)

    async def listener(self, *, port: int | None = None, socket: str | None = None) -> Listener:
        """Who listens there now."""
        told = await self._ask(op="listener", port=port, socket=socket)
        return Listener(told["who"], told.get("pid"), told.get("uid"), told.get("address"))

    async def resume(self) -> bool:
        """Continue a stopped (SIGSTOP) tree; tell whether anything had been stopped."""
        return bool((await self._ask(op="resume"))["resumed"])

    async def usage(self) -> Usage:
        """What the tree costs now. CPU is measured since the call before (None at the first)."""
        told = await self._ask(op="usage")
        now = time.monotonic()
        percent = None
        if self._cpu:
            cpu, then = self._cpu
            if now > then:
                percent = round(max(0.0, told["cpu"] - cpu) / (now - then) * 100, 1)
        self._cpu = (told["cpu"], now)
        return Usage(told["memory"], percent, told["files"], told["measure"])


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
                "This data folder is in use by another process.",
                "Stop the other one first. Nothing has been touched.",
                told["holder"],
            )
        raise _refusal(plan, told)

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


class _ParentChannel(_Lines):
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


def _refusal(plan: LaunchPlan, told: Mapping[str, Any]) -> VceError:
    """Why a program could not be started at all, in words."""
    number = told.get("errno") or 0
    path = told.get("path") or plan.argv[0]
    program = plan.argv[0]
    if told["step"] == "exec" and number == errno.ENOENT:
        if path == plan.cwd or not os.path.isdir(plan.cwd):
            return DefiniteError(
                "data-missing",
                f"The folder {plan.cwd} does not exist.",
                "Create the folder, or correct `cwd` in the service's declaration.",
            )
        return DefiniteError(
            "program-missing",
            f"The program {program} was not found.",
            "Install it, or correct `command` in the service's declaration.",
        )
    if number in (errno.EACCES, errno.EPERM):
        return DefiniteError(
            "not-permitted",
            f"{path} may not be used by the user this service runs as ({os.strerror(number)}).",
            "Check who owns it and its permissions.",
        )
    if number in (errno.ENOSPC, errno.EDQUOT):
        return DefiniteError(
            "disk-full",
            f"There is no space left for {path}.",
            "Free some space (delete large files you do not need), then start again.",
        )
    return DefiniteError(
        "command-failed",
        f"{program} could not be started: {os.strerror(number) if number else 'unknown reason'}.",
        "Check the service's declaration and its log.",
    )

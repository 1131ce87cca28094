"""The keeper: one small process that owns one run of a service, from exec to the last orphan.

It is forked (never exec'ed) by :mod:`.keeper_parent`, so it shares that process's memory. Standard
library only, single-threaded, no asyncio. It talks to Jupyter in lines of JSON over one socket.

From Jupyter: a plan (first line), then ``stop``, ``listener``, ``usage``, ``resume``.
To Jupyter: ``started`` or ``refused`` or ``locked``; answers by ``seq``; ``exit`` when the main
process ended; ``down`` when nobody of the tree is left.
"""

from __future__ import annotations

import os
import select
import signal
import socket

from . import identity, proc
from .keeper_end import Ender, send
from .keeper_line import Line
from .keeper_lock import DataLock, release, sign
from .keeper_spawn import spawn
from .logfile import BoundedLog
from .memory_group import MemoryGroup, machine_kills, make_memory_group

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .keeper_network import KeeperNetwork


class Keeper:
    """Owns one process tree. ``jupyter`` is a pidfd of Jupyter, or -1 where there are none."""

    def __init__(self, control: socket.socket, jupyter: int) -> None:
        self.jupyter = jupyter
        self.main = 0
        self.ended: int | None = None
        self.plan: dict = {}  # type: ignore[type-arg]
        self.ender = Ender(self._tree)
        self.unseen_end = False
        self._poll = select.poll()
        self.line = Line(control, self._poll, self.abandon)
        self._output = -1
        self._held = -1
        self._log: BoundedLog
        self._memory: MemoryGroup | None = None
        self._machine_kills = 0
        self._network: KeeperNetwork | None = None
        self._wake, self._wake_end = os.pipe()

    def abandon(self) -> None:
        """Jupyter is gone: stop the service the gentle way, then end."""
        if not self.line.cut:
            self.line.cut_off()
            try:
                self._poll.unregister(self.jupyter)
            except (KeyError, ValueError):
                pass
            self.stop()

    # -- starting --------------------------------------------------------------------------------

    def run(self) -> int:
        """Keep one service from start to end; returns our own exit code."""
        plan = self.line.first()
        if plan is None:
            return 0
        self.plan = plan
        who = self.plan["identity"]
        owner = (who["uid"], who["gid"]) if who["mode"] == "user" else None
        try:
            if self.plan["lock_file"]:
                lock = DataLock(self.plan["lock_file"], owner)
                if lock.holder is not None:
                    self.line.say(event="locked", holder=lock.holder, path=lock.path)
                    return 0
                if not lock.supported:
                    self.line.say(event="lock-unsupported", path=lock.path)
                self._held, self.unseen_end = lock.descriptor, lock.unseen_end
            if self.plan["memory_limit"]:
                self._memory = make_memory_group(self.plan["memory_limit"])
            self._log = BoundedLog(self.plan["output"], self.plan["log_bytes"], owner=owner)
            identity.become(who["mode"], who["uid"], who["gid"])
            if self.plan["network"]:
                self._make_network()
        except OSError as error:
            self.line.say(event="refused", step="prepare", errno=error.errno, path=error.filename)
            self._unbound()
            return 0
        self._arm_signals()
        if not self._spawn():
            self._unbound()
            return 0
        if self._held >= 0:
            sign(self._held, self.plan["lock_note"], self.main)
        self.line.open()
        self._poll.register(self._wake, select.POLLIN)
        self._poll.register(self._output, select.POLLIN)
        if self.jupyter >= 0:
            self._poll.register(self.jupyter, select.POLLIN)
        started = proc.start_time(self.main)
        self._machine_kills = machine_kills()
        self.line.say(
            event="started",
            pid=self.main,
            start_time=started,
            keeper=os.getpid(),
            limited=self._memory is not None and self._memory.holds(self.main),
            unseen_end=self.unseen_end,
        )
        self._loop()
        return 0

    def _arm_signals(self) -> None:
        os.set_blocking(self._wake_end, False)
        os.set_blocking(self._wake, False)
        signal.set_wakeup_fd(self._wake_end, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: None)
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN)

    def _spawn(self) -> bool:
        def enter() -> None:
            if self._memory:
                self._memory.enter()
            if self._network:
                self._network.join()

        self.main, self._output, trouble = spawn(self.plan, self._held, enter)
        if trouble:
            self.line.say(event="refused", step="exec", **trouble)
        return not trouble

    # -- keeping ---------------------------------------------------------------------------------

    def _loop(self) -> None:
        while True:
            for descriptor, _ in self._poll.poll(self.ender.patience):
                if descriptor == self._output:
                    self._copy_output()
                elif descriptor == self.jupyter:
                    self.abandon()
                elif descriptor == self._wake:
                    self._on_signal()
                elif not self.line.cut:
                    self.line.flush()
                    for order in self.line.heard():
                        self._obey(order)
            if self._reap():
                break
            self.ender.go_on(None if self.ended is not None else self.main)
        self._copy_output(rest=True)
        if self._held >= 0:
            # Before it is told: who starts anew upon that must not find the data locked.
            release(self._held)
        self._unbound()
        self.line.say(event="down", lost_log_bytes=self._log.lost)
        self.line.close()

    def _copy_output(self, *, rest: bool = False) -> None:
        while self._output >= 0:
            try:
                data = os.read(self._output, 1 << 16)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._poll.unregister(self._output)
                os.close(self._output)
                self._output = -1
                return
            self._log.write(data)
            if not rest:
                return

    def _on_signal(self) -> None:
        try:
            numbers = os.read(self._wake, 512)
        except BlockingIOError:
            return
        if signal.SIGTERM in numbers:
            self.stop()

    def _reap(self) -> bool:
        """Collect the dead; True once nobody is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return True
            if pid == 0:
                return self._only_ours_left()
            if pid == self.main:
                self._main_ended(status)
            elif self._network and pid in self._network.processes:
                told = self._network.ended(pid)
                if told:
                    self._log.write(f"[{told}]\n".encode())

    def _only_ours_left(self) -> bool:
        """Whether the service has ended to the last process, and only its network is left."""
        if self._network is None or self.ended is None or self._tree():
            return False
        self._network.close()
        return True

    def _main_ended(self, status: int) -> None:
        self.ended = status
        code = os.waitstatus_to_exitcode(status)
        name = signal.Signals(-code).name if code < 0 else None
        self.line.say(
            event="exit",
            code=code if code >= 0 else None,
            signal=name,
            asked=self.ender.begun,
            starved=self._starved(name),
        )
        # Whatever it left behind must go before another copy may start. A stop keeps its own pace
        # only while the main process lives: without it nothing is being saved any more.
        self.ender.begin_anew(self.plan["orphans"])

    def _make_network(self) -> None:
        # Only those that have one pay for it.
        from .keeper_network import KeeperNetwork

        self._network = KeeperNetwork(self.plan["network"])
        self._network.make()

    def _unbound(self) -> None:
        if self._network:
            self._network.close()
            self._network = None
        if self._memory:
            self._memory.remove()
            self._memory = None

    def _starved(self, signal_name: str | None) -> str | None:
        """Whose want of memory the kernel killed for, where it did."""
        if self._memory and self._memory.kills():
            return "limit"
        if signal_name == "SIGKILL" and machine_kills() > self._machine_kills:
            return "machine"
        return None

    def stop(self, *, force: bool = False) -> None:
        """Begin to stop; a second call changes nothing, unless ``force`` asks for the kill."""
        if force:
            self.ender.kill()
        else:
            self.ender.begin(self.plan["stop"])

    def _tree(self) -> list[int]:
        ours = self._network.processes if self._network else ()
        return proc.descendants(os.getpid(), without=ours)

    # -- answering -------------------------------------------------------------------------------

    def _obey(self, order: dict) -> None:  # type: ignore[type-arg]
        name, number = order["op"], order.get("seq")
        if name == "stop":
            self.stop(force=order.get("force", False))
        elif name == "listener":
            self.line.say(seq=number, **self._listener(order))
        elif name == "usage":
            self.line.say(seq=number, **proc.cost(self._tree()).to_json())
        elif name == "resume":
            self.line.say(seq=number, resumed=self._resume())

    def _listener(self, order: dict) -> dict[str, object]:  # type: ignore[type-arg]
        def look() -> list[proc.Socket]:
            if order.get("port"):
                inside = self._network.forwarder if self._network else "self"
                return proc.tcp_listeners(order["port"], inside)
            return proc.unix_listeners(order["socket"])

        sockets = look()
        while sockets:
            found = proc.holder(sockets, self._tree())
            if found:
                pid, item = found
                return {"who": "ours", "pid": pid, "uid": item.uid, "address": item.address}
            # One that was being closed as we looked was nobody's any more: look again.
            still = look()
            if {item.inode for item in still} & {item.inode for item in sockets}:
                return {"who": "stranger", "uid": sockets[0].uid, "address": sockets[0].address}
            sockets = still
        return {"who": "nobody"}

    def _resume(self) -> bool:
        every = [*self._tree(), *(self._network.processes if self._network else ())]
        stopped = [pid for pid in every if (found := proc.stat(pid)) and found.state in "Tt"]
        send(signal.SIGCONT, stopped)
        return bool(stopped)

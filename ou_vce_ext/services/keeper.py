"""The keeper: one small process that owns one run of a service, from exec to the last orphan.

It is forked (never exec'ed) by :mod:`.keeper_parent`, so it shares that process's memory. Standard
library only, single-threaded, no asyncio. It talks to Jupyter in lines of JSON over one socket.

From Jupyter: a plan (first line), then ``stop``, ``listener``, ``usage``, ``resume``.
To Jupyter: ``started`` or ``refused`` or ``locked``; answers by ``seq``; ``exit`` when the main
process ended; ``down`` when nobody of the tree is left.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import select
import signal
import socket
import time
from typing import TYPE_CHECKING

from . import identity, proc
from .logfile import BoundedLog
from .memory_group import MemoryGroup, machine_kills, make_memory_group

if TYPE_CHECKING:
    from .keeper_network import KeeperNetwork

_BUSY_INTERVAL = 2.0
_BUSY_CPU = 0.1
_BUSY_LIMIT = 600.0
_KILL_INTERVAL = 0.1


class Keeper:
    """Owns one process tree. ``jupyter`` is a pidfd of Jupyter, or -1 where there are none."""

    def __init__(self, control: socket.socket, jupyter: int) -> None:
        self.control = control
        self.jupyter = jupyter
        self.main = 0
        self.ended: int | None = None
        self.plan: dict = {}  # type: ignore[type-arg]
        self.steps: list[dict] = []  # type: ignore[type-arg]
        self.stopping = False
        self.killing = False
        self.deadline: float | None = None
        self.step_started = 0.0
        self.busy_mark: tuple[float, int] | None = None
        self.alone = False
        self.unseen_end = False
        self._incoming = b""
        self._outgoing = b""
        self._poll = select.poll()
        self._output = -1
        self._held = -1
        self._log: BoundedLog
        self._memory: MemoryGroup | None = None
        self._machine_kills = 0
        self._network: KeeperNetwork | None = None
        self._wake, self._wake_end = os.pipe()

    # -- talking ---------------------------------------------------------------------------------

    def say(self, **message: object) -> None:
        """Queue one line for Jupyter; a Jupyter that does not read cannot hold us up."""
        if not self.alone:
            self._outgoing += json.dumps(message).encode() + b"\n"
            self._flush()

    def _flush(self) -> None:
        while self._outgoing and not self.alone:
            try:
                sent = self.control.send(self._outgoing)
            except BlockingIOError:
                break
            except OSError:
                self.abandon()
                return
            self._outgoing = self._outgoing[sent:]
        if not self.alone:
            mask = select.POLLIN | (select.POLLOUT if self._outgoing else 0)
            self._poll.register(self.control, mask)

    def abandon(self) -> None:
        """Jupyter is gone: stop the service the gentle way, then end."""
        if not self.alone:
            self.alone = True
            for descriptor in (self.control.fileno(), self.jupyter):
                try:
                    self._poll.unregister(descriptor)
                except (KeyError, ValueError):
                    pass
            self.stop()

    def _read_plan(self) -> bool:
        while b"\n" not in self._incoming:
            data = self.control.recv(1 << 16)
            if not data:
                return False
            self._incoming += data
        line, _, self._incoming = self._incoming.partition(b"\n")
        self.plan = json.loads(line)
        return True

    # -- starting --------------------------------------------------------------------------------

    def run(self) -> int:
        """Keep one service from start to end; returns our own exit code."""
        if not self._read_plan():
            return 0
        who = self.plan["identity"]
        owner = (who["uid"], who["gid"]) if who["mode"] == "user" else None
        lock = -1
        try:
            if self.plan["lock_file"]:
                lock = self._lock(self.plan["lock_file"], owner)
                if lock < 0:
                    return 0
            if self.plan["memory_limit"]:
                self._memory = make_memory_group(self.plan["memory_limit"])
            self._log = BoundedLog(self.plan["output"], self.plan["log_bytes"], owner=owner)
            identity.become(who["mode"], who["uid"], who["gid"])
            if self.plan["network"]:
                self._make_network()
        except OSError as error:
            self.say(event="refused", step="prepare", errno=error.errno, path=error.filename)
            self._unbound()
            return 0
        self._arm_signals()
        if not self._spawn(lock):
            self._unbound()
            return 0
        self._held = lock
        if lock >= 0:
            self._sign(lock)
        self.control.setblocking(False)
        self._poll.register(self.control, select.POLLIN)
        self._poll.register(self._wake, select.POLLIN)
        self._poll.register(self._output, select.POLLIN)
        if self.jupyter >= 0:
            self._poll.register(self.jupyter, select.POLLIN)
        started = proc.start_time(self.main)
        self._machine_kills = machine_kills()
        self.say(
            event="started",
            pid=self.main,
            start_time=started,
            keeper=os.getpid(),
            limited=self._memory is not None and self._memory.holds(self.main),
            unseen_end=self.unseen_end,
        )
        self._loop()
        return 0

    def _lock(self, path: str, owner: tuple[int, int] | None) -> int:
        """The locked descriptor, or -1 once it is told who holds it. Raises OSError."""
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        if owner:
            os.fchown(descriptor, *owner)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                # Some network folders know no locks: the database's own check must do there.
                self.say(event="lock-unsupported", path=path)
                return descriptor
            try:
                note = json.loads(os.pread(descriptor, 1 << 16, 0))
            except ValueError:
                note = {}
            self.say(event="locked", holder=note, path=path)
            return -1
        # Whoever sees a run to its end wipes out its note.
        self.unseen_end = os.fstat(descriptor).st_size > 0
        return descriptor

    def _sign(self, lock: int) -> None:
        """Write into the lock who holds it, for whoever finds it locked."""
        note = dict(
            self.plan["lock_note"],
            pid=self.main,
            start_time=proc.start_time(self.main),
            keeper=os.getpid(),
            keeper_start_time=proc.start_time(os.getpid()),
            boot_id=proc.boot_id(),
        )
        try:
            os.ftruncate(lock, 0)
            os.pwrite(lock, json.dumps(note).encode(), 0)
        except OSError:
            pass
        # From here on the service's own processes hold the lock for as long as one of them lives,
        # even when we are killed: ours is given up with our end.

    def _arm_signals(self) -> None:
        os.set_blocking(self._wake_end, False)
        os.set_blocking(self._wake, False)
        signal.set_wakeup_fd(self._wake_end, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: None)
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN)

    def _spawn(self, lock: int) -> bool:
        report, report_end = os.pipe()
        self._output, output_end = os.pipe()
        os.set_blocking(self._output, False)
        keeper = os.getpid()
        self.main = os.fork()
        if self.main == 0:
            self._become_service(keeper, output_end, report_end, lock)
        os.close(report_end)
        os.close(output_end)
        trouble = b""
        while block := os.read(report, 4096):
            trouble += block
        os.close(report)
        if trouble:
            os.waitpid(self.main, 0)
            self.say(event="refused", step="exec", **json.loads(trouble))
            return False
        return True

    def _become_service(self, keeper: int, output: int, report: int, lock: int) -> None:
        """In the forked child: turn into the service, or tell why not. Never returns."""
        try:
            os.setsid()
            steps = self.plan["stop"]
            first = getattr(signal, steps[0]["signal"]) if steps else signal.SIGTERM
            identity.die_with_parent(first)
            if os.getppid() != keeper:
                os._exit(1)
            signal.set_wakeup_fd(-1)
            for number in (
                signal.SIGCHLD,
                signal.SIGTERM,
                signal.SIGINT,
                signal.SIGHUP,
                signal.SIGPIPE,
            ):
                signal.signal(number, signal.SIG_DFL)
            os.umask(self.plan["umask"])
            if self.plan["nice"]:
                os.nice(self.plan["nice"])
            null = os.open(os.devnull, os.O_RDONLY)
            os.dup2(null, 0)
            os.dup2(output, 1)
            os.dup2(output, 2)
            if lock >= 0:
                os.set_inheritable(lock, True)
            if self._memory:
                self._memory.enter()
            if self._network:
                self._network.join()
            os.chdir(self.plan["cwd"])
            os.execvpe(self.plan["argv"][0], self.plan["argv"], self.plan["env"])
        except OSError as error:
            told = {"errno": error.errno, "path": error.filename}
            os.write(report, json.dumps(told, default=str).encode())
        finally:
            os._exit(127)

    # -- keeping ---------------------------------------------------------------------------------

    def _loop(self) -> None:
        while True:
            timeout = None
            if self.deadline is not None:
                timeout = max(0.0, (self.deadline - time.monotonic()) * 1000)
            for descriptor, _ in self._poll.poll(timeout):
                if descriptor == self._output:
                    self._copy_output()
                elif descriptor == self.jupyter:
                    self.abandon()
                elif descriptor == self._wake:
                    self._on_signal()
                elif not self.alone:
                    self._flush()
                    self._listen()
            if self._reap():
                break
            if self.deadline is not None and time.monotonic() >= self.deadline:
                self._next_step()
        self._copy_output(rest=True)
        if self._held >= 0:
            # Before it is told: who starts anew upon that must not find the data locked.
            try:
                os.ftruncate(self._held, 0)
            except OSError:
                pass
            os.close(self._held)
        self._unbound()
        self.say(event="down", lost_log_bytes=self._log.lost)
        if not self.alone:
            self.control.setblocking(True)
            self._flush()

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
        self.say(
            event="exit",
            code=code if code >= 0 else None,
            signal=name,
            asked=self.stopping,
            starved=self._starved(name),
        )
        # Whatever it left behind must go before another copy may start. A stop keeps its own pace
        # only while the main process lives: without it nothing is being saved any more.
        self.stopping = True
        self.steps = list(self.plan["orphans"])
        self.deadline = time.monotonic()

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

    # -- stopping --------------------------------------------------------------------------------

    def stop(self, *, force: bool = False) -> None:
        """Begin to stop; a second call changes nothing, unless ``force`` asks for the kill."""
        if force:
            self.steps = []
            self.deadline = time.monotonic()
        elif not self.stopping:
            self.steps = list(self.plan["stop"])
            self.deadline = time.monotonic()
        self.stopping = True

    def _tree(self) -> list[int]:
        ours = self._network.processes if self._network else ()
        return proc.descendants(os.getpid(), without=ours)

    def _next_step(self) -> None:
        now = time.monotonic()
        if self.busy_mark and now - self.step_started < _BUSY_LIMIT and self._is_busy():
            self.deadline = now + _BUSY_INTERVAL
            return
        self.busy_mark = None
        if not self.steps:
            self._send(signal.SIGKILL, self._tree())
            self.deadline = now + _KILL_INTERVAL
            return
        step = self.steps.pop(0)
        targets = [self.main] if step["target"] == "main" else self._tree()
        if step["target"] == "main" and self.ended is not None:
            targets = []
        self._send(getattr(signal, step["signal"]), targets)
        # A stopped process would never see the signal. Nothing else minds being continued.
        self._send(signal.SIGCONT, self._tree())
        self.step_started = now
        self.deadline = now + step["wait"]
        if step["while_busy"]:
            self.busy_mark = self._activity()

    def _activity(self) -> tuple[float, int]:
        tree = self._tree()
        ticks = sum(found.cpu for found in map(proc.stat, tree) if found)
        return ticks / proc.TICKS, proc.bytes_written(tree)

    def _is_busy(self) -> bool:
        # On a crowded machine a program that saves may get little time: that it wants it counts.
        if any(found.state in "RD" for found in map(proc.stat, self._tree()) if found):
            self.busy_mark = self._activity()
            return True
        cpu, written = self.busy_mark or (0.0, 0)
        self.busy_mark = self._activity()
        return self.busy_mark[0] - cpu > _BUSY_CPU or self.busy_mark[1] > written

    def _send(self, number: int, pids: list[int]) -> None:
        for pid in pids:
            try:
                os.kill(pid, number)
            except OSError:
                pass

    # -- answering -------------------------------------------------------------------------------

    def _listen(self) -> None:
        try:
            data = self.control.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.abandon()
            return
        self._incoming += data
        while b"\n" in self._incoming:
            line, _, self._incoming = self._incoming.partition(b"\n")
            self._obey(json.loads(line))

    def _obey(self, order: dict) -> None:  # type: ignore[type-arg]
        name, number = order["op"], order.get("seq")
        if name == "stop":
            self.stop(force=order.get("force", False))
        elif name == "listener":
            self.say(seq=number, **self._listener(order))
        elif name == "usage":
            self.say(seq=number, **proc.cost(self._tree())._asdict())
        elif name == "resume":
            self.say(seq=number, resumed=self._resume())

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
        self._send(signal.SIGCONT, stopped)
        return bool(stopped)

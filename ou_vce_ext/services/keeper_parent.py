"""The small process that forks keepers, so that they share its memory. Standard library only.

Jupyter starts it once (``python -I -S``) and sends it one end of a socket for each keeper it wants.
It is a subreaper: when a keeper is killed, what that keeper owned becomes ours, and we end it. It
outlives Jupyter until the last keeper is gone.
"""

from __future__ import annotations

import errno
import gc
import json
import os
import select
import signal
import socket
import sys
import time

from . import identity, proc
from .keeper import Keeper


class KeeperParent:
    """Forks keepers on request and looks after what a killed one leaves behind."""

    def __init__(self, channel: socket.socket, jupyter: int) -> None:
        self.channel = channel
        self.jupyter = jupyter
        self.keepers: dict[int, tuple[int, float]] = {}
        self.lost: dict[int, float] = {}
        self._trials: dict[int, tuple[int, int]] = {}
        self.deadline: float | None = None
        self._poll = select.poll()
        self._incoming = b""
        self._passed: list[int] = []
        self._wake, self._wake_end = os.pipe()
        self._alone = False

    def run(self) -> None:
        """Serve until Jupyter and every keeper are gone."""
        identity.adopt_orphans()
        # Objects made so far stay in pages that all keepers share: the collector would touch them.
        gc.disable()
        gc.freeze()
        os.set_blocking(self._wake, False)
        os.set_blocking(self._wake_end, False)
        signal.set_wakeup_fd(self._wake_end, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN)
        self._poll.register(self.channel, select.POLLIN)
        self._poll.register(self._wake, select.POLLIN)
        if self.jupyter >= 0:
            self._poll.register(self.jupyter, select.POLLIN)
        while not (self._alone and not self.keepers and not self.lost):
            timeout = None
            if self.deadline is not None:
                timeout = max(0.0, (self.deadline - time.monotonic()) * 1000)
            for descriptor, _ in self._poll.poll(timeout):
                if descriptor == self._wake:
                    self._drain()
                elif descriptor == self.jupyter:
                    self._abandon()
                elif not self._alone:
                    self._listen()
            self._reap()

    def _drain(self) -> None:
        try:
            os.read(self._wake, 512)
        except BlockingIOError:
            pass

    def _abandon(self) -> None:
        self._alone = True
        for descriptor in (self.channel.fileno(), self.jupyter):
            try:
                self._poll.unregister(descriptor)
            except (KeyError, ValueError):
                pass
        # A Jupyter that lives but has let go of us must be able to see that we did too.
        self.channel.close()

    def _say(self, **message: object) -> None:
        if not self._alone:
            try:
                self.channel.sendall(json.dumps(message).encode() + b"\n")
            except OSError:
                self._abandon()

    def _listen(self) -> None:
        try:
            data, descriptors, _, _ = socket.recv_fds(self.channel, 1 << 12, 8)
        except OSError:
            data, descriptors = b"", []
        for descriptor in descriptors:
            # Received ones are inheritable: a service would keep its keeper's line open.
            os.set_inheritable(descriptor, False)
        self._passed.extend(descriptors)
        if not data:
            self._abandon()
            return
        self._incoming += data
        while b"\n" in self._incoming:
            line, _, self._incoming = self._incoming.partition(b"\n")
            order = json.loads(line)
            if order["op"] == "keep":
                self._fork(order["id"], order["grace"], self._passed.pop(0))
            elif order["op"] == "namespace":
                self._say(event="namespace", allowed=self._try_namespace())
            elif order["op"] == "network":
                self._try_network(order)

    def _fork(self, number: int, grace: float, descriptor: int) -> None:
        pid = os.fork()
        if pid:
            self.keepers[pid] = (number, grace)
            os.close(descriptor)
            self._say(event="forked", id=number, pid=pid)
            return
        code = 1
        try:
            os.setsid()
            signal.set_wakeup_fd(-1)
            self.channel.close()
            os.close(self._wake)
            os.close(self._wake_end)
            identity.name_process("vce-keeper")
            identity.adopt_orphans()
            code = Keeper(socket.socket(fileno=descriptor), self.jupyter).run()
        finally:
            os._exit(code)

    def _try_namespace(self) -> bool:
        pid = os.fork()
        if pid == 0:
            try:
                identity.enter_user_namespace()
            except OSError:
                os._exit(1)
            os._exit(0)
        return os.waitpid(pid, 0)[1] == 0

    def _try_network(self, order: dict) -> None:  # type: ignore[type-arg]
        """In a process of its own: it may take seconds, and others want keepers meanwhile."""
        # Asked before the first of them is made: loaded here, it is shared by all that follow.
        from . import keeper_forwarder, keeper_network  # noqa: F401

        report, report_end = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                signal.set_wakeup_fd(-1)
                found = keeper_network.try_network(order["way_out"], order["log"])
                os.write(report_end, found.encode())
            finally:
                os._exit(0)
        os.close(report_end)
        self._trials[pid] = (order["id"], report)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                pid = 0
            if pid == 0:
                break
            if pid in self._trials:
                number, report = self._trials.pop(pid)
                with os.fdopen(report, "rb") as told:
                    self._say(event="network", id=number, found=told.read().decode())
            elif pid in self.keepers:
                number, grace = self.keepers.pop(pid)
                if os.waitstatus_to_exitcode(status) == 0:
                    self._say(event="gone", id=number)
                else:
                    # Its own process was sent its gentle signal by the kernel; the rest gets ours.
                    self._say(event="lost", id=number)
                    self.lost[number] = time.monotonic() + grace
                    self._signal(signal.SIGTERM)
        if self.lost:
            self._end_orphans()

    def _orphans(self) -> list[int]:
        mine = os.getpid()
        heads = [
            pid
            for pid in proc.descendants(mine)
            if pid not in self.keepers
            and pid not in self._trials
            and (found := proc.stat(pid))
            and found.ppid == mine
        ]
        return [pid for head in heads for pid in (head, *proc.descendants(head))]

    def _signal(self, number: int) -> None:
        for pid in self._orphans():
            for each in (number, signal.SIGCONT):
                try:
                    os.kill(pid, each)
                except OSError as error:
                    if error.errno not in (errno.ESRCH, errno.EPERM):
                        raise

    def _end_orphans(self) -> None:
        if not self._orphans():
            for number in list(self.lost):
                del self.lost[number]
                self._say(event="gone", id=number)
            self.deadline = None
            return
        if time.monotonic() >= min(self.lost.values()):
            self._signal(signal.SIGKILL)
        self.deadline = time.monotonic() + 0.1


def main() -> None:
    """Entry point: the channel is descriptor 0, Jupyter's pid the only argument."""
    jupyter = int(sys.argv[1])
    identity.name_process("vce-keepers")
    pidfd = -1
    if hasattr(os, "pidfd_open"):
        try:
            pidfd = os.pidfd_open(jupyter)
        except OSError:
            sys.exit(0)
    if os.getppid() != jupyter:
        sys.exit(0)
    null = os.open(os.devnull, os.O_RDWR)
    channel = socket.socket(fileno=os.dup(0))
    os.dup2(null, 0)
    KeeperParent(channel, pidfd).run()

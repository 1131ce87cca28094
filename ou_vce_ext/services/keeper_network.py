"""A network of its own for one service: nobody else on the machine reaches what listens in it.

Standard library only; loaded by the keepers that need it. The namespace is held by the forwarder
(:mod:`.keeper_forwarder`), which the service then joins; a user-mode network (slirp4netns, pasta)
gives it a way out. Both are children of the keeper, and none of the service's tree.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import socket
import struct
import time
from contextlib import suppress
from typing import Any, Final

from . import identity

_CLONE_NEWNS: Final = 0x00020000
_CLONE_NEWUSER: Final = 0x10000000
_CLONE_NEWNET: Final = 0x40000000
_MS_BIND: Final = 0x1000
_MS_SLAVE_ALL: Final = 0x80000 | 0x4000
_SIOCSIFFLAGS: Final = 0x8914
_IFF_UP_RUNNING: Final = 0x1 | 0x40
_LONGEST_PAUSE: Final = 60.0
_ROUTE_SECONDS: Final = 5.0
RESOLV_CONF: Final = "/etc/resolv.conf"

_libc = ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: Any) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)


def _make_namespaces(resolv_conf: str | None) -> list[str]:
    """Leave the machine's network; the names of the namespaces made. Raises OSError.

    Root needs no user namespace for it, and keeps its powers over files without one.
    """
    mount = _CLONE_NEWNS if resolv_conf else 0
    names = ["net", "mnt"] if resolv_conf else ["net"]
    uid, gid = os.geteuid(), os.getegid()
    try:
        _call("unshare", _CLONE_NEWNET | mount)
    except OSError:
        _call("unshare", _CLONE_NEWUSER | _CLONE_NEWNET | mount)
        identity.map_ids((uid, uid), (gid, gid))
        # First to be joined: what it lets one do, the others need.
        names.insert(0, "user")
    _raise_loopback()
    if resolv_conf:
        # What is mounted outside later on is seen inside, and nothing the other way round.
        _call("mount", None, b"/", None, ctypes.c_ulong(_MS_SLAVE_ALL), None)
        place = os.path.realpath(RESOLV_CONF)
        source, target = os.fsencode(resolv_conf), os.fsencode(place)
        _call("mount", source, target, None, ctypes.c_ulong(_MS_BIND), None)
    return names


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh14x", b"lo", _IFF_UP_RUNNING)
        fcntl.ioctl(control, _SIOCSIFFLAGS, request)


def _become_child(keeper: int) -> None:
    """In a forked child: be ended with the keeper, whatever ends it, and by nothing it ignores."""
    identity.die_with_parent(signal.SIGKILL)
    if os.getppid() != keeper:
        os._exit(1)
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def _close_all_but(*kept: int) -> None:
    """Let go of what was the keeper's: its line to Jupyter, and the lock on the data."""
    beginning = 3
    for descriptor in sorted(kept):
        os.closerange(beginning, descriptor)
        beginning = descriptor + 1
    os.closerange(beginning, 1 << 20)


class KeeperNetwork:
    """The network of one run of a service. ``plan`` is a PrivateNetwork's JSON.

    See :class:`~ou_vce_ext.launch.PrivateNetwork`.
    """

    def __init__(self, plan: dict[str, Any]) -> None:
        self._plan = plan
        self._listener: socket.socket | None = None
        self._namespaces: list[int] = []
        self._forwarder = 0
        self._way_out = 0
        self._pause = 0.0

    # -- making ----------------------------------------------------------------------------------

    def make(self) -> None:
        """Make it, with its forwarder and its way out. Raises OSError."""
        path = self._plan["socket"]
        if os.path.lexists(path):
            os.unlink(path)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            self._listener.bind(path)
        finally:
            os.umask(before)
        self._listener.listen(1024)
        self._start_forwarder()
        self._start_way_out()

    def _start_forwarder(self) -> None:
        keeper = os.getpid()
        report, report_end = os.pipe()
        pid = os.fork()
        if pid == 0:
            self._forward(keeper, report_end)
        os.close(report_end)
        with os.fdopen(report, "rb") as told:
            word, _, rest = told.read().decode().partition(" ")
        if word != "made":
            os.waitpid(pid, 0)
            number = int(word or 0)
            raise OSError(number, os.strerror(number), rest)
        self._forwarder = pid
        if not self._namespaces:
            for name in rest.split():
                self._namespaces.append(os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY))

    def _forward(self, keeper: int, report: int) -> None:
        """In the forked child: make or join the namespaces, then forward. Never returns."""
        try:
            listener = self._listener
            if listener is None:
                return
            _become_child(keeper)
            names: list[str] = []
            if self._namespaces:
                self.join()
            else:
                names = _make_namespaces(self._plan["resolv_conf"])
            from .keeper_forwarder import Forwarder

            identity.name_process("vce-forwarder")
            os.write(report, f"made {' '.join(names)}".encode())
            _close_all_but(listener.fileno())
            Forwarder(listener, self._plan["port"]).serve()
        except OSError as error:
            # Once it is told that all is well nobody listens any more.
            with suppress(OSError):
                os.write(report, f"{error.errno or 0} {error.filename}".encode())
        finally:
            os._exit(1)

    def _start_way_out(self) -> None:
        if not self._plan["way_out"]:
            return
        keeper = os.getpid()
        pid = os.fork()
        if pid:
            self._way_out = pid
            return
        try:
            _become_child(keeper)
            identity.name_process("vce-way-out")
            time.sleep(self._pause)
            run_way_out(self._plan["way_out"], self._forwarder, self._plan["log"])
        finally:
            os._exit(127)

    # -- using -----------------------------------------------------------------------------------

    @property
    def processes(self) -> frozenset[int]:
        """Our own processes, which are none of the service's."""
        return frozenset(pid for pid in (self._forwarder, self._way_out) if pid)

    @property
    def forwarder(self) -> int:
        """A process inside, through which /proc shows who listens there."""
        return self._forwarder

    def join(self) -> None:
        """Enter it, in a forked child. Raises OSError."""
        for descriptor in self._namespaces:
            _call("setns", descriptor, 0)

    def ended(self, pid: int) -> str | None:
        """Put another in the place of one of ``processes`` that has ended; what to write of it."""
        if pid == self._forwarder:
            self._forwarder = 0
            try:
                self._start_forwarder()
            except OSError as error:
                return f"its pages cannot be reached any more: {error.strerror}"
            return None
        self._way_out = 0
        told = "its way out to the internet ended; another is made" if not self._pause else None
        self._pause = min(_LONGEST_PAUSE, self._pause * 2 or 1.0)
        self._start_way_out()
        return told

    def close(self) -> None:
        """End our processes, once the service's have ended."""
        for pid in self.processes:
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass
        self._forwarder = self._way_out = 0
        for descriptor in self._namespaces:
            os.close(descriptor)
        self._namespaces = []
        if self._listener:
            self._listener.close()
            self._listener = None
            with suppress(OSError):
                os.unlink(self._plan["socket"])


def run_way_out(command: list[str], inside: int, log: str) -> None:
    """Become the program that gives the network of process ``inside`` a way out. Raises OSError."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    for descriptor, standard in ((null, 0), (output, 1), (output, 2)):
        os.dup2(descriptor, standard)
    # Python ignores it, and pasta takes it for a fault to find it so.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    # Not by way of a shell: each word is one argument.
    words = [word.replace("{pid}", str(inside)) for word in command]
    os.execve(words[0], words, {"PATH": os.defpath, "LANG": "C.UTF-8"})  # noqa: S606


def try_network(way_out: list[str], log: str) -> str:
    """Whether such a network can be made here: ``yes``, ``no-namespace`` or ``no-way-out``.

    In a process of its own, which ends after this. Takes milliseconds, or seconds until a way out
    that does not come about is given up.
    """
    keeper = os.getpid()
    report, report_end = os.pipe()
    holder = os.fork()
    if holder == 0:
        try:
            _become_child(keeper)
            _make_namespaces(None)
            os.write(report_end, b"made")
            os.close(report_end)
            if way_out:
                os._exit(0 if _has_route() else 2)
            signal.pause()
        finally:
            os._exit(1)
    os.close(report_end)
    if os.read(report, 16) != b"made":
        os.waitpid(holder, 0)
        return "no-namespace"
    if not way_out:
        os.kill(holder, signal.SIGKILL)
        os.waitpid(holder, 0)
        return "yes"
    pid = os.fork()
    if pid == 0:
        try:
            _become_child(keeper)
            run_way_out(way_out, holder, log)
        finally:
            os._exit(127)
    # Whichever ends first tells: a program that cannot do it says so at once.
    first, status = os.wait()
    left = pid if first == holder else holder
    os.kill(left, signal.SIGKILL)
    os.waitpid(left, 0)
    return "yes" if first == holder and status == 0 else "no-way-out"


def _has_route() -> bool:
    """Wait until there is a way out of this network, for a while."""
    end = time.monotonic() + _ROUTE_SECONDS
    while time.monotonic() < end:
        with open("/proc/self/net/route", encoding="ascii") as file:
            if any(row.split()[1] == "00000000" for row in file.readlines()[1:]):
                return True
        time.sleep(0.005)
    return False

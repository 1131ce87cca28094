"""One house, one owner: the lock that keeps two Jupyters from running the same services."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import secrets
import socket
import sys
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from ..models import ServiceError
from ..sentences import in_a_row, say
from . import proc
from .private_files import LARGEST, explain, hand_over

FRESH: Final = 90.0
"""Seconds for which a heartbeat from another machine counts."""

_NO_LOCKS: Final = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)
_open_locks: weakref.WeakSet[HouseLock] = weakref.WeakSet()


class HouseLock:
    """A locked file that says who holds it.

    The lock itself (flock) tells for certain about this machine, containers on it included, and is
    gone the moment its holder is. Between machines it may mean nothing, so the file's time is kept
    fresh for as long as it is held.
    """

    def __init__(self, path: Path, root_dir: Path) -> None:
        self._path = path
        self._root_dir = root_dir
        self._descriptor: int | None = None
        self._token = ""

    @property
    def held(self) -> bool:
        """Whether we hold it, as far as we know."""
        return self._descriptor is not None

    def acquire(self) -> ServiceError | None:
        """Take the lock, at once; or tell who has it. Does nothing where it is held already."""
        if self.held:
            return None
        try:
            return self._acquire()
        except OSError as error:
            told = explain(error, self._path)
            return ServiceError(told.code, told.message, told.hint)

    def touch(self) -> ServiceError | None:
        """Keep the lock fresh; tell where it has been lost to another machine while we slept."""
        if self._descriptor is None:
            return None
        try:
            if not self._is_in_place(self._descriptor):
                # Somebody deleted the file: another Jupyter would find nothing locked.
                self._let_go()
                return self.acquire()
            record = _read(self._descriptor)
            if record.get("token") != self._token:
                self._let_go()
                return _in_use(record)
            os.utime(self._descriptor)
        except OSError as error:
            told = explain(error, self._path)
            return ServiceError(told.code, told.message, told.hint)
        return None

    def release(self) -> None:
        """Let go of the lock, and leave no trace that would make anybody wait."""
        if self._descriptor is None:
            return
        with suppress(OSError):
            if _read(self._descriptor).get("token") == self._token:
                os.ftruncate(self._descriptor, 0)
        self._let_go()

    # -- inside ----------------------------------------------------------------------------------

    def _acquire(self) -> ServiceError | None:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        for _attempt in range(10):
            descriptor = os.open(self._path, flags, 0o600)
            try:
                certain = True
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return _in_use(_read(descriptor))
                except OSError as error:
                    if error.errno not in _NO_LOCKS:
                        raise
                    certain = False
                if not self._is_in_place(descriptor):
                    continue
                record = _read(descriptor)
                if record and self._is_live(record, descriptor, certain):
                    return _in_use(record)
                with self._sole_heir(record, certain) as winner:
                    if winner is not None:
                        return _in_use(winner)
                    self._write(descriptor)
                self._descriptor, descriptor = descriptor, -1
                _open_locks.add(self)
                return None
            finally:
                if descriptor >= 0:
                    os.close(descriptor)
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    @contextmanager
    def _sole_heir(
        self, dead: Mapping[str, Any], certain: bool
    ) -> Iterator[Mapping[str, Any] | None]:
        """While we take over from ``dead``: None, or the record of who does so before us.

        Machines that share no locks may find the same stale lock at the same moment. Making a file
        that must not be there yet is one step on every file system; what the first of them has
        written by the time the next has made its own is read from a file opened anew, since that
        is when network folders look again.
        """
        if certain and dead.get("boot_id") == proc.boot_id():
            yield None
            return
        mark = self._path.with_name(f".{self._path.name}.heir")
        try:
            os.close(os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        except FileExistsError:
            if self._age_of(mark) > FRESH:
                # Its maker fell silent while it took over: the next try finds the way free.
                mark.unlink(missing_ok=True)
            yield dead
            return
        try:
            now = _read_anew(self._path)
            yield None if now.get("token") == dead.get("token") else now
        finally:
            mark.unlink(missing_ok=True)

    def _is_in_place(self, descriptor: int) -> bool:
        """Whether the file we have open is the one that others find under its name."""
        try:
            return os.path.samestat(os.fstat(descriptor), os.stat(self._path))
        except FileNotFoundError:
            return False

    def _is_live(self, record: Mapping[str, Any], descriptor: int, certain: bool) -> bool:
        """Whether the holder named in a lock that we could take may still be there."""
        if record.get("boot_id") == proc.boot_id():
            # One kernel: the lock, where there are any, was ours to have only if he is gone.
            if certain:
                return False
            if record.get("pids") == _pid_namespace():
                return _is_alive(record)
        elif record.get("host") == socket.gethostname():
            return False  # the machine has been restarted since
        return self._age(descriptor) < FRESH

    def _age(self, descriptor: int) -> float:
        """Seconds since the last heartbeat."""
        return self._since(os.fstat(descriptor).st_mtime)

    def _age_of(self, path: Path) -> float:
        try:
            return self._since(path.stat().st_mtime)
        except FileNotFoundError:
            return 0.0

    def _since(self, moment: float) -> float:
        """Seconds since ``moment``, by the clock of the file system itself."""
        now = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}")
        clock = os.open(now, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            return abs(os.fstat(clock).st_mtime - moment)
        finally:
            os.close(clock)
            now.unlink(missing_ok=True)

    def _write(self, descriptor: int) -> None:
        self._token = secrets.token_hex(8)
        record = {
            "host": socket.gethostname(),
            "boot_id": proc.boot_id(),
            "pids": _pid_namespace(),
            "pid": os.getpid(),
            "start_time": proc.start_time(os.getpid()),
            "root_dir": str(self._root_dir),
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "token": self._token,
        }
        content = json.dumps(record).encode()
        hand_over(descriptor, self._path.parent)
        os.pwrite(descriptor, content, 0)
        os.ftruncate(descriptor, len(content))
        # A network folder would show it to other machines only once the file is closed.
        os.fsync(descriptor)

    def _let_go(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        _open_locks.discard(self)
        if descriptor is not None:
            with suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)

    def _forget(self) -> None:
        """In a forked child: the lock is the parent's, and must end with the parent."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with suppress(OSError):
                os.close(descriptor)


def _forget_all() -> None:
    for lock in list(_open_locks):
        lock._forget()
    _open_locks.clear()


os.register_at_fork(after_in_child=_forget_all)


def _pid_namespace() -> str:
    """Which numbering of processes ours is from; containers have their own."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return sys.platform


def _is_alive(record: Mapping[str, Any]) -> bool:
    pid, started = record.get("pid"), record.get("start_time")
    return isinstance(pid, int) and proc.is_alive(pid, started)


def _read(descriptor: int) -> dict[str, Any]:
    """What a lock file says; empty where it says nothing that can be understood."""
    try:
        record = json.loads(os.pread(descriptor, LARGEST, 0) or b"{}")
    except (ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def _read_anew(path: Path) -> dict[str, Any]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return {}
    try:
        return _read(descriptor)
    finally:
        os.close(descriptor)


def _moment(started: object) -> str:
    try:
        moment = datetime.fromisoformat(str(started)).astimezone(UTC)
    except ValueError:
        return say("an unknown time")
    return say("{time} on {date} UTC", time=f"{moment:%H:%M}", date=f"{moment:%Y-%m-%d}")


def _in_use(record: Mapping[str, Any]) -> ServiceError:
    host = record.get("host")
    here = host == socket.gethostname()
    message = say(
        "Another JupyterLab runs the services of this home. Nothing has been touched, and "
        "notebooks work here as usual."
    )
    # A holder that has not yet written its name leaves the one before it, who is gone, to be read.
    gone = here and record.get("pids") == _pid_namespace() and not _is_alive(record)
    if host and not gone:
        message = say(
            "Another JupyterLab (process {pid} on {place}, folder {folder}, since {moment}) runs "
            "the services of this home. Nothing has been touched, and notebooks work here as "
            "usual.",
            pid=record.get("pid"),
            place=say("this machine") if here else say("another machine ({host})", host=host),
            folder=record.get("root_dir"),
            moment=_moment(record.get("started")),
        )
    hint = say(
        "Use that JupyterLab; or end it (File, Shut Down) and start the service here again: this "
        "one then takes over."
    )
    wait = say("If that machine has been switched off, wait two minutes first.")
    return ServiceError("house-in-use", message, hint if here else in_a_row((hint, wait)))

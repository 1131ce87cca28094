"""The lock on a service's data, held by its keeper and all it starts. Standard library only."""

from __future__ import annotations

import errno
import fcntl
import json
import os

from . import proc


class DataLock:
    """Tries to lock ``path``, at once. Raises OSError where the file cannot even be made.

    ``holder`` is what the file says of whoever holds it, or None where it is ours now. Some network
    folders know no locks (``supported``): the database's own check must do there. ``unseen_end``
    tells that nobody saw the run before to its end: whoever does wipes out its note.
    """

    def __init__(self, path: str, owner: tuple[int, int] | None) -> None:
        self.path = path
        self.holder: dict | None = None  # type: ignore[type-arg]
        self.supported = True
        self.unseen_end = False
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self.descriptor = os.open(path, flags, 0o600)
        if owner:
            os.fchown(self.descriptor, *owner)
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                self.holder = self._note()
            else:
                self.supported = False
            return
        self.unseen_end = os.fstat(self.descriptor).st_size > 0

    def _note(self) -> dict:  # type: ignore[type-arg]
        try:
            note = json.loads(os.pread(self.descriptor, 1 << 16, 0))
        except ValueError:
            return {}
        return note if isinstance(note, dict) else {}


def sign(descriptor: int, note: dict, main: int) -> None:  # type: ignore[type-arg]
    """Write into a lock who holds it, for whoever finds it locked.

    From then on the service's own processes hold it for as long as one of them lives, even when we
    are killed: ours is given up with our end.
    """
    told = dict(
        note,
        pid=main,
        start_time=proc.start_time(main),
        keeper=os.getpid(),
        keeper_start_time=proc.start_time(os.getpid()),
        boot_id=proc.boot_id(),
    )
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(told).encode(), 0)
    except OSError:
        pass


def release(descriptor: int) -> None:
    """Give the lock up, and wipe out the note: this run was seen to its end."""
    try:
        os.ftruncate(descriptor, 0)
    except OSError:
        pass
    os.close(descriptor)

"""Whether a keeper holds a lock file, which says that a run is still alive or just ending."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def lock_is_free(path: Path) -> bool:
    """Whether nobody holds the lock of ``path`` now. A file that is not there is free."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return True
    try:
        return try_lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def try_lock(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool:
    """Lock an open file at once; False where somebody else holds it.

    Some network folders know no locks: the database's own check must do there.
    """
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES)
    return True


@contextmanager
def held(path: Path) -> Iterator[bool]:
    """Hold the lock of ``path``, made where it is missing; gives False where somebody else does.

    Raises OSError where there can be no such file.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        yield try_lock(descriptor)
    finally:
        os.close(descriptor)

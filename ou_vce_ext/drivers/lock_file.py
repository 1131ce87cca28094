"""Whether a keeper holds a lock file, which says that a run is still alive or just ending."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path


def lock_is_free(path: Path) -> bool:
    """Whether nobody holds the lock of ``path`` now. A file that is not there is free."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        # Some network folders know no locks.
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES)
    finally:
        os.close(descriptor)
    return True

"""What the operating system says when it refuses something, as sentences can go on with it."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Final

from .sentences import say

_KNOWN: Final[Mapping[int, str]] = {
    errno.EACCES: say("Permission denied"),
    errno.EPERM: say("Operation not permitted"),
    errno.ENOENT: say("No such file or directory"),
    errno.EEXIST: say("File exists"),
    errno.ENOTDIR: say("Not a directory"),
    errno.EISDIR: say("Is a directory"),
    errno.ENOTEMPTY: say("Directory not empty"),
    errno.EBUSY: say("Device or resource busy"),
    errno.EIO: say("Input/output error"),
    errno.ENOSPC: say("No space left on device"),
    errno.EDQUOT: say("Disk quota exceeded"),
    errno.EROFS: say("Read-only file system"),
    errno.EMFILE: say("Too many open files"),
    errno.ENFILE: say("Too many open files in system"),
    errno.ENAMETOOLONG: say("File name too long"),
    errno.ELOOP: say("Too many levels of symbolic links"),
    errno.ENOMEM: say("Cannot allocate memory"),
    errno.ESTALE: say("Stale file handle"),
    errno.EADDRINUSE: say("Address already in use"),
}
"""Those that people meet."""


def why(error: BaseException) -> str:
    """The system's reason where it gave one, such as ``Permission denied``; else the error's."""
    if not isinstance(error, OSError):
        return str(error)
    known = _KNOWN.get(error.errno or 0)
    # What we raise ourselves says more than its number does.
    return known if known is not None and known == error.strerror else error.strerror or str(error)

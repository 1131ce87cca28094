"""Whether a file is at fault where a tool or a server gives up: a full disk or a kill is not its.

What is at fault is marked as bad for good; what could not be tried is tried again.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ...errors import VceError
from ...sentences import say
from .. import room

if TYPE_CHECKING:
    from .tool import ToolFailedError

_NO_ROOM: Final = (
    "No space left on device",
    "Disk quota exceeded",
    # A server that could write a part of a page.
    "Check free disk space",
    "wrote only",
    # What whoever connects is told then.
    "could not write init file",
)
_GONE: Final = (
    "server closed the connection",
    "connection to server",
    "terminating connection",
    "the database system is",
    "no connection to the server",
)
_HARDLY_ANY: Final = 1024 * 1024
"""Bytes: with less than this free a server may die of it, without a word on why."""


def not_the_files(error: ToolFailedError, place: Path) -> VceError | None:
    """Why a tool failed, where the file it read has no part in it; ``place`` is on the disk."""
    if no_room(error.said) or error.by_force or is_gone(error.said):
        return no_room(error.said, place) or VceError(
            "command-failed", error.message, say("Try again.")
        )
    return None


def no_room(said: str, place: Path | None = None) -> VceError | None:
    """A full disk, where that is what ``said`` tells of, or what is at ``place``."""
    if any(words in said for words in _NO_ROOM) or (place and _is_full(place)):
        return room.explained(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), say("the data"))
    return None


def is_gone(said: str) -> bool:
    """Whether ``said`` tells of a server that is no longer there."""
    return any(words in said for words in _GONE)


def _is_full(place: Path) -> bool:
    try:
        return room.free_bytes(place) < _HARDLY_ANY
    except OSError:
        return False

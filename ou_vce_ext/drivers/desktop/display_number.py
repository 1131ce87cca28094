"""Numbers of X displays: which is free, and what a killed server leaves behind of its own.

An X server that is told its number takes ``/tmp/.Xn-lock`` in one step, so two never share one,
whoever they belong to. Standard library only.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from .x11 import SOCKETS

_FIRST, _LAST = 100, 59_000
"""Servers that choose for themselves begin at 0."""


def lock_of(display: int) -> str:
    """The file that a display's server holds."""
    return f"/tmp/.X{display}-lock"  # noqa: S108 (where X servers put them)


def socket_of(display: int) -> str:
    """The socket on which a display's server listens for programs."""
    return f"{SOCKETS}/X{display}"


def sockets_can_be_made() -> bool:
    """Whether a server can make its socket, and the folder for it where that is not there."""
    if os.path.isdir(SOCKETS):
        return os.access(SOCKETS, os.W_OK | os.X_OK)
    return not os.path.lexists(SOCKETS) and os.access(os.path.dirname(SOCKETS), os.W_OK | os.X_OK)


def candidates() -> Iterator[int]:
    """Numbers that look free now, in no order that another session would try as well."""
    while True:
        number = _FIRST + int.from_bytes(os.urandom(4), "big") % (_LAST - _FIRST)
        if not os.path.lexists(lock_of(number)) and not os.path.lexists(socket_of(number)):
            yield number


def holder_of(display: int) -> int | None:
    """The process whose number stands in a display's lock file, or None."""
    try:
        with open(lock_of(display), "rb") as file:
            return int(file.read(32))
    except (OSError, ValueError):
        return None


def clear(display: int, server: int) -> None:
    """Take away what process ``server``, which has ended, left behind as holder of ``display``."""
    temporary = f"/tmp/.tX{display}-lock"  # noqa: S108
    holder = holder_of(display)
    if holder is not None and holder != server:
        return
    # The lock goes last: until then nobody else can have the number.
    for path in (temporary, socket_of(display), lock_of(display)):
        try:
            if os.lstat(path).st_uid == os.geteuid():
                os.unlink(path)
        except OSError:
            pass

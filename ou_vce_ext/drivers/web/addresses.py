"""Where a web app listens: a port that is free, a socket that is nobody's, how to reach it."""

from __future__ import annotations

import errno
import socket
import stat
from contextlib import suppress
from pathlib import Path

from ...launch import Listener


def another_port(last: int | None) -> int:
    """A TCP port that nobody listens on just now, other than ``last``."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port != last:
            return port


def remove_stale(path: Path) -> None:
    """Away with the socket of a run that was killed: its name would be in the way of a new one."""
    with suppress(OSError):
        if stat.S_ISSOCK(path.lstat().st_mode) and not _listens(path):
            path.unlink()


def _listens(path: Path) -> bool:
    """Whether anybody is behind a socket: a declared one may be somebody else's."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        return probe.connect_ex(str(path)) != errno.ECONNREFUSED


def reachable(found: Listener) -> str:
    """The address at which a listening socket is reached from this machine."""
    address = found.address or ""
    if address in ("", "0.0.0.0", "::") or "/" in address:  # noqa: S104
        return "127.0.0.1"
    return address

"""Sockets that pymongo forgets when a client is closed while it connects.

Python finds them at some moment, and whichever test runs then would fail for it. What our own code
forgets is to fail as ever, so these are known by the ports they lead to.
"""

from __future__ import annotations

import pytest

_PORTS: set[int] = set()


def leads_to_mongodb(port: int) -> None:
    """A test of this process has a MongoDB at ``port``."""
    _PORTS.add(port)


def let_be_found(item: pytest.Item) -> None:
    """Have ``item`` not fail for a socket of a test before it."""
    if _PORTS:
        ports = "|".join(map(str, sorted(_PORTS)))
        # Where the server has broken the connection, the socket no longer says where it led.
        led = rf"(, raddr=\('127.0.0.1', ({ports})\))?>"
        found = rf"Exception ignored in. <socket.socket [^>]*laddr=\('127.0.0.1', \d+\){led}"
        item.add_marker(
            pytest.mark.filterwarnings(f"ignore:{found}:pytest.PytestUnraisableExceptionWarning")
        )

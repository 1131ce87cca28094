"""Ports for what tests start: no two test processes of one machine give out the same one."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from functools import cache

# Below what the system gives to outgoing connections, and below what the extension chooses from.
LOWEST, HIGHEST = 10_000, 20_000
BLOCK = 100


def free_port() -> int:
    """A TCP port that nobody listens on, and that no other test was given lately."""
    while True:
        port = next(_ports())
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


@cache
def _ports() -> Iterator[int]:
    return itertools.cycle(range(first := _claimed(), first + BLOCK))


def _claimed() -> int:
    """The first port of a block that is this process's own, for as long as it lives."""
    for first in range(LOWEST, HIGHEST, BLOCK):
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0ou-vce-tests-ports-{first}")
        except OSError:
            claim.close()
        else:
            _CLAIMS.append(claim)
            return first
    raise OSError("every block of ports is another test process's")


_CLAIMS: list[socket.socket] = []

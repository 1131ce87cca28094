"""Who listens where a service should, asked patiently enough to be true."""

from __future__ import annotations

import asyncio
from typing import Final

from ..launch import Listener, Process

_LOOKS: Final = 3
_PAUSE: Final = 0.1


async def who_listens(
    process: Process, *, port: int | None = None, socket: str | None = None
) -> Listener:
    """Ask ``process``; a stranger must be seen three times, over 0.2 s, to be called one.

    A socket that is just being closed, or handed on, belongs to nobody for a moment.
    """
    found = await process.listener(port=port, socket=socket)
    for _ in range(_LOOKS - 1):
        if found.who != "stranger":
            break
        await asyncio.sleep(_PAUSE)
        found = await process.listener(port=port, socket=socket)
    return found

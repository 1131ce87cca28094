"""What services cost, asked of their keepers no more often than people can read."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final
from weakref import WeakKeyDictionary

from ..errors import VceError
from ..launch import Process
from ..models import Usage
from .clock import Clock

FRESH: Final = 2.0
PATIENCE: Final = 0.005
"""Seconds that a look waits for a keeper; after that it is told the figure before."""


class UsageCache:
    """Remembers each process's cost for 2 s, so that many watchers cost no more than one.

    Nobody waits for a busy keeper: its answer is for the next look.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: WeakKeyDictionary[Process, tuple[float, Usage]] = WeakKeyDictionary()
        self._asking: WeakKeyDictionary[Process, asyncio.Task[None]] = WeakKeyDictionary()

    async def of(self, process: Process | None) -> Usage:
        """The cost of a process tree; empty where there is none, or none is known yet."""
        if process is None:
            return Usage()
        known = self._known.get(process)
        if known and self._clock.monotonic() - known[0] < FRESH:
            return known[1]
        asking = self._asking.get(process)
        if asking is None or asking.done():
            asking = asyncio.get_running_loop().create_task(self._ask(process))
            self._asking[process] = asking
        await asyncio.wait([asking], timeout=PATIENCE)
        known = self._known.get(process)
        return known[1] if known else Usage()

    async def _ask(self, process: Process) -> None:
        with suppress(VceError, TimeoutError):
            self._known[process] = (self._clock.monotonic(), await process.usage())

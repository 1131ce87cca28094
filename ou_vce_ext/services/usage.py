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

    def last(self, process: Process | None) -> Usage:
        """What was last known of a process tree; asks anew for the next time, waiting for nobody.

        Call in the event loop.
        """
        if process is None:
            return Usage()
        known = self._known.get(process)
        if known is None or self._clock.monotonic() - known[0] >= FRESH:
            self._begin(process)
        return known[1] if known else Usage()

    async def of(self, process: Process | None) -> Usage:
        """The cost of a process tree; empty where there is none, or none is known yet."""
        if process is None:
            return Usage()
        known = self._known.get(process)
        if known and self._clock.monotonic() - known[0] < FRESH:
            return known[1]
        await asyncio.wait([self._begin(process)], timeout=PATIENCE)
        known = self._known.get(process)
        return known[1] if known else Usage()

    def _begin(self, process: Process) -> asyncio.Task[None]:
        asking = self._asking.get(process)
        if asking is None or asking.done():
            asking = asyncio.get_running_loop().create_task(self._ask(process))
            self._asking[process] = asking
        return asking

    async def _ask(self, process: Process) -> None:
        with suppress(VceError, TimeoutError):
            self._known[process] = (self._clock.monotonic(), await process.usage())

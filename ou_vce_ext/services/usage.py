"""What services cost, asked of their keepers no more often than people can read."""

from __future__ import annotations

from typing import Final
from weakref import WeakKeyDictionary

from ..errors import VceError
from ..launch import Process
from ..models import Usage
from .clock import Clock

FRESH: Final = 2.0


class UsageCache:
    """Remembers each process's cost for 2 s, so that many watchers cost no more than one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: WeakKeyDictionary[Process, tuple[float, Usage]] = WeakKeyDictionary()

    async def of(self, process: Process | None) -> Usage:
        """The cost of a process tree; empty where there is none to be asked."""
        if process is None:
            return Usage()
        now = self._clock.monotonic()
        known = self._known.get(process)
        if known and now - known[0] < FRESH:
            return known[1]
        try:
            usage = await process.usage()
        except (VceError, TimeoutError):
            return known[1] if known else Usage()
        self._known[process] = (now, usage)
        return usage

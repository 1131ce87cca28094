"""Time, injected, so that tests own it."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What supervision needs of time. Timers use ``monotonic``: a changed wall clock moves none."""

    def monotonic(self) -> float:
        """Seconds that only ever grow."""

    def now(self) -> datetime:
        """The wall clock, UTC, for people."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The real one."""

    def monotonic(self) -> float:
        """Seconds that only ever grow."""
        return time.monotonic()

    def now(self) -> datetime:
        """The wall clock, UTC, for people."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

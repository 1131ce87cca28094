"""When a service that died is started again, and when we give up."""

from __future__ import annotations

import random
from collections import deque
from typing import Final

from .clock import Clock

FIRST_DELAY: Final = 0.1
LONGEST_DELAY: Final = 30.0
JITTER: Final = 0.1
WINDOW: Final = 60.0
DEATHS_TO_FAIL: Final = 5


class RestartPolicy:
    """The first restart at once; then 0.1 s doubling, ±10 %, at most 30 s.

    60 s of being ready wipes the slate. Five deaths within 60 s and we give up. Seconds throughout.
    """

    def __init__(self, clock: Clock, rng: random.Random | None = None) -> None:
        self._clock = clock
        # The jitter only keeps services from restarting in step: it is no secret.
        self._random = rng or random.Random()  # noqa: S311
        self._deaths: deque[float] = deque()
        self._streak = 0

    def reset(self) -> None:
        """A person started the service: earlier deaths count no more."""
        self._deaths.clear()
        self._streak = 0

    def died(self, ready_for: float) -> float | None:
        """Record a death after ``ready_for`` seconds of being ready.

        Returns the delay before the next start, or None when it is time to give up.
        """
        now = self._clock.monotonic()
        if ready_for >= WINDOW:
            self.reset()
        self._deaths.append(now)
        while self._deaths and now - self._deaths[0] > WINDOW:
            self._deaths.popleft()
        if len(self._deaths) >= DEATHS_TO_FAIL:
            return None
        self._streak += 1
        if self._streak == 1:
            return 0.0
        delay: float = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** (self._streak - 2))
        return delay * self._random.uniform(1 - JITTER, 1 + JITTER)

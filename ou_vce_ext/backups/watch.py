"""Progress in bytes and time left, and a cancellation that working threads see too."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from ..drivers.base import Progress, no_progress
from ..sentences import say
from ..services.clock import Clock, SystemClock
from ..sizes import in_words

_BEFORE_GUESSING: Final = 1.5
"""Seconds of work before a guess of the time left is worth telling."""
_BETWEEN_WORDS: Final = 0.25


class WorkCancelledError(Exception):
    """The work was cancelled, seen by a thread of it."""


class Watch:
    """What a piece of work tells of itself while it goes on, from the event loop or a thread.

    ``step`` names what is being done now; ``did`` counts bytes in it.
    ``raise_if_cancelled`` is for threads, which nobody can interrupt: call it for each block.
    """

    def __init__(self, progress: Progress = no_progress, clock: Clock | None = None) -> None:
        self._progress = progress
        self._clock = clock or SystemClock()
        self._cancelled = threading.Event()
        self._message = ""
        self._expected: int | None = None
        self._done = 0
        self._began = 0.0
        self._told = float("-inf")
        self._low, self._high = 0.0, 1.0

    def part(self, low: float, high: float) -> None:
        """From here on, steps run from ``low`` to ``high`` of the whole (0..1)."""
        self._low, self._high = low, high

    @contextmanager
    def share(self, low: float, high: float) -> Iterator[None]:
        """For the block, steps run from ``low`` to ``high`` (0..1) of the part that is set."""
        before = self._low, self._high
        span = self._high - self._low
        self._low, self._high = self._low + low * span, self._low + high * span
        try:
            yield
        finally:
            self._low, self._high = before

    @property
    def range(self) -> tuple[float, float]:
        """What part of the whole steps run through now."""
        return self._low, self._high

    def step(self, message: str, expected: int | None = None) -> None:
        """Begin a step; ``expected`` is how many bytes it will probably handle."""
        self._message = message
        self._expected = expected or None
        self._done = 0
        self._began = self._clock.monotonic()
        self._tell(force=True)

    def waits(self, message: str | None) -> None:
        """Tell ``message`` in the place of the step, which waits; None where it goes on."""
        if message is None:
            self._tell(force=True)
        else:
            # Else the time that is left would be guessed from the time that was lost.
            self._began = self._clock.monotonic()
            self._progress(message, self._low if self._low else None)

    def did(self, count: int) -> None:
        """Count ``count`` more bytes as handled. Raises WorkCancelledError."""
        self.raise_if_cancelled()
        self._done += count
        self._tell()

    def cancel(self) -> None:
        """Have threads stop at their next block."""
        self._cancelled.set()

    @property
    def cancelled(self) -> bool:
        """Whether the work is to end."""
        return self._cancelled.is_set()

    def raise_if_cancelled(self) -> None:
        """Raise WorkCancelledError where the work is to end."""
        if self._cancelled.is_set():
            raise WorkCancelledError

    def _tell(self, *, force: bool = False) -> None:
        now = self._clock.monotonic()
        if not force and now - self._told < _BETWEEN_WORDS:
            return
        self._told = now
        if not self._expected or not self._done:
            self._progress(self._message, self._low if self._low else None)
            return
        # A guess that was too low must not say that all is done.
        share = min(0.97, self._done / self._expected)
        done = in_words(self._done)
        words = say("{step}: {done}", step=self._message, done=done)
        if self._done <= self._expected:
            words = say(
                "{step}: {done} of about {expected}",
                step=self._message,
                done=done,
                expected=in_words(self._expected),
            )
        elapsed = now - self._began
        if elapsed > _BEFORE_GUESSING and share < 0.97:
            left = _left(elapsed / share - elapsed)
            words = say("{progress}, about {left} left", progress=words, left=left)
        self._progress(words, self._low + share * (self._high - self._low))


def _left(seconds: float) -> str:
    if seconds < 90:
        return say("{count} s", count=max(1, round(seconds)))
    return say("{count} min", count=round(seconds / 60))

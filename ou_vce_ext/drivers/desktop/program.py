"""The program of a session, and the steps in which it is ended. Standard library only."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from .display import Display

LINGER_SECONDS = 0.5
"""After the program's first process has ended well: until its windows are gone from the list."""
ANSWER_SECONDS = 30.0
"""For a person to answer what a program asks when it is to close, such as whether to save."""
_KILL_SECONDS = 1.0
_MOST_STEPS = 4


class Program:
    """The program, which leads a group of processes: ``pid`` is 0 while there is none.

    ``status`` is the wait status of its first process; the others may go on after it. ``over`` is
    called when nothing of it is to be waited for any more. ``deadline``, of the monotonic clock, is
    when :meth:`go_on` is to be called, if anything is planned.
    """

    def __init__(
        self,
        display: Display,
        over: Callable[[], None],
        *,
        close_seconds: float,
        term_seconds: float,
    ) -> None:
        """Its windows may take ``close_seconds`` to close, and then itself ``term_seconds``."""
        self.pid = 0
        self.status: int | None = None
        self.deadline: float | None = None
        self._display = display
        self._over = over
        self._steps = 0
        self._known: frozenset[int] | None = None
        self._close_seconds = close_seconds
        self._term_seconds = term_seconds

    def signal(self, number: int) -> None:
        """Signal all of its group."""
        if self.pid:
            with suppress(OSError):
                os.killpg(self.pid, number)

    def first_ended(self, status: int, *, asked: bool) -> None:
        """Its first process has ended. Where it was not ``asked`` to, its windows decide."""
        self.status = status
        if status or asked or not self._display.shown():
            self._over()
        else:
            # A launcher that leaves its work to others: the session is theirs.
            self.deadline = time.monotonic() + LINGER_SECONDS

    def end(self) -> None:
        """Begin to end it."""
        self._steps = 0
        self._next_step()

    def end_unasked(self) -> None:
        """Begin to end it, with no question to anybody."""
        self._steps = 1
        self._next_step()

    def end_when_answered(self) -> None:
        """Begin to end it while it has a question open: there is half a minute for the answer."""
        self._steps = 1
        self._known = None
        self.deadline = time.monotonic() + max(ANSWER_SECONDS, self._close_seconds)

    def go_on(self) -> None:
        """Go on, as the time has come."""
        if self._steps:
            self._next_step()
            return
        # It is known by now whether a window was left by the program that has ended.
        self.deadline = None
        if not self._display.shown():
            self._over()

    @property
    def _lingers(self) -> bool:
        return self.deadline is not None and not self._steps

    def no_window_left(self) -> None:
        """Its last window has gone."""
        if self.status is not None and not self._lingers:
            self._over()

    def windows_changed(self) -> None:
        """Windows have come or gone: one that comes after all were asked to close is a question."""
        if self._steps == 1 and self._known is not None and self._display.shown() - self._known:
            # Once: a program that goes on asking is ended all the same.
            self._known = None
            self.deadline = time.monotonic() + max(ANSWER_SECONDS, self._close_seconds)

    def _next_step(self) -> None:
        """Ask the windows, then the program, then the kernel; each is given its time."""
        self._steps += 1
        if self._steps == 1:
            self._known = self._display.shown()
        if self._steps == 1 and self._display.ask_to_close():
            self.deadline = time.monotonic() + self._close_seconds
        elif self._steps <= 2:
            self._steps = 2
            self.signal(signal.SIGTERM)
            self.deadline = time.monotonic() + self._term_seconds
        else:
            self.signal(signal.SIGKILL)
            self.deadline = time.monotonic() + _KILL_SECONDS
            if self.status is not None or self._steps > _MOST_STEPS:
                self._over()

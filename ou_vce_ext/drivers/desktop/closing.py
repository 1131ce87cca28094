"""A request to close that leaves the answer to a person. Standard library only.

The windows are asked to close, and what comes of it is told. Nothing is ended here, however long it
takes: a program that asks whether to save waits for whoever works in it.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from .display import Display

ASKED = "asked"
"""The windows have been asked to close."""
QUESTION = "question"
"""A window is open that was not there when they were asked, or that is a dialog."""
ANSWERED = "answered"
"""That window has gone, and the program may be closing now."""
SAVING = "saving"
"""It was answered, and all windows are gone; the program is not."""
STAYS = "stays"
"""It was answered, and the program's windows are still there."""
DEAF = "deaf"
"""Nothing came of it in the time that windows have to close."""
OPEN = frozenset({ASKED, QUESTION, ANSWERED, SAVING})
"""Where the last word has not been spoken."""


class Closing:
    """The way from the request to close to what comes of it.

    ``tell`` is called with the number of the request and how it stands. ``deadline``, of the
    monotonic clock, is when :meth:`go_on` is to be called, if anything is planned.
    """

    def __init__(
        self, display: Display, tell: Callable[[int, str], None], *, close_seconds: float
    ) -> None:
        """Windows may take ``close_seconds`` to close."""
        self.deadline: float | None = None
        self.stands = ""
        self._display = display
        self._tell = tell
        self._close_seconds = close_seconds
        self._number = 0
        self._known: frozenset[int] = frozenset()

    @property
    def is_open(self) -> bool:
        """Whether it is not known yet what comes of it: the program's end would be."""
        return self.stands in OPEN

    def ask(self) -> None:
        """Ask each window to close, unless that has been done and an answer is awaited.

        Dialogs are left alone: to close one is an answer to what it asks, and not ours to give.
        """
        self._number += 1
        if self.is_open:
            self._become(self.stands)
            return
        dialogs = self._display.dialogs()
        self._known = self._display.shown() - dialogs
        asked = self._display.ask_to_close(dialogs)
        self._become(QUESTION if dialogs else ASKED if asked else DEAF)

    def windows_changed(self) -> None:
        """Windows have come or gone."""
        if not self.is_open:
            return
        shown = self._display.shown()
        if shown - self._known:
            self._move(QUESTION)
        elif self.stands == QUESTION or (self.stands == SAVING and shown):
            self._move(ANSWERED)

    def go_on(self) -> None:
        """Conclude, as the time has come."""
        if self.stands == ASKED:
            self._move(DEAF)
        elif self.stands == ANSWERED:
            self._move(STAYS if self._display.shown() else SAVING)

    def call_off(self) -> None:
        """Nothing is to come of it any more."""
        self.stands = ""
        self.deadline = None

    def _move(self, stands: str) -> None:
        if stands != self.stands:
            self._become(stands)

    def _become(self, stands: str) -> None:
        self.stands = stands
        timed = stands in (ASKED, ANSWERED)
        self.deadline = time.monotonic() + self._close_seconds if timed else None
        self._tell(self._number, stands)

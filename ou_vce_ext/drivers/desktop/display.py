"""The display of a session: its number, the server that serves it, and its windows.

Standard library only.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from .display_number import clear
from .x11 import Windows

_LOOK_INTERVAL = 0.005
_HANG_UP_SECONDS = 1.0
"""How long a server may take to end once its connections are closed."""


class Display:
    """``server`` is the process that serves it, 0 while there is none."""

    def __init__(self, cookie: bytes) -> None:
        self.number = self.server = 0
        self.windows: Windows | None = None
        self._cookie = cookie

    def begin(self, number: int, server: int) -> None:
        """Be the display ``number``, for which process ``server`` has been started."""
        self.number, self.server = number, server

    def connect(self, reached: Callable[[], None]) -> bool:
        """Whether its server answers, now. ``reached`` is called as soon as it is known to be ours.

        A server listens long before it answers: whoever connects meanwhile is waited for.
        """
        try:
            self.windows = Windows(self.number, self._cookie, self.server, reached)
        except OSError:
            return False
        return True

    # -- its windows, as long as the server has not hung up --------------------------------------

    def listen(self) -> None:
        """Take in what the server told."""
        try:
            if self.windows:
                self.windows.listen()
        except OSError:
            self.forget()

    @property
    def news(self) -> bool:
        """Whether windows may have come or gone since they were last asked for."""
        return bool(self.windows and self.windows.news)

    def shown(self) -> frozenset[int]:
        """The windows there are."""
        try:
            return frozenset(self.windows.shown() if self.windows else ())
        except OSError:
            self.forget()
            return frozenset()

    def dialogs(self) -> frozenset[int]:
        """The windows that belong to others, such as a question."""
        try:
            return frozenset(self.windows.dialogs() if self.windows else ())
        except OSError:
            self.forget()
            return frozenset()

    def ask_to_close(self, spared: frozenset[int] = frozenset()) -> bool:
        """Ask each window to close that is not ``spared``; whether there was any."""
        try:
            return bool(self.windows and self.windows.ask_to_close(spared))
        except OSError:
            self.forget()
            return False

    def forget(self) -> None:
        """Hang up."""
        if self.windows:
            self.windows.close()
            self.windows = None

    # -- its end ---------------------------------------------------------------------------------

    def is_dying(self) -> bool:
        """Whether the server, which still seems to live, has hung up already."""
        if self.windows:
            self.shown()
        return self.windows is None and bool(self.server)

    def await_end(self) -> dict[int, int]:
        """The server with its wait status, if it ends now: its connections are closed before."""
        end = time.monotonic() + _HANG_UP_SECONDS
        while time.monotonic() < end:
            pid, status = os.waitpid(self.server, os.WNOHANG)
            if pid:
                return {pid: status}
            time.sleep(_LOOK_INTERVAL)
        return {}

    def ended(self) -> None:
        """Its server has ended: take away what it left behind."""
        clear(self.number, self.server)
        self.server = 0
        self.forget()

"""Jupyter's last moments. It can end in many ways, and only some of them tell extensions first."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

from .services.keepers import KeeperLauncher

PATIENCE = 60.0
"""Seconds Jupyter waits for its services to save before it ends. They go on saving after that, but
where Jupyter is a container's first process its end is theirs too."""


class ExitHooks:
    """Makes Jupyter wait for its keepers however it ends, as far as anybody can.

    SIGTERM and ``/api/shutdown`` reach ``stop_extension``; SIGINT without a terminal, and a signal
    handler replaced by somebody else, only run atexit functions; SIGHUP would run nothing, so it is
    given SIGTERM's meaning where nobody has asked for another.
    """

    def __init__(self, launcher: KeeperLauncher, stop_server: Callable[[], None]) -> None:
        self._launcher = launcher
        self._stop_server = stop_server
        self._pid = os.getpid()

    def install(self) -> None:
        """Call from the main thread."""
        atexit.register(self.wait_for_services)
        with suppress(ValueError, AttributeError):  # no SIGHUP, or not the main thread
            if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
                signal.signal(signal.SIGHUP, self._hung_up)

    def remove(self) -> None:
        """All has been stopped in good order."""
        atexit.unregister(self.wait_for_services)

    def _hung_up(self, number: int, frame: FrameType | None) -> None:
        self._stop_server()

    def wait_for_services(self) -> None:
        """Tell every keeper to stop its service and wait, bounded."""
        # A kernel or worker forked from Jupyter runs our atexit function too: not its business.
        if os.getpid() != self._pid or not self._launcher.busy:
            return
        _say("Saving and stopping the services (OpenRefine, databases) …")
        try:
            done = self._launcher.stop_blocking(PATIENCE)
        except KeyboardInterrupt:
            done = False
        _say("Done." if done else "They go on saving by themselves; nothing is lost.")


def _say(text: str) -> None:
    with suppress(OSError, ValueError):
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

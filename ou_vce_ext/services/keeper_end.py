"""Bringing a process tree to its end, gently first, step by step. Standard library only."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable

from . import proc

_BUSY_INTERVAL = 2.0
_BUSY_CPU = 0.1
_BUSY_LIMIT = 600.0
_KILL_INTERVAL = 0.1


def send(number: int, pids: Iterable[int]) -> None:
    """Signal each of ``pids`` that is there and may be signalled."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except OSError:
            pass


class Ender:
    """Takes the steps of a plan one after the other; when there are none left it kills.

    ``tree`` names the processes as they are now.
    """

    def __init__(self, tree: Callable[[], list[int]]) -> None:
        self.begun = False
        self._tree = tree
        self._steps: list[dict] = []  # type: ignore[type-arg]
        self._deadline: float | None = None
        self._step_began = 0.0
        self._busy_mark: tuple[float, int] | None = None

    def begin(self, steps: list[dict]) -> None:  # type: ignore[type-arg]
        """Begin, unless that has been done."""
        if not self.begun:
            self.begin_anew(steps)

    def begin_anew(self, steps: list[dict]) -> None:  # type: ignore[type-arg]
        """Begin with these steps, whatever was under way."""
        self.begun = True
        self._steps = list(steps)
        self._deadline = time.monotonic()

    def kill(self) -> None:
        """Leave out what is left of the steps."""
        self.begin_anew([])

    @property
    def patience(self) -> float | None:
        """Milliseconds until the next step; None where none is due."""
        if self._deadline is None:
            return None
        return max(0.0, (self._deadline - time.monotonic()) * 1000)

    def go_on(self, main: int | None) -> None:
        """Take the next step if it is due; ``main`` is the main process while it lives."""
        now = time.monotonic()
        if self._deadline is None or now < self._deadline:
            return
        if self._busy_mark and now - self._step_began < _BUSY_LIMIT and self._is_busy():
            self._deadline = now + _BUSY_INTERVAL
            return
        self._busy_mark = None
        if not self._steps:
            send(signal.SIGKILL, self._tree())
            self._deadline = now + _KILL_INTERVAL
            return
        step = self._steps.pop(0)
        whom = self._tree() if step["target"] == "tree" else [main] if main else []
        send(getattr(signal, step["signal"]), whom)
        # A stopped process would never see the signal. Nothing else minds being continued.
        send(signal.SIGCONT, self._tree())
        self._step_began = now
        self._deadline = now + step["wait"]
        if step["while_busy"]:
            self._busy_mark = self._activity()

    def _activity(self) -> tuple[float, int]:
        tree = self._tree()
        ticks = sum(found.cpu for found in map(proc.stat, tree) if found)
        return ticks / proc.TICKS, proc.bytes_written(tree)

    def _is_busy(self) -> bool:
        cpu, written = self._busy_mark or (0.0, 0)
        self._busy_mark = self._activity()
        # On a crowded machine a program that saves may get little time: that it wants it counts.
        if any(found.state in "RD" for found in map(proc.stat, self._tree()) if found):
            return True
        return self._busy_mark[0] - cpu > _BUSY_CPU or self._busy_mark[1] > written

"""Giving the event loop its turn while a thread of ours computes.

Python lets a thread that computes go on for 5 ms once another wants its turn, and the event loop
loses its turn with every system call: a dozen in a request, which so takes ten times as long beside
one thread that loads modules, and still longer where that thread waits for a processor meanwhile.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")

TURN: Final = 0.0005
"""Seconds that a thread goes on for once another wants its turn, while work that gives way runs."""


class _Turns:
    """How long turns are, in this process: short while any work runs that is to give way."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._working = 0
        self._usual = TURN

    def __enter__(self) -> None:
        with self._lock:
            if not self._working:
                self._usual = sys.getswitchinterval()
                sys.setswitchinterval(min(TURN, self._usual))
            self._working += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._working -= 1
            if not self._working:
                sys.setswitchinterval(self._usual)


_turns = _Turns()


def giving_way(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """``function``, to be run in a thread: while it runs, who wants a turn has it soon."""

    @functools.wraps(function)
    def work(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        with _turns:
            return function(*args, **kwargs)

    return work

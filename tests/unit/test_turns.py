"""While a thread of ours computes, the event loop has its turn soon; then all is as it was."""

from __future__ import annotations

import threading

import pytest

from ou_vce_ext.services import turns
from ou_vce_ext.services.turns import TURN, giving_way

USUAL = 0.005


class Python:
    """Only how long turns are; other work of this process may change the real ones any time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.interval = USUAL
        monkeypatch.setattr(turns, "sys", self)
        monkeypatch.setattr(turns, "_turns", turns._Turns())

    def getswitchinterval(self) -> float:
        return self.interval

    def setswitchinterval(self, seconds: float) -> None:
        self.interval = seconds


@pytest.fixture
def python(monkeypatch: pytest.MonkeyPatch) -> Python:
    return Python(monkeypatch)


def test_turns_are_short_while_any_work_gives_way(python: Python) -> None:
    inside = threading.Barrier(3)
    go_on = [threading.Event(), threading.Event()]

    def work(number: int) -> None:
        inside.wait(60)
        assert go_on[number].wait(60)

    workers = [threading.Thread(target=giving_way(work), args=(number,)) for number in (0, 1)]
    for worker in workers:
        worker.start()
    inside.wait(60)
    assert python.interval == TURN
    go_on[0].set()
    workers[0].join(60)
    assert python.interval == TURN, "another still works"
    go_on[1].set()
    workers[1].join(60)
    assert python.interval == USUAL


def test_turns_that_are_shorter_stay_so(python: Python) -> None:
    python.interval = TURN / 5
    assert giving_way(lambda: python.interval)() == TURN / 5
    assert python.interval == TURN / 5


def test_what_the_work_gives_or_raises_is_as_ever(python: Python) -> None:
    assert giving_way(divmod)(7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        giving_way(divmod)(7, 0)
    assert python.interval == USUAL

"""How a desktop's program is ended, step by step, and what is taken for its end."""

from __future__ import annotations

import os
import signal
from typing import cast

import pytest

from ou_vce_ext.drivers.desktop.display import Display
from ou_vce_ext.drivers.desktop.program import ANSWER_SECONDS, Program

PID = 4711


class FakeDisplay:
    """One with as many windows as a test says."""

    def __init__(self) -> None:
        self.windows = 1
        self.asked = 0

    def shown(self) -> frozenset[int]:
        return frozenset(range(self.windows))

    def ask_to_close(self) -> bool:
        self.asked += self.windows
        return self.windows > 0


class Rig:
    """A program that runs, and what was done to it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.display = FakeDisplay()
        self.signals: list[int] = []
        self.over = 0
        self.program = Program(
            cast("Display", self.display), self._over, close_seconds=6.5, term_seconds=3.5
        )
        self.program.pid = PID
        monkeypatch.setattr(os, "killpg", self._killed)

    def _over(self) -> None:
        self.over += 1

    def _killed(self, pid: int, number: int) -> None:
        assert pid == PID
        self.signals.append(number)


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Rig:
    return Rig(monkeypatch)


def test_windows_are_asked_then_the_program_then_the_kernel(rig: Rig) -> None:
    rig.program.end()
    assert (rig.display.asked, rig.signals) == (1, [])
    assert rig.program.deadline is not None
    rig.program.go_on()
    assert rig.signals == [signal.SIGTERM]
    rig.program.go_on()
    assert rig.signals == [signal.SIGTERM, signal.SIGKILL]
    # Its first process does not end even then: it is not waited for for ever.
    rig.program.go_on()
    rig.program.go_on()
    assert rig.over == 1


def test_who_asks_before_it_closes_is_given_time_for_the_answer_once(rig: Rig) -> None:
    rig.program.end()
    soon = rig.program.deadline
    rig.program.windows_changed()
    assert rig.program.deadline == soon
    rig.display.windows = 2
    rig.program.windows_changed()
    later = rig.program.deadline
    assert soon
    assert later
    assert later > soon + ANSWER_SECONDS / 2
    rig.display.windows = 3
    rig.program.windows_changed()
    assert rig.program.deadline == later
    rig.program.go_on()
    assert rig.signals == [signal.SIGTERM]


def test_where_there_is_no_window_to_ask_it_is_signalled_at_once(rig: Rig) -> None:
    rig.display.windows = 0
    rig.program.end()
    assert rig.signals == [signal.SIGTERM]


@pytest.mark.parametrize(("status", "asked"), [(256, False), (9, False), (0, True)])
def test_a_crash_and_what_was_asked_for_are_the_end(rig: Rig, status: int, asked: bool) -> None:
    rig.program.first_ended(status, asked=asked)
    assert rig.over == 1


def test_a_launcher_leaves_the_session_to_its_windows(rig: Rig) -> None:
    rig.program.first_ended(0, asked=False)
    assert rig.over == 0
    # While it may still be closing its own, nothing is concluded from one that goes.
    rig.program.no_window_left()
    assert rig.over == 0
    rig.program.go_on()
    assert (rig.over, rig.program.deadline) == (0, None)
    rig.display.windows = 0
    rig.program.no_window_left()
    assert rig.over == 1


def test_a_program_that_closed_its_window_as_it_ended_is_over(rig: Rig) -> None:
    rig.program.first_ended(0, asked=False)
    rig.display.windows = 0
    rig.program.go_on()
    assert rig.over == 1


def test_a_stop_while_only_windows_are_left_asks_them(rig: Rig) -> None:
    rig.program.first_ended(0, asked=False)
    rig.program.end()
    assert rig.display.asked == 1
    rig.display.windows = 0
    rig.program.no_window_left()
    assert rig.over == 1


def test_with_a_question_open_already_there_is_time_for_the_answer(rig: Rig) -> None:
    rig.program.end()
    soon = rig.program.deadline
    rig.program.end_when_answered()
    assert soon
    assert rig.program.deadline
    assert rig.program.deadline > soon + ANSWER_SECONDS / 2
    rig.display.windows = 3
    rig.program.windows_changed()
    rig.program.go_on()
    assert (rig.display.asked, rig.signals) == (1, [signal.SIGTERM])


def test_unasked_it_is_signalled_at_once(rig: Rig) -> None:
    rig.program.end_unasked()
    assert (rig.display.asked, rig.signals) == (0, [signal.SIGTERM])
    rig.program.go_on()
    assert rig.signals == [signal.SIGTERM, signal.SIGKILL]

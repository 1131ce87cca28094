"""What comes of a request to close, as its session sees it and as the driver follows it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import cast

import pytest

from ou_vce_ext.drivers.desktop import asking
from ou_vce_ext.drivers.desktop.asking import StillOpenError, ask_to_close
from ou_vce_ext.drivers.desktop.closing import Closing
from ou_vce_ext.drivers.desktop.display import Display
from ou_vce_ext.drivers.desktop.note import write_whole

from .fakes import FakeProcess, settle

MAIN, OTHER, QUESTION = 1, 2, 3


class FakeDisplay:
    """One with the windows that a test says."""

    def __init__(self) -> None:
        self.windows = {MAIN}
        self.questions: set[int] = set()
        self.asked: list[set[int]] = []

    def shown(self) -> frozenset[int]:
        return frozenset(self.windows)

    def dialogs(self) -> frozenset[int]:
        return frozenset(self.questions)

    def ask_to_close(self, spared: frozenset[int]) -> bool:
        self.asked.append(self.windows - spared)
        return bool(self.windows - spared)


class Rig:
    """A request to close, and what was told of it."""

    def __init__(self) -> None:
        self.display = FakeDisplay()
        self.told: list[tuple[int, str]] = []
        self.closing = Closing(
            cast("Display", self.display), lambda *told: self.told.append(told), close_seconds=5
        )

    def show(self, *windows: int) -> str:
        self.display.windows = set(windows)
        self.closing.windows_changed()
        return self.closing.stands


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_a_question_is_waited_for_and_its_answer_decides(rig: Rig) -> None:
    rig.closing.ask()
    assert (rig.display.asked, rig.told) == ([{MAIN}], [(1, "asked")])
    assert rig.closing.deadline
    assert rig.show(MAIN, QUESTION) == "question"
    assert rig.closing.deadline is None
    assert rig.show(MAIN) == "answered"
    rig.closing.go_on()
    assert (rig.closing.stands, rig.closing.is_open) == ("stays", False)
    # Whoever asks again gets it asked again.
    rig.closing.ask()
    assert rig.display.asked == [{MAIN}, {MAIN}]
    assert rig.told[-1] == (2, "asked")


def test_one_question_may_follow_another(rig: Rig) -> None:
    rig.closing.ask()
    rig.show(MAIN, QUESTION)
    rig.show(MAIN)
    assert rig.show(MAIN, 4) == "question"
    assert [stands for _, stands in rig.told] == ["asked", "question", "answered", "question"]


def test_a_question_that_is_open_is_not_closed_by_who_asks_again(rig: Rig) -> None:
    rig.closing.ask()
    rig.show(MAIN, QUESTION)
    rig.closing.ask()
    assert rig.display.asked == [{MAIN}]
    assert rig.told[-1] == (2, "question")


def test_a_dialog_that_was_open_before_is_a_question(rig: Rig) -> None:
    rig.display.windows, rig.display.questions = {MAIN, QUESTION}, {QUESTION}
    rig.closing.ask()
    assert (rig.display.asked, rig.told) == ([{MAIN}], [(1, "question")])
    assert rig.show(MAIN) == "answered"


def test_all_its_windows_gone_after_the_answer_it_is_at_work(rig: Rig) -> None:
    rig.closing.ask()
    rig.show(MAIN, QUESTION)
    rig.show()
    rig.closing.go_on()
    assert (rig.closing.stands, rig.closing.deadline) == ("saving", None)
    assert rig.show(MAIN) == "answered"
    assert rig.show(MAIN, QUESTION) == "question"


@pytest.mark.parametrize("windows", [{MAIN}, {MAIN, OTHER}])
def test_who_does_nothing_is_deaf(rig: Rig, windows: set[int]) -> None:
    rig.display.windows = windows
    rig.closing.ask()
    rig.show(MAIN)
    rig.closing.go_on()
    assert rig.closing.stands == "deaf"


def test_where_there_is_no_window_nobody_can_be_asked(rig: Rig) -> None:
    rig.display.windows = set()
    rig.closing.ask()
    assert rig.told == [(1, "deaf")]


def test_called_off_nothing_comes_of_it(rig: Rig) -> None:
    rig.closing.ask()
    rig.closing.call_off()
    assert rig.closing.deadline is None
    assert rig.show(MAIN, QUESTION) == ""


class Told:
    """A session's note, and what a person is told of it."""

    def __init__(self, folder: Path) -> None:
        self.note = folder / "note"
        self.asked = asyncio.Event()
        self.words: list[tuple[str, bool]] = []
        self.news = asyncio.Event()

    def stands(self, number: int, stands: str) -> None:
        facts = {"closing": {"ask": number, "stands": stands}}
        write_whole(str(self.note), json.dumps(facts).encode())

    def tell(self, words: str, waits: bool) -> None:
        self.words.append((words, waits))
        self.news.set()

    def follow(self, process: FakeProcess) -> asyncio.Task[None]:
        work = ask_to_close("Daisyworld", process, self.note, self.asked.set, self.tell)
        return asyncio.ensure_future(work)


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Told:
    monkeypatch.setattr(asking, "LOOK_SECONDS", 0.001)
    return Told(tmp_path)


async def test_a_person_is_told_of_the_question_until_it_ends(told: Told) -> None:
    told.stands(1, "stays")
    process = FakeProcess(7)
    following = told.follow(process)
    await told.asked.wait()
    # What was told before this request is about another one.
    await settle()
    assert not following.done()
    told.stands(2, "question")
    await told.news.wait()
    [(words, waits)] = told.words
    assert waits
    assert "Daisyworld has a question before it closes" in words
    process.die(3)
    await following


async def test_who_lets_it_stay_open_is_told_so(told: Told) -> None:
    following = told.follow(FakeProcess(7))
    await told.asked.wait()
    told.stands(1, "stays")
    with pytest.raises(StillOpenError) as kept:
        await following
    assert kept.value.code == "still-open"
    assert "nothing in it is lost" in kept.value.message


async def test_a_deaf_program_and_a_deaf_session_are_not_waited_for(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    following = told.follow(FakeProcess(7))
    await told.asked.wait()
    told.stands(1, "deaf")
    await following
    monkeypatch.setattr(asking, "HEAR_SECONDS", 0.0)
    await told.follow(FakeProcess(8))

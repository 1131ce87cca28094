"""A person's stop of what has a question: asked, waited for, called off, insisted upon."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from ou_vce_ext.errors import ConflictError, DefiniteError
from ou_vce_ext.models import OperationState
from ou_vce_ext.states import ServiceState

from .fakes import FakeDriver, settle
from .registry_house import House, spec


class Asking:
    """A driver's way of asking: it waits for a person until the test says what came of it."""

    def __init__(self, driver: FakeDriver, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun = 0
        self.unasked = 0
        self.answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        monkeypatch.setattr(driver, "ask_to_close", self.ask_to_close)
        monkeypatch.setattr(driver, "end_unasked", self.end_unasked)

    async def ask_to_close(self, process: object, tell: Callable[[str, bool], None]) -> None:
        self.begun += 1
        tell("Whether to save?", True)
        await self.answer

    def end_unasked(self, process: object) -> None:
        self.unasked += 1


async def asking_house(monkeypatch: pytest.MonkeyPatch) -> tuple[House, Asking]:
    house = House(spec("planet"))
    await house.registry.operations.wait(house.registry.start("planet").id)
    return house, Asking(house.drivers["planet"], monkeypatch)


@pytest.mark.parametrize("verb", ["stop", "restart"])
async def test_a_stop_waits_for_the_answer_and_can_be_called_off(
    verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, asking = await asking_house(monkeypatch)
    first = getattr(house.registry, verb)("planet")
    await settle()
    shown = house.registry.operations.get(first.id)
    assert (shown.message, shown.waiting_for) == ("Whether to save?", "answer")
    assert shown.progress is None
    assert getattr(house.registry, verb)("planet").id == first.id
    if verb == "stop":
        with pytest.raises(ConflictError, match="waits for an answer"):
            house.registry.start("planet")
    house.registry.operations.cancel(first.id)
    done = await house.registry.operations.wait(first.id)
    assert (done.state, done.waiting_for) == (OperationState.CANCELLED, None)
    assert house.registry.get("planet").state is ServiceState.READY
    assert house.launchers["planet"].processes[0].stops == 0
    assert asking.unasked == 0
    # Its own end is now what it would be at any other time.
    house.launchers["planet"].processes[0].die(1)
    await settle()
    assert house.registry.get("planet").restarts == 1
    await house.registry.aclose()


async def test_what_ends_when_it_is_asked_to_is_stopped_and_has_not_crashed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    house, asking = await asking_house(monkeypatch)
    stop = house.registry.stop("planet")
    await settle()
    house.launchers["planet"].processes[0].die(3)
    await settle()
    asking.answer.set_result(None)
    assert (await house.registry.operations.wait(stop.id)).state is OperationState.SUCCEEDED
    planet = house.registry.get("planet")
    assert (planet.state, planet.error, planet.restarts) == (ServiceState.STOPPED, None, 0)


async def test_a_restart_starts_again_what_ended_when_it_was_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    house, asking = await asking_house(monkeypatch)
    restart = house.registry.restart("planet")
    await settle()
    house.launchers["planet"].processes[0].die(0)
    asking.answer.set_result(None)
    assert (await house.registry.operations.wait(restart.id)).state is OperationState.SUCCEEDED
    assert house.registry.get("planet").state is ServiceState.READY
    assert len(house.launchers["planet"].processes) == 2
    # From now on a death is one.
    house.launchers["planet"].processes[1].die(1)
    await settle()
    assert house.registry.get("planet").restarts == 1
    await house.registry.aclose()


async def test_what_is_to_stay_open_fails_the_stop_and_runs_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    house, asking = await asking_house(monkeypatch)
    stop = house.registry.stop("planet")
    await settle()
    asking.answer.set_exception(DefiniteError("still-open", "It is open.", "Ask again."))
    done = await house.registry.operations.wait(stop.id)
    assert (done.state, done.waiting_for) == (OperationState.FAILED, None)
    assert done.error
    assert done.error.code == "still-open"
    planet = house.registry.get("planet")
    assert (planet.state, planet.error) == (ServiceState.READY, None)
    await house.registry.aclose()


async def test_who_insists_joins_the_stop_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    house, asking = await asking_house(monkeypatch)
    stop = house.registry.stop("planet")
    await settle()
    assert house.registry.stop("planet", force=True).id == stop.id
    assert (await house.registry.operations.wait(stop.id)).state is OperationState.SUCCEEDED
    assert (asking.begun, asking.unasked) == (1, 1)


async def test_who_insists_from_the_start_is_asked_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    house, asking = await asking_house(monkeypatch)
    restart = house.registry.restart("planet", force=True)
    assert (await house.registry.operations.wait(restart.id)).state is OperationState.SUCCEEDED
    assert (asking.begun, asking.unasked) == (0, 1)
    waiting = house.registry.restart("planet")
    await settle()
    # A stop ends a restart, one that waits too.
    stop = house.registry.stop("planet", force=True)
    assert (await house.registry.operations.wait(stop.id)).state is OperationState.SUCCEEDED
    assert house.registry.operations.get(waiting.id).state is OperationState.CANCELLED
    assert (asking.begun, asking.unasked) == (1, 2)


async def test_neither_the_server_s_end_nor_what_it_needs_waits_for_an_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    house = House(spec("db"), spec("planet", requires=("db",)))
    await house.registry.operations.wait(house.registry.start("planet").id)
    asking = Asking(house.drivers["planet"], monkeypatch)
    waiting = house.registry.stop("planet")
    await settle()
    stop = house.registry.stop("db")
    assert (await house.registry.operations.wait(stop.id)).state is OperationState.SUCCEEDED
    assert house.registry.operations.get(waiting.id).state is OperationState.CANCELLED
    assert house.stopped == ["planet", "db"]
    await house.registry.operations.wait(house.registry.start("planet").id)
    last = house.registry.stop("planet")
    await settle()
    await house.registry.aclose()
    assert house.registry.get("planet").state is ServiceState.STOPPED
    assert house.registry.operations.get(last.id).state is OperationState.CANCELLED
    assert asking.unasked == 0

"""What is done first at a start: seen as starting, done once, ended whole."""

from __future__ import annotations

import asyncio

import pytest

from ou_vce_ext.errors import VceError
from ou_vce_ext.models import OperationState
from ou_vce_ext.services.operations import Running
from ou_vce_ext.states import ServiceState

from .fakes import settle
from .registry_house import House, spec


class Before:
    """What is to be done at a start before anything is launched; it goes on until it is let go."""

    def __init__(self, house: House) -> None:
        self.go_on = asyncio.Event()
        self.clean = asyncio.Event()
        self.failure: VceError | None = None
        self.begun = 0
        self.cancelled = 0
        house.registry.team.before_start = self.do

    async def do(self, service: str, running: Running) -> None:
        self.begun += 1
        running.progress("Loading", 0.0)
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            # As where a program of its own has to end: a second cancel would cut that short.
            await self.clean.wait()
            raise
        if self.failure:
            raise self.failure


async def test_what_is_done_first_at_a_start_is_seen_as_starting_and_done_once() -> None:
    house = House(spec("db"))
    before, item = Before(house), house.registry.get("db")
    start = house.registry.start("db")
    await settle()
    seen = await house.registry.describe("db")
    assert (seen.state, seen.pid, seen.operation) == (ServiceState.STARTING, None, start.id)
    assert (seen.ready_seconds, seen.usage.memory_bytes) == (None, None)
    assert house.registry.start("db").id == start.id
    await house.clock.advance(60)
    # What usually is a matter of seconds says nothing of this.
    assert house.registry.operations.get(start.id).progress == 0.0
    assert house.launchers["db"].processes == []
    before.go_on.set()
    await house.registry.operations.wait(start.id)
    assert item.state is ServiceState.READY
    # It is not how long the next start will take.
    assert item.ready_seconds == pytest.approx(0, abs=1)
    house.launchers["db"].processes[0].die(1)
    await settle()
    assert item.state is ServiceState.READY
    assert before.begun == 1
    await house.registry.aclose()


async def test_why_it_could_not_be_done_is_why_the_start_failed() -> None:
    house = House(spec("db"))
    before, item = Before(house), house.registry.get("db")
    before.failure = VceError("config-invalid", "There is no such file.", "Name another.")
    before.go_on.set()
    done = await house.registry.operations.wait(house.registry.start("db").id)
    assert done.error
    assert done.error == item.error
    assert (item.state, done.error.message) == (ServiceState.FAILED, "There is no such file.")
    assert house.launchers["db"].processes == []
    before.failure = None
    await house.registry.operations.wait(house.registry.start("db").id)
    assert item.state is ServiceState.READY
    await house.registry.aclose()


@pytest.mark.parametrize("by", ["cancel", "stop", "a stop of what it needs", "the server's end"])
async def test_what_is_done_first_is_ended_whole_by_a_stop(by: str) -> None:
    house = House(spec("web", requires=("db",)), spec("db"))
    await house.registry.operations.wait(house.registry.start("db").id)
    before, item = Before(house), house.registry.get("web")
    start = house.registry.start("web")
    await settle()
    assert item.state is ServiceState.STARTING
    if by == "cancel":
        house.registry.operations.cancel(start.id)
    elif by == "stop":
        house.registry.stop("web")
    elif by == "a stop of what it needs":
        house.registry.stop("db")
    await settle()
    closing = asyncio.ensure_future(house.registry.aclose())
    await settle()
    assert item.state is ServiceState.STARTING, "it has not ended yet"
    assert not closing.done()
    before.clean.set()
    await closing
    assert before.cancelled == 1
    assert house.registry.operations.get(start.id).state is OperationState.CANCELLED
    assert (item.state, item.error) == (ServiceState.STOPPED, None)
    assert house.launchers["web"].processes == []

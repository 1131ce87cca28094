"""A person's stop that comes while a question to the service is being taken back."""

from __future__ import annotations

import asyncio

import pytest

from ou_vce_ext.services.operations import OperationCancelledError
from ou_vce_ext.services.readiness import LIVENESS_INTERVAL
from ou_vce_ext.states import ServiceState as S

from .fakes import World, settle


class Reluctant:
    """Something that is awaited, and takes its time to end when it is cancelled."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.may_end = asyncio.Event()

    async def __call__(self, _: object) -> bool:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            await self.may_end.wait()
            raise
        return True


async def stop_meanwhile(world: World, question: Reluctant) -> None:
    """Stop it after its process has died, before the question has ended."""
    await question.begun.wait()
    world.process.die(1)
    await question.cancelled.wait()
    stopping = asyncio.ensure_future(world.lifecycle.stop())
    await settle()
    question.may_end.set()
    async with asyncio.timeout(5):
        await stopping
    assert world.state is S.STOPPED
    assert S.BACKOFF not in world.history
    await world.clock.advance(120)
    assert world.state is S.STOPPED
    assert len(world.launcher.processes) == 1, "it was started again against a person's will"


@pytest.mark.parametrize("what", ["probe", "provision"])
async def test_while_it_starts(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    world, question = World(), Reluctant()
    monkeypatch.setattr(world.driver, what, question)
    starting = asyncio.ensure_future(world.lifecycle.start())
    await stop_meanwhile(world, question)
    with pytest.raises(OperationCancelledError):
        await starting


async def test_while_it_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    world, question = World(), Reluctant()
    await world.lifecycle.start()
    monkeypatch.setattr(world.driver, "probe", question)
    await world.clock.advance(LIVENESS_INTERVAL)
    await stop_meanwhile(world, question)


async def test_the_end_of_a_start_can_be_waited_for() -> None:
    world = World()
    world.driver.answers = False
    starting = asyncio.ensure_future(world.lifecycle.start())
    await settle()
    waiting = asyncio.ensure_future(world.lifecycle.settled())
    await world.clock.advance(1)
    assert not waiting.done()
    world.driver.answers = True
    await world.clock.advance(1)
    assert waiting.done()
    await starting
    await world.lifecycle.stop()

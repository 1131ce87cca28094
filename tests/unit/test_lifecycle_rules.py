"""Any order of clicks, deaths and hangs: the lifecycle never lies and never runs two copies."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.strategies import floats, integers, sampled_from

from ou_vce_ext.errors import DefiniteError
from ou_vce_ext.models import ServiceError
from ou_vce_ext.services.operations import OperationCancelledError, OperationFailedError
from ou_vce_ext.states import AT_REST, ServiceState

from .fakes import World, settle


class LifecycleMachine(RuleBasedStateMachine):
    """A student who clicks everything, on a machine on which everything breaks."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.world = self.run(self._world())
        self.starts: list[asyncio.Future[None]] = []

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    async def _world(self) -> World:
        return World()

    def teardown(self) -> None:
        self.run(self._end())
        self.loop.close()

    async def _end(self) -> None:
        for process in self.world.launcher.processes:
            process.let_go()
        await self.world.lifecycle.stop()
        results = await asyncio.gather(*self.starts, return_exceptions=True)
        for result in results:
            assert result is None or isinstance(
                result, OperationCancelledError | OperationFailedError
            )
        assert self.world.state in AT_REST
        assert not self.world.alive

    @rule()
    def start(self) -> None:
        async def begin() -> None:
            self.starts.append(asyncio.ensure_future(self.world.lifecycle.start()))
            await settle()

        self.run(begin())

    @rule(goes=sampled_from(["well", "wrong", "on"]))
    def start_with_something_first(self, goes: str) -> None:
        async def first() -> None:
            assert self.world.state is ServiceState.STARTING
            if goes == "wrong":
                raise DefiniteError("config-invalid", "No such file.", "Name another.")
            if goes == "on":
                await asyncio.Event().wait()

        async def begin() -> None:
            start = self.world.lifecycle.start(first=first)
            self.starts.append(asyncio.ensure_future(start))
            await settle()

        self.run(begin())

    @rule()
    def stop(self) -> None:
        async def end() -> None:
            for process in self.world.launcher.processes:
                process.let_go()
            await self.world.lifecycle.stop()

        self.run(end())
        assert self.world.state in {ServiceState.STOPPED, ServiceState.UNAVAILABLE}
        assert not self.world.alive

    @rule(code=integers(0, 3), lingers=sampled_from([True, False]))
    @precondition(lambda self: self.world.alive)
    def die(self, code: int, lingers: bool) -> None:
        async def death() -> None:
            process = self.world.alive[-1]
            process.lingers = lingers
            process.die(code)
            await settle()

        self.run(death())

    @rule()
    def orphans_go(self) -> None:
        async def go() -> None:
            for process in self.world.launcher.processes:
                if process._exited.done():
                    process.let_go()
            await settle()

        self.run(go())

    @rule(answers=sampled_from([True, False]))
    def answer(self, answers: bool) -> None:
        self.world.driver.answers = answers

    @rule(there=sampled_from([True, False]))
    def install(self, there: bool) -> None:
        error = ServiceError("program-missing", "Not installed.", "Install it.")
        self.world.driver.lacks = None if there else error

    @rule(broken=sampled_from([True, False]))
    def break_data(self, broken: bool) -> None:
        error = DefiniteError("data-corrupt", "Broken.", "Restore a backup.")
        self.world.driver.prepare_error = error if broken else None

    @rule(held=sampled_from([True, False]))
    def hold_house(self, held: bool) -> None:
        error = ServiceError("house-in-use", "Held.", "Close the other.")
        self.world.gate = error if held else None

    @rule(seconds=floats(0.01, 100))
    def wait(self, seconds: float) -> None:
        self.run(self.world.clock.advance(seconds))

    @rule()
    def look(self) -> None:
        self.run(self.world.lifecycle.look())

    @invariant()
    def one_copy_at_most(self) -> None:
        assert len(self.world.alive) <= 1

    @invariant()
    def what_is_shown_is_so(self) -> None:
        state, world = self.world.state, self.world
        if state in AT_REST:
            assert not world.alive
            assert world.lifecycle.pid is None
        if state in {ServiceState.FAILED, ServiceState.UNAVAILABLE, ServiceState.BACKOFF}:
            assert world.lifecycle.error is not None
            assert world.lifecycle.error.code != "internal"
        if state is ServiceState.READY:
            assert world.alive
            assert world.lifecycle.error is None
        assert (world.lifecycle.retry_at is not None) == (state is ServiceState.BACKOFF)


LifecycleMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestLifecycleRules = LifecycleMachine.TestCase

"""One service's life, with time and processes in the test's hands."""

from __future__ import annotations

import asyncio

import pytest

from ou_vce_ext.errors import DataInUseError, DefiniteError
from ou_vce_ext.models import ServiceError
from ou_vce_ext.services.operations import OperationCancelledError, OperationFailedError
from ou_vce_ext.states import ServiceState as S

from .fakes import World, settle


async def test_a_start_goes_through_starting_to_ready() -> None:
    world = World()
    await world.lifecycle.start()
    assert world.history == [S.STARTING, S.READY]
    assert world.driver.calls == ["prepare", "provision"]
    assert world.lifecycle.pid == world.process.pid
    assert world.lifecycle.ready_seconds is not None
    await world.lifecycle.stop()
    assert world.history[2:] == [S.STOPPING, S.STOPPED]
    assert world.lifecycle.pid is None
    assert not world.alive


async def test_ready_waits_for_the_probe() -> None:
    world = World()
    world.driver.answers = False
    starting = asyncio.ensure_future(world.lifecycle.start())
    await world.clock.advance(5)
    assert world.state is S.STARTING
    world.driver.answers = True
    await world.clock.advance(0.2)
    await starting
    assert world.state is S.READY
    assert world.lifecycle.ready_seconds == pytest.approx(5, abs=0.3)
    await world.lifecycle.stop()


async def test_a_start_that_takes_too_long_is_stopped_and_says_so() -> None:
    world = World()
    world.driver.answers = False
    starting = asyncio.ensure_future(world.lifecycle.start())
    await world.clock.advance(31)
    with pytest.raises(OperationFailedError) as failure:
        await starting
    assert failure.value.code == "start-timeout"
    assert world.state is S.FAILED
    assert not world.alive


async def test_a_death_is_followed_by_a_new_run_at_once() -> None:
    world = World()
    await world.lifecycle.start()
    world.process.die(signal="SIGKILL", exit_code=None)
    await settle()
    assert world.history[2:] == [S.BACKOFF, S.STARTING, S.READY]
    assert world.lifecycle.restarts == 1
    assert len(world.launcher.processes) == 2
    recovery = world.lifecycle.recovered_from
    assert recovery
    assert recovery.error.signal == "SIGKILL"
    assert "started again" not in recovery.error.hint
    await world.lifecycle.stop()
    # A person's own start begins anew.
    await world.lifecycle.start()
    assert world.lifecycle.recovered_from is None
    await world.lifecycle.stop()


async def test_no_new_run_while_an_orphan_of_the_old_one_lives() -> None:
    world = World()
    await world.lifecycle.start()
    old = world.process
    old.lingers = True
    old.die(1)
    await world.clock.advance(1)
    assert world.state is S.BACKOFF
    assert len(world.launcher.processes) == 1
    old.let_go()
    await settle()
    assert world.state is S.READY
    await world.lifecycle.stop()


async def test_five_deaths_in_a_minute_end_in_failed_with_the_reason() -> None:
    world = World()
    await world.lifecycle.start()
    for _ in range(5):
        world.process.die(7)
        await world.clock.advance(5)
    assert world.state is S.FAILED
    assert world.lifecycle.error
    assert world.lifecycle.error.exit_code == 7
    assert "exit code 7" in world.lifecycle.error.message
    assert len(world.launcher.processes) == 5


async def test_deaths_far_apart_never_end_in_failed() -> None:
    world = World()
    await world.lifecycle.start()
    for _ in range(12):
        await world.clock.advance(70)
        world.process.die(1)
        await settle()
        assert world.state is S.READY
    await world.lifecycle.stop()


async def test_a_definite_error_is_not_tried_again() -> None:
    world = World()
    world.driver.prepare_error = DefiniteError("data-wrong-owner", "Owned by root.", "Ask.")
    with pytest.raises(OperationFailedError) as failure:
        await world.lifecycle.start()
    assert failure.value.code == "data-wrong-owner"
    assert world.history == [S.STARTING, S.FAILED]
    assert world.launcher.processes == []
    world.driver.prepare_error = None
    await world.lifecycle.start()
    assert world.state is S.READY
    await world.lifecycle.stop()


async def test_a_stranger_on_the_port_stops_our_process_too() -> None:
    world = World()
    world.driver.probe_error = DefiniteError("port-in-use", "Taken.", "Free it.")
    with pytest.raises(OperationFailedError):
        await world.lifecycle.start()
    assert world.state is S.FAILED
    assert not world.alive


async def test_a_missing_program_makes_it_unavailable_until_it_is_there() -> None:
    world = World()
    world.driver.lacks = ServiceError("program-missing", "Not installed.", "Install it.")
    with pytest.raises(OperationFailedError) as failure:
        await world.lifecycle.start()
    assert failure.value.code == "program-missing"
    assert world.state is S.UNAVAILABLE
    with pytest.raises(OperationFailedError):
        await world.lifecycle.start()
    world.driver.lacks = None
    await world.lifecycle.start()
    assert world.history == [S.UNAVAILABLE, S.STOPPED, S.STARTING, S.READY]
    await world.lifecycle.stop()


async def test_a_look_shows_what_is_missing_and_what_came() -> None:
    world = World()
    world.driver.lacks = ServiceError("program-missing", "Not installed.", "Install it.")
    await world.lifecycle.look()
    assert world.state is S.UNAVAILABLE
    world.driver.lacks = None
    await world.lifecycle.look()
    assert world.history == [S.UNAVAILABLE, S.STOPPED]


async def test_a_closed_house_says_who_holds_it_and_opens_later() -> None:
    world = World()
    world.gate = ServiceError("house-in-use", "Another JupyterLab has it.", "Close that one.")
    await world.lifecycle.look()
    assert world.state is S.FAILED
    with pytest.raises(OperationFailedError) as failure:
        await world.lifecycle.start()
    assert failure.value.code == "house-in-use"
    world.gate = None
    await world.lifecycle.start()
    assert world.state is S.READY
    await world.lifecycle.stop()


@pytest.mark.parametrize("where", ["prepare", "launch", "probe"])
async def test_a_stop_ends_a_start_wherever_it_is(where: str) -> None:
    world = World()
    if where == "prepare":
        world.driver.prepare_gate = asyncio.Event()
    world.driver.answers = False
    starting = asyncio.ensure_future(world.lifecycle.start())
    if where == "launch":
        while not world.driver.calls:
            await asyncio.sleep(0)
    else:
        await settle()
    await world.lifecycle.stop()
    with pytest.raises(OperationCancelledError):
        await starting
    assert world.state is S.STOPPED
    assert not world.alive


async def test_a_death_while_it_is_being_set_up_is_never_shown_as_ready() -> None:
    world = World()
    world.driver.provision_gate = asyncio.Event()
    starting = asyncio.ensure_future(world.lifecycle.start())
    await settle()
    world.process.die(1)
    await settle()
    assert S.READY not in world.history
    world.driver.provision_gate.set()
    await world.clock.advance(1)
    await starting
    assert world.history == [S.STARTING, S.BACKOFF, S.STARTING, S.READY]
    await world.lifecycle.stop()


async def test_a_stop_wins_over_a_pending_restart() -> None:
    world = World()
    await world.lifecycle.start()
    for _ in range(3):
        world.process.die(1)
        await settle()
    assert world.state is S.BACKOFF
    assert world.lifecycle.retry_at is not None
    await world.lifecycle.stop()
    await world.clock.advance(120)
    assert world.state is S.STOPPED
    assert not world.alive


async def test_two_misses_make_it_unresponsive_and_an_answer_ready_again() -> None:
    world = World()
    await world.lifecycle.start()
    world.driver.answers = False
    began = world.clock.time
    while world.state is S.READY:
        await world.clock.advance(0.5)
    assert world.clock.time - began <= 15
    assert world.state is S.UNRESPONSIVE
    assert world.process.resumed >= 1
    assert world.process.alive, "nothing is killed for being slow"
    world.driver.answers = True
    await world.clock.advance(2)
    assert world.state is S.READY
    assert world.lifecycle.error is None
    await world.lifecycle.stop()


async def test_an_unresponsive_service_can_be_stopped() -> None:
    world = World()
    await world.lifecycle.start()
    world.driver.answers = False
    await world.clock.advance(15)
    assert world.state is S.UNRESPONSIVE
    await world.lifecycle.stop()
    assert world.state is S.STOPPED


async def test_it_waits_for_the_run_before_that_is_still_saving() -> None:
    world = World()
    world.launcher.refusals = [DataInUseError("Locked.", "", {}) for _ in range(10)]
    starting = asyncio.ensure_future(world.lifecycle.start())
    await world.clock.advance(3)
    await starting
    assert world.state is S.READY
    await world.lifecycle.stop()


async def test_data_held_on_another_machine_is_refused_naming_it() -> None:
    world = World()
    world.launcher.refusals = [DataInUseError("Locked.", "", {"host": "elsewhere"})]
    with pytest.raises(OperationFailedError) as failure:
        await world.lifecycle.start()
    assert failure.value.code == "data-in-use"
    assert "elsewhere" in failure.value.message


async def test_an_external_service_is_followed_and_never_touched() -> None:
    world = World(external=True)
    world.driver.answers = False
    world.lifecycle.follow()
    await settle()
    assert world.state is S.BACKOFF
    assert world.lifecycle.error
    assert world.lifecycle.error.code == "external-down"
    world.driver.answers = True
    await world.clock.advance(6)
    assert world.state is S.READY
    world.driver.answers = False
    await world.clock.advance(6)
    assert world.state is S.UNRESPONSIVE
    await world.lifecycle.stop()
    assert world.launcher.processes == []


async def test_many_starts_at_once_make_one_process() -> None:
    world = World()
    await asyncio.gather(*(world.lifecycle.start() for _ in range(100)))
    assert len(world.launcher.processes) == 1
    await world.lifecycle.stop()

"""Who may work on a service at a time: joining, refusing, cancelling."""

from __future__ import annotations

import asyncio

import pytest

from ou_vce_ext.errors import ConflictError, DefiniteError, UnknownError
from ou_vce_ext.models import Json, OperationState, ServiceError
from ou_vce_ext.services.operations import Running
from ou_vce_ext.states import ServiceState

from .fakes import settle
from .registry_house import House, spec


async def test_the_same_request_joins_the_running_operation() -> None:
    house = House(spec("db"))
    house.drivers["db"].prepare_gate = gate = asyncio.Event()
    first = house.registry.start("db")
    await settle()
    second = house.registry.start("db")
    assert second.id == first.id
    gate.set()
    done = await house.registry.operations.wait(first.id)
    assert done.state is OperationState.SUCCEEDED
    assert done.finished
    await house.registry.aclose()


async def test_asking_for_the_state_it_is_in_has_already_succeeded() -> None:
    house = House(spec("db"))
    assert house.registry.stop("db").state is OperationState.SUCCEEDED
    await house.registry.operations.wait(house.registry.start("db").id)
    again = house.registry.start("db")
    assert again.state is OperationState.SUCCEEDED
    assert "already" in again.message
    assert len(house.launchers["db"].processes) == 1
    await house.registry.aclose()


async def test_a_stop_cancels_a_start() -> None:
    house = House(spec("db"))
    house.drivers["db"].answers = False
    start = house.registry.start("db")
    await settle()
    stop = house.registry.stop("db")
    assert (await house.registry.operations.wait(stop.id)).state is OperationState.SUCCEEDED
    assert house.registry.operations.get(start.id).state is OperationState.CANCELLED
    assert house.registry.get("db").state is ServiceState.STOPPED


async def test_a_start_during_a_stop_is_refused_naming_it() -> None:
    house = House(spec("db"))
    await house.registry.operations.wait(house.registry.start("db").id)
    house.launchers["db"].processes[0].lingers = True
    stop = house.registry.stop("db")
    await settle()
    with pytest.raises(ConflictError) as refusal:
        house.registry.start("db")
    assert "is stopping just now" in refusal.value.message
    house.launchers["db"].processes[0].let_go()
    await house.registry.operations.wait(stop.id)


async def test_other_work_is_only_ended_by_a_stop_that_says_so() -> None:
    house = House(spec("db"))
    never = asyncio.Event()

    async def back_up(running: Running) -> Json:
        await never.wait()
        return None

    backup = house.registry.operations.run("backup", "db", "Backing up", back_up)
    with pytest.raises(ConflictError) as refusal:
        house.registry.stop("db")
    assert "A backup of Db" in refusal.value.message
    stop = house.registry.stop("db", cancel=True)
    await house.registry.operations.wait(stop.id)
    assert house.registry.operations.get(backup.id).state is OperationState.CANCELLED


async def test_a_failed_start_tells_the_services_error() -> None:
    house = House(spec("db"))
    house.drivers["db"].prepare_error = DefiniteError("disk-full", "No space.", "Free some.")
    done = await house.registry.operations.wait(house.registry.start("db").id)
    assert done.state is OperationState.FAILED
    assert done.error
    assert (done.error.code, done.message) == ("disk-full", "No space.")
    [problem] = house.registry.problems()
    assert (problem.service, problem.code) == ("db", "disk-full")


async def test_what_a_person_should_know_of_a_service_that_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    house = House(spec("db"))
    told = ServiceError("reachable-by-others", "Others can reach it.", "Install something.")
    monkeypatch.setattr(house.drivers["db"], "notice", lambda: told)
    assert house.registry.problems() == []
    await house.registry.operations.wait(house.registry.start("db").id)
    [problem] = house.registry.problems()
    assert (problem.service, problem.code) == ("db", "reachable-by-others")
    await house.registry.operations.wait(house.registry.stop("db").id)
    assert house.registry.problems() == []


async def test_what_a_power_cut_may_have_cost_is_told_until_the_next_start() -> None:
    house = House(spec("db"))
    house.launchers["db"].unseen_end = True
    await house.registry.operations.wait(house.registry.start("db").id)
    [problem] = house.registry.problems()
    assert (problem.service, problem.code) == ("db", "cut-off")
    assert "lost" in problem.message
    house.launchers["db"].unseen_end = False
    await house.registry.operations.wait(house.registry.restart("db").id)
    assert house.registry.problems() == []
    await house.registry.aclose()


async def test_a_cancelled_start_leaves_the_service_stopped() -> None:
    house = House(spec("db"))
    house.drivers["db"].answers = False
    start = house.registry.start("db")
    await settle()
    house.registry.operations.cancel(start.id)
    done = await house.registry.operations.wait(start.id)
    assert done.state is OperationState.CANCELLED
    assert house.registry.get("db").state is ServiceState.STOPPED
    assert not any(process.alive for process in house.launchers["db"].processes)


async def test_a_stop_cannot_be_cancelled() -> None:
    house = House(spec("db"))
    await house.registry.operations.wait(house.registry.start("db").id)
    house.launchers["db"].processes[0].lingers = True
    stop = house.registry.stop("db")
    await settle()
    with pytest.raises(ConflictError) as refusal:
        house.registry.operations.cancel(stop.id)
    assert refusal.value.code == "not-cancellable"
    house.launchers["db"].processes[0].let_go()
    await house.registry.operations.wait(stop.id)


async def test_what_a_service_requires_is_started_first() -> None:
    house = House(spec("web", requires=("db",)), spec("db"))
    await house.registry.operations.wait(house.registry.start("web").id)
    assert house.registry.get("db").state is ServiceState.READY
    assert house.registry.get("web").state is ServiceState.READY
    house.stopped.clear()
    await house.registry.aclose()
    assert house.stopped == ["web", "db"]


async def test_a_requirement_that_fails_is_explained_on_the_one_that_waits() -> None:
    house = House(spec("web", requires=("db",)), spec("db"))
    house.drivers["db"].prepare_error = DefiniteError("disk-full", "No space.", "Free some.")
    done = await house.registry.operations.wait(house.registry.start("web").id)
    assert done.error
    assert done.error.code == "dependency-failed"
    assert "Db" in done.error.message
    assert "No space." in done.error.message
    waiting = house.registry.get("web")
    assert waiting.state is ServiceState.FAILED
    assert waiting.error == done.error
    house.drivers["db"].prepare_error = None
    await house.registry.operations.wait(house.registry.start("web").id)
    assert waiting.state is ServiceState.READY
    await house.registry.aclose()


async def test_what_needs_a_service_is_stopped_before_it() -> None:
    house = House(spec("page", requires=("web",)), spec("web", requires=("db",)), spec("db"))
    await house.registry.operations.wait(house.registry.start("page").id)
    await house.registry.operations.wait(house.registry.stop("db").id)
    assert house.stopped == ["page", "web", "db"]


async def test_a_restart_brings_back_what_needed_the_service_and_ran() -> None:
    house = House(spec("idle", requires=("db",)), spec("web", requires=("db",)), spec("db"))
    await house.registry.operations.wait(house.registry.start("web").id)
    first = house.registry.get("web").process
    await house.registry.operations.wait(house.registry.restart("db").id)
    back = house.registry.operations.running("web")
    assert back
    await house.registry.operations.wait(back.id)
    assert house.registry.get("web").state is ServiceState.READY
    assert house.registry.get("web").process is not first
    assert house.registry.get("idle").state is ServiceState.STOPPED
    await house.registry.aclose()


async def test_work_on_what_needs_a_service_is_not_cut_short_by_its_stop() -> None:
    house = House(spec("web", requires=("db",)), spec("db"))
    await house.registry.operations.wait(house.registry.start("web").id)
    forever = asyncio.Event()

    async def back_up(running: Running) -> Json:
        await forever.wait()
        return None

    backup = house.registry.operations.run("backup", "web", "Backing up", back_up)
    for ask in (house.registry.stop, house.registry.restart):
        with pytest.raises(ConflictError, match="A backup of Web is under way"):
            ask("db")
    stop = house.registry.stop("db", cancel=True)
    assert (await house.registry.operations.wait(stop.id)).state is OperationState.SUCCEEDED
    assert house.registry.operations.get(backup.id).state is OperationState.CANCELLED
    assert house.stopped == ["web", "db"]


async def test_a_requirement_being_stopped_is_not_started_behind_its_back() -> None:
    house = House(spec("web", requires=("db",)), spec("db"))
    await house.registry.operations.wait(house.registry.start("db").id)
    house.launchers["db"].processes[0].lingers = True
    stop = house.registry.stop("db")
    await settle()
    done = await house.registry.operations.wait(house.registry.start("web").id)
    assert done.error
    assert "Db is stopping just now" in done.error.message
    house.launchers["db"].processes[0].let_go()
    await house.registry.operations.wait(stop.id)


async def test_the_server_opens_what_is_to_start_with_it() -> None:
    house = House(spec("db", autostart=True), spec("app"), spec("gone", autostart=True))
    house.drivers["gone"].lacks = ServiceError("program-missing", "Not there.", "Install it.")
    await house.registry.open()
    await settle()
    states = {name: house.registry.get(name).state for name in house.registry.names()}
    assert states == {
        "db": ServiceState.READY,
        "app": ServiceState.STOPPED,
        "gone": ServiceState.UNAVAILABLE,
    }
    await house.registry.aclose()


async def test_an_external_service_has_no_start_or_stop() -> None:
    house = House(spec("db", external=True))
    for ask in (house.registry.start, house.registry.stop, house.registry.restart):
        with pytest.raises(ConflictError) as refusal:
            ask("db")
        assert refusal.value.code == "capability-missing"
    described = await house.registry.describe("db")
    assert not described.capabilities & {"start", "stop", "reset"}


async def test_an_unknown_service_is_said_to_be_unknown() -> None:
    house = House(spec("db"))
    with pytest.raises(UnknownError):
        house.registry.start("nothing")
    with pytest.raises(UnknownError):
        house.registry.operations.get("nothing")


async def test_an_estimate_never_claims_to_be_done() -> None:
    house = House(spec("db"))
    house.drivers["db"].start_seconds = 4.0  # type: ignore[misc]
    house.drivers["db"].answers = False
    start = house.registry.start("db")
    await house.clock.advance(2)
    assert house.registry.operations.get(start.id).progress == pytest.approx(0.5, abs=0.05)
    await house.clock.advance(10)
    assert house.registry.operations.get(start.id).progress == 0.95
    await house.registry.aclose()


async def test_the_list_of_finished_operations_is_bounded() -> None:
    house = House(spec("db"))
    for _ in range(150):
        house.registry.stop("db")
    assert len(house.registry.operations.list()) == 100


async def test_a_service_that_needs_longer_than_it_is_given_says_so() -> None:
    house = House(spec("db"), spec("idle"))
    await house.registry.operations.wait(house.registry.start("db").id)
    house.registry.get("db").stop_seconds = 12.0
    house.registry.get("idle").stop_seconds = 12.0
    assert house.registry.short_of_time(30.0) == []
    (told,) = house.registry.short_of_time(10.0)
    assert (told.service, told.code) == ("db", "grace-too-short")
    assert "10 s" in told.message
    assert "12 s" in told.message
    await house.registry.aclose()

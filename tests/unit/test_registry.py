"""Who may work on a service at a time: joining, refusing, cancelling."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from ou_vce_ext.errors import ConflictError, DefiniteError, UnknownError, VceError
from ou_vce_ext.models import Json, OperationState, ServiceError, ServiceSpec, Site
from ou_vce_ext.services.backoff import RestartPolicy
from ou_vce_ext.services.lifecycle import Lifecycle
from ou_vce_ext.services.operations import Running
from ou_vce_ext.services.registry import Registry
from ou_vce_ext.states import ServiceState

from .fakes import FakeClock, FakeDriver, FakeLauncher, settle


class House:
    """Some services, each with a launcher of its own, behind one registry."""

    def __init__(self, *specs: ServiceSpec) -> None:
        self.clock = FakeClock()
        self.launchers = {spec.name: FakeLauncher() for spec in specs}
        self.drivers: dict[str, FakeDriver] = {}
        self.stopped: list[str] = []
        self.registry = Registry(
            [self._lifecycle(spec) for spec in specs],
            base_url="/base/",
            clock=self.clock,
            log=logging.getLogger("test"),
        )

    def _lifecycle(self, spec: ServiceSpec) -> Lifecycle:
        folder = Path("/nonexistent")
        site = Site(spec.name, folder, folder, folder, folder, folder / "log", "/base/")
        launcher = self.launchers[spec.name]
        driver = self.drivers[spec.name] = FakeDriver(spec, site, launcher)

        def moved(item: Lifecycle, old: ServiceState, new: ServiceState) -> None:
            if new is ServiceState.STOPPED:
                self.stopped.append(item.spec.name)

        return Lifecycle(
            driver,
            launcher,
            clock=self.clock,
            policy=RestartPolicy(self.clock),
            log=logging.getLogger("test"),
            moved=moved,
            lock_note={},
        )


def spec(name: str, **more: object) -> ServiceSpec:
    return ServiceSpec(name=name, kind="fake", title=name.title(), **more)  # type: ignore[arg-type]


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

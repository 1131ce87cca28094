"""A clock, a process, a launcher and a driver that do as they are told, and remember."""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ou_vce_ext.drivers.base import Driver, Progress
from ou_vce_ext.errors import VceError
from ou_vce_ext.launch import Ending, LaunchPlan, Listener, NetworkTrial
from ou_vce_ext.models import Capability, ServiceError, ServiceSpec, Site, Usage
from ou_vce_ext.services.backoff import RestartPolicy
from ou_vce_ext.services.lifecycle import Lifecycle
from ou_vce_ext.states import ServiceState


async def settle() -> None:
    """Let every task that can go on do so."""
    for _ in range(60):
        await asyncio.sleep(0)


class FakeClock:
    """Time that passes only when a test says so."""

    def __init__(self) -> None:
        self.time = 1000.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def monotonic(self) -> float:
        return self.time

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.time)

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self.time + seconds, self._count, future))
        await future

    async def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass, waking whoever sleeps in the order of their alarms."""
        end = self.time + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            at, _, future = heapq.heappop(self._sleepers)
            self.time = max(self.time, at)
            if not future.done():
                future.set_result(None)
            await settle()
        self.time = end
        await settle()


class FakeProcess:
    """A process that dies, lingers or stops as told."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._exited: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._down = asyncio.Event()
        self.stops = 0
        self.resumed = 0
        self.lingers = False
        self.unseen_end = False

    def die(self, exit_code: int | None = 1, signal: str | None = None) -> None:
        if not self._exited.done():
            self._exited.set_result(Ending(exit_code, signal, asked=self.stops > 0))
        if not self.lingers:
            self._down.set()

    def let_go(self) -> None:
        """The last of its orphans is gone."""
        self._down.set()

    @property
    def alive(self) -> bool:
        return not self._down.is_set()

    async def exited(self) -> Ending:
        return await asyncio.shield(self._exited)

    async def down(self) -> Ending:
        await self._down.wait()
        return await self.exited()

    async def stop(self) -> Ending:
        self.stops += 1
        self.die(0)
        return await self.down()

    async def listener(self, *, port: int | None = None, socket: str | None = None) -> Listener:
        return Listener("ours", self.pid)

    async def resume(self) -> bool:
        self.resumed += 1
        return True

    async def usage(self) -> Usage:
        return Usage(1_000_000, 1.5, 3)


class FakeLauncher:
    """Launches fake processes; ``refusals`` are raised first, one a launch."""

    def __init__(self) -> None:
        self.processes: list[FakeProcess] = []
        self.refusals: list[VceError] = []
        self.plans: list[LaunchPlan] = []
        self.unseen_end = False

    async def launch(self, plan: LaunchPlan) -> FakeProcess:
        await asyncio.sleep(0)
        if self.refusals:
            raise self.refusals.pop(0)
        assert not any(process.alive for process in self.processes), "two copies on one folder"
        self.plans.append(plan)
        process = FakeProcess(100 + len(self.processes))
        process.unseen_end = self.unseen_end
        self.processes.append(process)
        return process

    async def can_use_namespace(self) -> bool:
        return False

    async def can_make_network(self, way_out: tuple[str, ...] = ()) -> NetworkTrial:
        return "no-namespace"


class FakeDriver(Driver):
    """Answers its probe when ``answers`` says so."""

    kind = "fake"
    capabilities = frozenset({Capability.START, Capability.STOP, Capability.LOGS})
    default_ready_timeout = 30.0

    def __init__(self, spec: ServiceSpec, site: Site, launcher: FakeLauncher) -> None:
        super().__init__(spec, site, launcher)
        self.answers = True
        self.lacks: ServiceError | None = None
        self.prepare_error: VceError | None = None
        self.probe_error: VceError | None = None
        self.prepare_gate: asyncio.Event | None = None
        self.provision_gate: asyncio.Event | None = None
        self.calls: list[str] = []

    async def missing(self) -> ServiceError | None:
        return self.lacks

    async def prepare(self, progress: Progress) -> None:
        self.calls.append("prepare")
        if self.prepare_gate:
            await self.prepare_gate.wait()
        if self.prepare_error:
            raise self.prepare_error

    async def plan(self) -> LaunchPlan:
        return LaunchPlan(("true",), {}, "/", Path("/nonexistent/log"))

    async def probe(self, process: object) -> bool:
        if self.probe_error:
            raise self.probe_error
        return self.answers

    async def provision(self, progress: Progress) -> None:
        self.calls.append("provision")
        if self.provision_gate:
            await self.provision_gate.wait()

    async def close(self) -> None:
        self.calls.append("close")


class World:
    """One service with all its surroundings, and the history of its moves."""

    def __init__(self, **spec: object) -> None:
        self.clock = FakeClock()
        self.launcher = FakeLauncher()
        declared = ServiceSpec(name="thing", kind="fake", title="Thing", **spec)  # type: ignore[arg-type]
        folder = Path("/nonexistent")
        site = Site("thing", folder, folder, folder, folder, folder / "log", "/")
        self.driver = FakeDriver(declared, site, self.launcher)
        self.history: list[ServiceState] = []
        self.gate: ServiceError | None = None
        self.lifecycle = Lifecycle(
            self.driver,
            self.launcher,
            clock=self.clock,
            policy=RestartPolicy(self.clock),
            log=logging.getLogger("test"),
            moved=self._moved,
            lock_note={"jupyter": 1},
            gate=lambda: self.gate,
        )

    def _moved(self, item: Lifecycle, old: ServiceState, new: ServiceState) -> None:
        self.history.append(new)

    @property
    def state(self) -> ServiceState:
        return self.lifecycle.state

    @property
    def process(self) -> FakeProcess:
        return self.launcher.processes[-1]

    @property
    def alive(self) -> Sequence[FakeProcess]:
        return [process for process in self.launcher.processes if process.alive]

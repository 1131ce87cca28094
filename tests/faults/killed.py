"""Fault 1: kill -9 of a service's main process, whatever it is doing."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from ou_vce_ext.states import ServiceState
from tests.integration.watching import gone

from .app_commands import app
from .bench import Bench, Kind
from .fault import Attempt, Fault, Figures, Measure
from .promises import expect
from .supervised import Supervised

WHEN = ("starting", "ready", "stopping")
KINDS: tuple[Kind, ...] = (
    *("web", "postgres", "web", "web", "mongo", "web", "web", "postgres"),
    *("web", "web", "openrefine", "web", "web"),
)
# How long each kind takes to start and to stop, about: the span of random moments.
SPANS = {"web": (0.3, 0.3), "postgres": (0.4, 0.1), "mongo": (1.0, 0.5), "openrefine": (2.5, 3.5)}


class MainProcessKilled(Fault):
    """Seen at once; started again, unless it was to stop; the old run is gone before the new."""

    number = 1
    title = "kill -9 the main process while starting, ready, stopping"
    measures = (Measure("seen after", 0.5), Measure("ready again after (quick app)"))

    async def set_up(self, bench: Bench) -> None:
        self._made: dict[Kind, Supervised] = {}

    def _service(self, attempt: Attempt, kind: Kind) -> Supervised:
        """Databases and projects are made once, and killed many times."""
        if kind == "web":
            return attempt.service("web", command=app("slow_both_ways", 0.2, 0.4))
        if kind not in self._made:
            self._made[kind] = self.share(attempt.bench, kind)
        return self._made[kind]

    async def try_once(self, attempt: Attempt) -> Figures:
        kind = KINDS[attempt.number % len(KINDS)]
        when = WHEN[attempt.number % 3]
        service = self._service(attempt, kind)
        start_span, stop_span = SPANS[kind]
        if when == "starting":
            if not service.moves:
                # Not while its first data are made: that is no main process yet.
                await service.start()
                await service.stop()
            return await self._while_starting(attempt, service, start_span)
        await service.start()
        if when == "stopping":
            return await self._while_stopping(attempt, service, stop_span)
        await asyncio.sleep(attempt.rng.uniform(0, 0.3))
        figures = await self._killed(service)
        await service.stop()
        return figures

    async def _while_starting(self, attempt: Attempt, service: Supervised, span: float) -> Figures:
        starting = service.registry.start(service.name)
        while service.lifecycle.process is None:
            await asyncio.sleep(0.001)
        await asyncio.sleep(attempt.rng.uniform(0, span))
        figures = await self._killed(service)
        ended = await service.done(starting)
        expect(ended.error is None, f"the start ended as {ended.state}: {ended.message}")
        await service.stop()
        return figures

    async def _killed(self, service: Supervised) -> Figures:
        """Kill it, and see what a person would: that it died, and then that it is back."""
        assert service.lifecycle.process is not None
        tree, before = service.tree(), len(service.moves)
        restarts = service.lifecycle.restarts
        killed = service.kill(service.lifecycle.process.pid)
        died = await service.moved_to(ServiceState.BACKOFF, since=before)
        expect(
            died.error is not None and died.error.signal == "SIGKILL",
            f"killed by SIGKILL, and the reason told is {died.error}",
        )
        back = await service.moved_to(ServiceState.READY, since=before)
        left = [pid for pid in tree if not gone(pid)]
        expect(not left, f"ready again, and of the run before {left} still live")
        expect(
            service.lifecycle.restarts == restarts + 1,
            f"one death counted as {service.lifecycle.restarts - restarts} restarts",
        )
        figures = {"seen after": died.at - killed}
        if service.lifecycle.spec.kind == "web":
            figures["ready again after (quick app)"] = back.at - killed
        return figures

    async def _while_stopping(self, attempt: Attempt, service: Supervised, span: float) -> Figures:
        assert service.lifecycle.process is not None
        main, tree, before = service.lifecycle.process.pid, service.tree(), len(service.moves)
        stopping = service.registry.stop(service.name)
        await service.moved_to(ServiceState.STOPPING, since=before)
        await asyncio.sleep(attempt.rng.uniform(0, span))
        killed = time.monotonic()
        with suppress(ProcessLookupError):
            service.kill(main)
        stopped = await service.moved_to(ServiceState.STOPPED, since=before)
        ended = await service.done(stopping)
        expect(ended.error is None, f"the stop ended as {ended.state}: {ended.message}")
        left = [pid for pid in tree if not gone(pid)]
        expect(not left, f"shown as stopped, and {left} still live")
        expect(
            [move.new for move in service.moves[before:]]
            == [ServiceState.STOPPING, ServiceState.STOPPED],
            f"killed while stopping, it did more than stop: {service.told()}",
        )
        return {"seen after": max(0.0, stopped.at - killed)}

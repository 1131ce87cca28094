"""Fault 11: everybody wants something at once."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

from ou_vce_ext.errors import ConflictError
from ou_vce_ext.models import Operation
from ou_vce_ext.states import ServiceState

from .app_commands import app
from .fault import Attempt, Fault, Figures, Measure
from .leftovers import marked
from .promises import expect
from .supervised import Supervised

STARTS = 100
OPERATIONS = 20
IDLE = "no operation is left over after the last one"


class Crowd(Fault):
    """100 starts at once are one; whatever is asked for then in any order, there is one process."""

    number = 11
    title = "100 concurrent starts; then 20 random starts, stops, restarts and kills (1,000 in all)"
    at_once = 4
    limit = 90.0
    measures = (Measure("100 starts are done after"), Measure(IDLE))

    async def try_once(self, attempt: Attempt) -> Figures:
        exclusive = attempt.folder / "exclusive"
        service = attempt.service(
            "web", command=app("exclusive", exclusive, attempt.rng.choice((0, 0.05, 0.2)))
        )
        loop = asyncio.get_running_loop()
        began = loop.time()
        asked = [service.registry.start(service.name) for _ in range(STARTS)]
        expect(len({operation.id for operation in asked}) == 1, "starts did not join one another")
        await service.start()
        started = loop.time() - began
        self._one_process(attempt)
        waiting: list[Operation] = []
        for _ in range(OPERATIONS):
            self._anything(attempt, service, waiting)
            await asyncio.sleep(attempt.rng.choice((0, 0, attempt.rng.uniform(0, 0.3))))
        began = loop.time()
        for operation in waiting:
            await service.done(operation)
        idle = loop.time() - began
        expect(service.registry.operations.running(service.name) is None, "one is still running")
        # Wherever this has led, it can be stopped and started.
        await service.stop()
        expect(not list(marked(attempt.mark, attempt.folder)), "stopped, and something runs")
        await service.start()
        self._one_process(attempt)
        expect(not Path(f"{exclusive}.twice").exists(), "two ran on the same data at a time")
        service.check_moves()
        return {"100 starts are done after": started, IDLE: idle}

    def _one_process(self, attempt: Attempt) -> None:
        running = list(marked(attempt.mark, attempt.folder))
        expect(len(running) == 1, f"{len(running)} processes run: {running}")

    def _anything(self, attempt: Attempt, service: Supervised, waiting: list[Operation]) -> None:
        registry = service.registry
        what = attempt.rng.choice(("start", "stop", "restart", "kill"))
        if what == "kill":
            process = service.lifecycle.process
            if process is not None and service.state is not ServiceState.BACKOFF:
                with suppress(ProcessLookupError):
                    service.kill(process.pid)
            return
        # That another is in the way is a fair answer.
        with suppress(ConflictError):
            waiting.append(getattr(registry, what)(service.name))

"""Fault 11: everybody wants something at once."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

from ou_vce_ext.backups.manager import Backups
from ou_vce_ext.backups.reader import Archive
from ou_vce_ext.backups.scratch import MARK
from ou_vce_ext.backups.watch import Watch
from ou_vce_ext.backups.writer import PARTIAL
from ou_vce_ext.errors import ConflictError
from ou_vce_ext.models import Operation, OperationState
from ou_vce_ext.services.clock import SystemClock
from ou_vce_ext.states import ServiceState

from .app_commands import app
from .fault import Attempt, Fault, Figures, Measure
from .leftovers import marked
from .promises import expect
from .supervised import Supervised

STARTS = 100
OPERATIONS = 20
WORK = "a week of it"
IDLE = "no operation is left over after the last one"


class Crowd(Fault):
    """100 starts at once are one; whatever is asked for then in any order, there is one process."""

    number = 11
    title = (
        "100 concurrent starts; then 20 random starts, stops, restarts, kills, backups and resets "
        "(1,000 in all)"
    )
    at_once = 4
    limit = 90.0
    measures = (Measure("100 starts are done after"), Measure(IDLE))

    async def try_once(self, attempt: Attempt) -> Figures:
        exclusive = attempt.folder / "exclusive"
        service = attempt.service(
            "web",
            command=app("exclusive", exclusive, attempt.rng.choice((0, 0.05, 0.2))),
            # That of every service of a bench, declared: only so it is backed up.
            data_dir="data/web",
        )
        data = service.driver.data_dir
        data.mkdir(parents=True)
        (data / "work").write_text(WORK)
        backups = Backups(
            service.registry,
            root_dir=service.driver.site.root_dir,
            clock=SystemClock(),
            log=attempt.bench.log,
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
            await self._anything(attempt, service, backups, waiting)
            await asyncio.sleep(attempt.rng.choice((0, 0, attempt.rng.uniform(0, 0.3))))
        began = loop.time()
        for operation in waiting:
            over = await service.done(operation)
            failed = over.error if over.state is OperationState.FAILED else None
            if over.kind in ("backup", "reset") and failed:
                # It was killed or stopped so often that it is not to be started again.
                expect(service.state is not ServiceState.READY, f"{over.kind} failed: {failed}")
        idle = loop.time() - began
        await backups.aclose()
        await self._data_are_whole(service, backups)
        expect(service.registry.operations.running(service.name) is None, "one is still running")
        # Wherever this has led, it can be stopped and started.
        await service.stop()
        expect(not list(marked(attempt.mark, attempt.folder)), "stopped, and something runs")
        await service.start()
        self._one_process(attempt)
        expect(not Path(f"{exclusive}.twice").exists(), "two ran on the same data at a time")
        service.check_moves()
        return {"100 starts are done after": started, IDLE: idle}

    async def _data_are_whole(self, service: Supervised, backups: Backups) -> None:
        """What was there, or nothing, as a reset has it; in each backup too."""
        data = service.driver.data_dir
        found = [path.read_text() for path in data.iterdir()]
        expect(found in ([WORK], []), f"the data are {found}")
        await backups.store.look(None)
        for stored in backups.store.known():
            Archive(stored.file).check(Watch())
        around = [data.parent, service.driver.site.private_dir, backups.store.folder(service.name)]
        names = [path.name for folder in around if folder.exists() for path in folder.iterdir()]
        left = [name for name in names if MARK in name or name.endswith(PARTIAL)]
        expect(not left, f"left behind: {left}")

    def _one_process(self, attempt: Attempt) -> None:
        running = list(marked(attempt.mark, attempt.folder))
        expect(len(running) == 1, f"{len(running)} processes run: {running}")

    async def _anything(
        self, attempt: Attempt, service: Supervised, backups: Backups, waiting: list[Operation]
    ) -> None:
        registry = service.registry
        what = attempt.rng.choice(("start", "stop", "restart", "kill", "backup", "reset"))
        if what == "kill":
            process = service.lifecycle.process
            if process is not None and service.state is not ServiceState.BACKOFF:
                with suppress(ProcessLookupError):
                    service.kill(process.pid)
            return
        # That another is in the way is a fair answer.
        with suppress(ConflictError):
            if what == "backup":
                waiting.append(await backups.back_up(service.name))
            elif what == "reset":
                waiting.append(await backups.reset(service.name))
            else:
                waiting.append(getattr(registry, what)(service.name))

"""Faults 2 and 3: kill -9 of PostgreSQL's postmaster under load, and of one backend."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import psycopg

from ou_vce_ext.states import ServiceState
from tests.integration.watching import gone

from .bench import Bench
from .databases import ask, ask_until_answered, connected
from .fault import Attempt, Fault, Figures, Measure
from .promises import expect
from .supervised import Supervised

BUSY = "DO $$ BEGIN LOOP END LOOP; END $$"


class _OnePostgres(Fault):
    """Tries that share one server, ready throughout but for what is done to it."""

    async def set_up(self, bench: Bench) -> None:
        self.service = self.share(bench, "postgres")
        await self.service.start()
        await ask(self.service.driver, "create table committed (try int, row int)")

    async def _write(self, number: int, committed: list[int]) -> None:
        """Commit row after row, each noted once the server has said that it is kept."""
        with suppress(psycopg.Error):
            async with connected(self.service.driver) as connection:
                for row in range(1_000_000):
                    await connection.execute("insert into committed values (%s, %s)", (number, row))
                    committed.append(row)

    async def _check(self, number: int, committed: list[int]) -> None:
        rows = await ask(
            self.service.driver, f"select row from committed where try = {number} order by row"
        )
        lost = set(committed) - {row for (row,) in rows}
        expect(not lost, f"{len(lost)} of {len(committed)} committed rows are lost")


class PostmasterKilled(_OnePostgres):
    """Its backends do not see it die while they compute; the data is opened once all the same."""

    number = 2
    title = "kill -9 the postmaster with a CPU-busy backend"
    measures = (Measure("SQL answers after", 2.0),)

    async def try_once(self, attempt: Attempt) -> Figures:
        service = self.service
        committed: list[int] = []
        busy = asyncio.ensure_future(_compute(service))
        writing = asyncio.ensure_future(self._write(attempt.number, committed))
        await asyncio.sleep(0.05 + attempt.rng.uniform(0, 0.4))
        tree, restarts = service.tree(), service.lifecycle.restarts
        killed = service.kill(service.pid)
        await writing
        await ask_until_answered(service.driver, "select 1", 20 * service.patience)
        answered = time.monotonic() - killed
        left = [pid for pid in tree if not gone(pid)]
        expect(not left, f"it answers again while {left} of the run before still live")
        await busy
        await self._check(attempt.number, committed)
        expect(service.lifecycle.restarts == restarts + 1, "it was not counted as one restart")
        # Deaths this close together would be given up on: a person's start wipes the slate.
        await service.stop()
        await service.start()
        return {"SQL answers after": answered}


class BackendKilled(_OnePostgres):
    """PostgreSQL mends itself: it stays up, and nothing is counted or shown as a restart."""

    number = 3
    title = "kill -9 one backend"
    measures = (Measure("SQL answers after"),)

    async def try_once(self, attempt: Attempt) -> Figures:
        service = self.service
        committed: list[int] = []
        before, restarts, main = len(service.moves), service.lifecycle.restarts, service.pid
        writing = asyncio.ensure_future(self._write(attempt.number, committed))
        async with connected(service.driver) as connection:
            victim = connection.info.backend_pid
            await asyncio.sleep(attempt.rng.uniform(0, 0.2))
            killed = service.kill(victim)
            # The server ends every session before it answers anew.
            with suppress(psycopg.Error):
                await connection.execute("select 1")
        await writing
        await ask_until_answered(service.driver, "select 1", 20 * service.patience)
        answered = time.monotonic() - killed
        await self._check(attempt.number, committed)
        expect(service.pid == main, "the server itself was started anew")
        expect(service.lifecycle.restarts == restarts, "it was counted as a restart")
        # That it does not answer for a moment may be shown, and nothing else.
        if service.state is ServiceState.UNRESPONSIVE:
            await service.moved_to(ServiceState.READY, since=len(service.moves))
        shown = {move.new for move in service.moves[before:]}
        expect(
            shown <= {ServiceState.UNRESPONSIVE, ServiceState.READY},
            f"one backend died, and the server was shown as {shown}",
        )
        return {"SQL answers after": answered}


async def _compute(service: Supervised) -> None:
    with suppress(psycopg.Error):
        async with connected(service.driver) as connection:
            await connection.execute(BUSY)

"""Fault 5: kill -9 of a keeper, of keepers and Jupyter together, and a second Jupyter."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from ou_vce_ext.states import ServiceState
from tests.integration.jupyter_rig import Jupyter
from tests.integration.watching import gone

from .app_commands import app
from .bench import Bench, Kind
from .fault import Attempt, Fault, Figures, Measure
from .homes import Home, Homes, alive, keepers, kill, only, saver, started, wait_ended
from .promises import expect
from .supervised import Supervised

AGAIN = "after a keeper was killed, ready again after"
NEXT = "after keepers and Jupyter were killed, the next start is ready after"


class KeepersKilled(Fault):
    """Nothing is orphaned, and no data folder is ever opened twice."""

    number = 5
    title = "kill -9 a keeper; keepers and Jupyter together; a second Jupyter on the same home"
    at_once = 2
    limit = 120.0
    measures = (Measure(AGAIN), Measure(NEXT))

    async def set_up(self, bench: Bench) -> None:
        self._databases: dict[Kind, Supervised] = {}
        self._busy = asyncio.Lock()
        self._homes = Homes([self._home(bench, "a"), self._home(bench, "b")])

    def _home(self, bench: Bench, name: str) -> Home:
        file = bench.root / f"{self.number}-{name}.saved"
        return Home(bench, self.number, name, only("postgres") + saver("saver", file, 0.5))

    async def try_once(self, attempt: Attempt) -> Figures:
        if attempt.number % 5 in (1, 3) or attempt.bench.prefix:
            return await asyncio.to_thread(self._with_jupyter, attempt)
        if attempt.number % 5 == 2:
            # One at a time: they share it.
            async with self._busy:
                kind: Kind = "mongo" if attempt.number % 20 == 7 else "postgres"
                if kind not in self._databases:
                    self._databases[kind] = self.share(attempt.bench, kind)
                figures = await self._keeper_alone(attempt, self._databases[kind])
                await self._databases[kind].stop()
                return figures
        exclusive = attempt.folder / "exclusive"
        command = app("exclusive", exclusive, attempt.rng.choice((0, 0.3)))
        figures = await self._keeper_alone(attempt, attempt.service("web", command=command))
        expect(not Path(f"{exclusive}.twice").exists(), "two ran on the same data at a time")
        return figures

    async def _keeper_alone(self, attempt: Attempt, service: Supervised) -> Figures:
        await service.start()
        await asyncio.sleep(attempt.rng.uniform(0, 0.3))
        tree, keeper, before = service.tree(), service.keeper, len(service.moves)
        killed = service.kill(keeper)
        died = await service.moved_to(ServiceState.BACKOFF, since=before)
        expect(
            died.error is not None and died.error.code == "keeper-lost",
            f"a keeper was killed, and the reason told is {died.error}",
        )
        back = await service.moved_to(ServiceState.READY, since=before)
        left = [pid for pid in tree if not gone(pid)]
        expect(not left, f"ready again, and of the run before {left} still live")
        return {AGAIN: back.at - killed}

    def _with_jupyter(self, attempt: Attempt) -> Figures:
        with self._homes.one() as home, home.jupyter(attempt.mark) as server:
            self._ready(home, server)
            tree, main = started(server), home.main(server)
            time.sleep(attempt.rng.uniform(0, 0.3))
            if attempt.number % 10 == 3:
                before = {name: server.service(name)["pid"] for name in ("saver", "postgres")}
                with home.jupyter(attempt.mark) as second:
                    self._told_who_holds_it(home, server, second, before)
            victims = [main, *keepers(tree)]
            attempt.rng.shuffle(victims)
            kill(*victims)
            wait_ended(server, 30 * attempt.bench.patience)
            began = time.monotonic()
            # At once: what the first one left may still be saving.
            with home.jupyter(attempt.mark) as following:
                self._ready(home, following)
                ready = time.monotonic() - began
                left = alive(tree)
                expect(not left, f"ready, and of the life before there is still {left}")
        return {NEXT: ready}

    def _ready(self, home: Home, server: Jupyter) -> None:
        for name in ("saver", "postgres"):
            server.wait_state(name, "ready")
        expect(not Path(f"{home.path}.saved.twice").exists(), "two ran on the same data at a time")

    def _told_who_holds_it(
        self, home: Home, first: Jupyter, second: Jupyter, before: dict[str, int]
    ) -> None:
        for name, pid in before.items():
            shown = second.wait_state(name, "failed")
            error = shown["error"]
            expect(error["code"] == "house-in-use", f"the reason told is {error}")
            # In a container of its own it is the first process.
            holder = "process 1 " if home.bench.prefix else f"process {first.process.pid} "
            expect(holder in error["message"], f"who holds it is not named: {error}")
            now = first.wait_state(name, "ready")["pid"]
            expect(now == pid, "and the first one was disturbed")

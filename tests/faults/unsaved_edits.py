"""Fault 6: SIGTERM of Jupyter while OpenRefine holds an edit that is not saved."""

from __future__ import annotations

import asyncio
import os
import signal
import time

from tests.free_ports import free_port
from tests.integration.jupyter_rig import Jupyter
from tests.integration.openrefine_rig import OpenRefineClient

from .bench import Bench
from .fault import Attempt, Fault, Figures, Measure
from .homes import Home, Homes, only, started, wait_ended, wait_gone
from .promises import expect

CSV = "name,town\nZoë,Łódź\nBob,Århus\n"
ENDED = "Jupyter has ended, all saved, after"
DECLARED = """
[services.openrefine]
profile = "light"
class_archive = false
private = false
autostart = true
port = {port}
"""


class EditedHome(Home):
    """A home with one project, and what its first cell must say."""

    def __init__(self, bench: Bench, number: int, name: str) -> None:
        port = free_port()
        super().__init__(bench, number, name, only("openrefine") + DECLARED.format(port=port))
        self.client = OpenRefineClient(port)
        self.project = ""
        self.cell = ""

    async def check(self) -> None:
        """The last edit is there; in a new home, a project is made."""
        if not self.project:
            self.project = await self.client.create_project("work", CSV)
            return
        cells = await self.client.cells(self.project)
        expect(
            cells[0][1] == self.cell, f"the last edit is lost: {cells[0][1]!r}, not {self.cell!r}"
        )


class UnsavedEdit(Fault):
    """The edit is there after the restart, even one made in the last moment."""

    number = 6
    title = "SIGTERM Jupyter with an unsaved OpenRefine edit"
    tries = 20  # each takes more than 20 s
    short_tries = 1
    at_once = 2
    limit = 180.0
    measures = (Measure(ENDED),)

    async def set_up(self, bench: Bench) -> None:
        self._made = [
            EditedHome(bench, self.number, name) for name in "ab"[: 1 if self.short else 2]
        ]
        self._homes = Homes([*self._made])

    async def try_once(self, attempt: Attempt) -> Figures:
        return await asyncio.to_thread(self._try, attempt)

    def _try(self, attempt: Attempt) -> Figures:
        with self._homes.one() as home:
            assert isinstance(home, EditedHome)
            with home.jupyter(attempt.mark) as server:
                self._ready(server)
                asyncio.run(self._edit(attempt, home))
                tree = started(server)
                asked = time.monotonic()
                os.kill(home.main(server), signal.SIGTERM)
                wait_ended(server, 120 * attempt.bench.patience)
                took = time.monotonic() - asked
                wait_gone(tree, attempt.bench.patience)
        return {ENDED: took}

    def _ready(self, server: Jupyter) -> None:
        server.wait_state("openrefine", "ready")

    async def _edit(self, attempt: Attempt, home: EditedHome) -> None:
        await home.check()
        home.cell = f"Ł {attempt.number} {attempt.rng.random()}"
        await home.client.edit(home.project, 0, 1, home.cell)
        await asyncio.sleep(attempt.rng.choice((0.0, attempt.rng.uniform(0, 1.5))))

    async def tear_down(self, bench: Bench) -> None:
        """Look at the last edits too."""
        await super().tear_down(bench)
        for home in self._made:
            if home.project:
                await asyncio.to_thread(self._look, home, bench.mark(self.number, "shared"))

    def _look(self, home: EditedHome, mark: str) -> None:
        with home.jupyter(mark) as server:
            self._ready(server)
            asyncio.run(home.check())

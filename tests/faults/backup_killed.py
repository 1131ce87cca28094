"""A Jupyter that is killed in the middle of work on data, and what the next one must find.

One home for all tries of a kind, and in it one Jupyter, which each try kills and starts again: what
a try costs beside its own work is one start of Jupyter and of one service.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from abc import abstractmethod
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar

from ou_vce_ext.backups.reader import Archive
from ou_vce_ext.backups.scratch import MARK
from ou_vce_ext.backups.watch import Watch
from ou_vce_ext.backups.writer import PARTIAL
from tests.integration.jupyter_rig import Jupyter, wait

from .backup_data import DATA, Data
from .bench import Bench
from .fault import Attempt, Fault, Figures, Measure
from .homes import Home, keepers, kill, started, wait_gone
from .leftovers import marked
from .promises import expect

BACK = "back, all looked at, after"
PATIENCE = 90.0
"""Seconds."""
_NOT_NEEDED = (
    "jupyterlab",
    "notebook",
    "notebook_shim",
    "jupyter_lsp",
    "jupyter_server_terminals",
)


class JupyterKilled(Fault):
    """Each try begins with what the last one has left behind."""

    kind: ClassVar[str]
    tries = 50
    short_tries = 1
    limit = 240.0
    measures = (Measure(BACK),)

    async def set_up(self, bench: Bench) -> None:
        self.data: Data = DATA[self.kind]()
        name = f"cuts-{self.kind}"
        self.home = Home(bench, self.number, name, self.data.toml, without=_NOT_NEEDED)
        self.mark = bench.mark(self.number, f"cuts-{self.kind}")
        self._life = ExitStack()
        self._well = True
        await asyncio.to_thread(self._first)

    def _first(self) -> None:
        self._start()
        self.data.make(self.server)
        self.prepare()

    @abstractmethod
    def prepare(self) -> None:
        """What all tries share; sees how long the work takes that is to be cut."""

    @abstractmethod
    def cut(self, attempt: Attempt) -> None:
        """Begin the work, and come back at the moment at which Jupyter is to be killed."""

    @abstractmethod
    def look(self, attempt: Attempt) -> None:
        """See what the next start has found."""

    async def try_once(self, attempt: Attempt) -> Figures:
        return await asyncio.to_thread(self._try, attempt)

    def _try(self, attempt: Attempt) -> Figures:
        if not self._well:
            # What one try has found must not be all that the others find.
            self._life.close()
            self._start()
        self._well = False
        self.cut(attempt)
        self._kill(attempt)
        left = self._scratch()
        began = time.monotonic()
        self._start()
        wait(lambda: not _there(left), 60, lambda: f"left behind: {_there(left)}")
        self.look(attempt)
        self._well = True
        return {BACK: time.monotonic() - began}

    async def tear_down(self, bench: Bench) -> None:
        await asyncio.to_thread(self._life.close)
        left = list(marked(self.mark, self.home.path))
        expect(not left, f"left behind after the last try: {left}")
        await asyncio.to_thread(shutil.rmtree, self.home.path)

    # -- Jupyter's life --------------------------------------------------------------------------

    def _start(self) -> None:
        self.server: Jupyter = self._life.enter_context(self.home.jupyter(self.mark))
        self.server.wait_state(self.kind, "ready", seconds=PATIENCE)

    def _kill(self, attempt: Attempt) -> None:
        """Kill -9, Jupyter alone or with its keepers; then wait until all of it has gone."""
        tree = started(self.server)
        both = self.data.outlives_its_keeper and attempt.rng.random() < 0.3
        kill(self.home.main(self.server), *(keepers(tree) if both else []))
        self.server.process.wait(10)
        wait_gone(tree, PATIENCE)
        self._life.close()
        left = list(marked(self.mark, self.home.path))
        expect(not left, f"stray processes: {left}")

    def _scratch(self) -> list[Path]:
        """What the work that was cut off has left, for the next start to remove."""
        return [
            path
            for path in self.home.path.rglob("*")
            if MARK in path.name or path.name.endswith(PARTIAL)
        ]

    # -- what it is asked ------------------------------------------------------------------------

    def begin(self, path: str, body: dict[str, Any] | None = None) -> str:
        """Ask for an operation; its id."""
        told = self.server.api("POST", path, body)
        expect("id" in told, f"{path} was refused: {told}")
        return str(told["id"])

    def done(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask for an operation, and give it when it has succeeded."""
        over = self.server.finish({"id": self.begin(path, body)}, PATIENCE)
        expect(over["state"] == "succeeded", f"{path} failed: {over}")
        return over

    def listed(self) -> list[dict[str, Any]]:
        """The backups, each of which must be whole."""
        found: list[dict[str, Any]] = self.server.api("GET", "backups")["backups"]
        for each in found:
            Archive(self.home.path / "work" / each["path"]).check(Watch())
        return found

    def remove(self, *backups: dict[str, Any]) -> None:
        """Delete them, as a person would."""
        for each in backups:
            status, text = self.server.request("DELETE", f"vce/api/backups/{each['id']}")
            expect(status == 204, f"not deleted: {text}")


def _there(paths: list[Path]) -> list[str]:
    return [path.name for path in paths if path.exists()]

"""Faults 18 and 21: Jupyter killed in the middle of a backup, a proof or a restore.

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

from .backup_data import DATA, Data, says
from .bench import Bench
from .fault import Attempt, Fault, Figures, Measure
from .homes import Home, keepers, kill, started, wait_gone
from .leftovers import marked
from .promises import expect

BACK = "back, all looked at, after"
_PATIENCE = 90.0


class JupyterKilled(Fault):
    """Each try begins with what the last one has left behind."""

    kind: ClassVar[str]
    tries = 50
    short_tries = 1
    limit = 240.0
    measures = (Measure(BACK),)

    async def set_up(self, bench: Bench) -> None:
        self.data: Data = DATA[self.kind]()
        self.home = Home(bench, self.number, f"cuts-{self.kind}", self.data.toml)
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
        self.server.wait_state(self.kind, "ready", seconds=_PATIENCE)

    def _kill(self, attempt: Attempt) -> None:
        """Kill -9, Jupyter alone or with its keepers; then wait until all of it has gone."""
        tree = started(self.server)
        both = self.data.outlives_its_keeper and attempt.rng.random() < 0.3
        kill(self.home.main(self.server), *(keepers(tree) if both else []))
        self.server.process.wait(10)
        wait_gone(tree, _PATIENCE)
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
        over = self.server.finish({"id": self.begin(path, body)}, _PATIENCE)
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


class KilledInBackup(JupyterKilled):
    """Only whole backups are listed, what was cut off goes, and the data are as they were."""

    number = 18

    def prepare(self) -> None:
        self.data.write(self.server, -1)
        began = time.monotonic()
        made = self.done(f"services/{self.kind}/backups")["result"]

        def proven() -> bool:
            return bool(self.server.api("GET", f"backups/{made['id']}")["verified"] == "verified")

        wait(proven, _PATIENCE)
        self.takes = time.monotonic() - began

    def cut(self, attempt: Attempt) -> None:
        self.data.write(self.server, attempt.number)
        self.before = {each["id"] for each in self.listed()}
        self.begin(f"services/{self.kind}/backups")
        # The moment at random: there is nothing to wait for.
        time.sleep(attempt.rng.uniform(0, 1.1 * self.takes))

    def look(self, attempt: Attempt) -> None:
        found = self.data.read(self.server)
        expect(found == says(attempt.number), f"the data are not as they were: {found}")
        listed = self.listed()
        lost = self.before - {each["id"] for each in listed}
        expect(not lost, f"older backups are gone: {lost}")
        self.remove(*listed[2:])


class KilledInRestore(JupyterKilled):
    """The data are the old ones or the new ones, never a mix, and can be undone."""

    number = 21
    brought = -1
    """What the backup says that is restored again and again."""

    def prepare(self) -> None:
        self.data.write(self.server, self.brought)
        self.backup = self.done(f"services/{self.kind}/backups")["result"]
        self.takes = [0.0, 0.0]
        for safely in (False, True):
            began = time.monotonic()
            body = {"without_safety_copy": not safely}
            self.done(f"backups/{self.backup['id']}/restore", body)
            self.takes[safely] = time.monotonic() - began
        self._tidy()

    def cut(self, attempt: Attempt) -> None:
        rng = attempt.rng
        self.data.write(self.server, attempt.number)
        # One in three with a safety copy first; half of them in the moments of the swap.
        self.safely = attempt.number % 3 == 0
        body = {"without_safety_copy": not self.safely}
        restoring = self.begin(f"backups/{self.backup['id']}/restore", body)
        if attempt.number % 4 < 2:
            self._until(restoring, "Stopping" if attempt.number % 4 else "The new data")
            time.sleep(rng.uniform(0, 1.0))
        else:
            time.sleep(rng.uniform(0, 1.1 * self.takes[self.safely]))

    def _until(self, restoring: str, words: str) -> None:
        """Wait until it says so, or is over."""

        def told() -> bool:
            found = self.server.api("GET", f"operations/{restoring}")
            return found["state"] != "running" or str(found["message"]).startswith(words)

        wait(told, _PATIENCE)

    def look(self, attempt: Attempt) -> None:
        found = self.data.read(self.server)
        old, new = says(attempt.number), says(self.brought)
        expect(found in (old, new), f"neither old nor new: {found}")
        listed = self.listed()
        expect(self.backup["id"] in {each["id"] for each in listed}, "what was restored is gone")
        if found == new:
            self._undo(attempt, listed)
        self._tidy()

    def _undo(self, attempt: Attempt, listed: list[dict[str, Any]]) -> None:
        """What was there before is in a safety copy, or in a folder of its own."""
        if not self.safely:
            expect(self._kept(), "the old data are nowhere")
            return
        copies = [each for each in listed if each["reason"] == "safety"]
        expect(copies and copies[0]["verified"] == "verified", f"no safety copy: {copies}")
        if attempt.rng.random() < 0.5:
            self.done(f"backups/{copies[0]['id']}/restore", {"without_safety_copy": True})
            found = self.data.read(self.server)
            expect(found == says(attempt.number), f"undone, and not as it was: {found}")

    def _kept(self) -> list[Path]:
        data = Path(self.server.service(self.kind)["data_dir"])
        return list(data.parent.glob(f"{data.name}-before-*"))

    def _tidy(self) -> None:
        for folder in self._kept():
            shutil.rmtree(folder)
        self.remove(*(each for each in self.listed() if each["id"] != self.backup["id"]))


class PostgresBackup(KilledInBackup):
    """PostgreSQL's."""

    kind = "postgres"
    title = "Jupyter killed while PostgreSQL is backed up or proven"


class MongoBackup(KilledInBackup):
    """MongoDB's."""

    kind = "mongo"
    title = "Jupyter killed while MongoDB is backed up or proven"


class OpenRefineBackup(KilledInBackup):
    """OpenRefine's."""

    kind = "openrefine"
    title = "Jupyter killed while OpenRefine is backed up or proven"


class PostgresRestore(KilledInRestore):
    """PostgreSQL's."""

    kind = "postgres"
    title = "Jupyter killed while PostgreSQL is restored"


class MongoRestore(KilledInRestore):
    """MongoDB's."""

    kind = "mongo"
    title = "Jupyter killed while MongoDB is restored"


class OpenRefineRestore(KilledInRestore):
    """OpenRefine's."""

    kind = "openrefine"
    title = "Jupyter killed while OpenRefine is restored"


FAULTS: tuple[type[Fault], ...] = (
    PostgresBackup,
    MongoBackup,
    OpenRefineBackup,
    PostgresRestore,
    MongoRestore,
    OpenRefineRestore,
)

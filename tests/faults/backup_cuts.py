"""Faults 18 and 21: Jupyter killed in the middle of a backup, a proof or a restore."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

from tests.integration.jupyter_rig import wait

from .backup_data import says
from .backup_killed import PATIENCE, JupyterKilled
from .fault import Attempt, Fault
from .promises import expect


class KilledInBackup(JupyterKilled):
    """Only whole backups are listed, what was cut off goes, and the data are as they were."""

    number = 18

    def prepare(self) -> None:
        self.data.write(self.server, -1)
        began = time.monotonic()
        made = self.done(f"services/{self.kind}/backups")["result"]

        def proven() -> bool:
            return bool(self.server.api("GET", f"backups/{made['id']}")["verified"] == "verified")

        wait(proven, PATIENCE)
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
        # A quick round has only tries that go by what is told.
        for safely in (False,) if self.short else (False, True):
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

        wait(told, PATIENCE)

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

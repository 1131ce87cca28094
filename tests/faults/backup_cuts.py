"""Faults 18 and 21: Jupyter killed in the middle of a backup, a proof, a restore or a reset."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from ou_vce_ext.backups.notes import NAME as NOTES
from ou_vce_ext.backups.reader import Archive
from ou_vce_ext.backups.scratch import MARK
from ou_vce_ext.backups.watch import Watch
from tests.integration.jupyter_rig import Jupyter, wait

from .backup_data import Data, MongoData, PostgresData, says
from .bench import Bench
from .fault import Attempt, Fault, Figures
from .homes import Home, keepers, kill, only, started, wait_gone
from .promises import expect


class JupyterKilled(Fault):
    """Homes that live on from try to try: each begins with what the last left behind."""

    limit = 240.0
    tries = 120
    short_tries = 2

    async def set_up(self, bench: Bench) -> None:
        self.kinds: list[Data] = [PostgresData(), MongoData()]
        self.homes = [
            Home(bench, self.number, f"backups-{data.kind}", only(data.kind)) for data in self.kinds
        ]
        self.takes = [2.0] * len(self.kinds)

    async def try_once(self, attempt: Attempt) -> Figures:
        which = attempt.number % len(self.kinds)
        return await asyncio.to_thread(self._try, attempt, which)

    def _try(self, attempt: Attempt, which: int) -> Figures:
        raise NotImplementedError

    def _kill(self, attempt: Attempt, server: Jupyter) -> None:
        """Kill -9, Jupyter alone or with its keepers; then wait until all of it has gone."""
        tree = started(server)
        with_keepers = keepers(tree) if attempt.rng.random() < 0.3 else []
        kill(server.process.pid, *with_keepers)
        server.process.wait(10)
        wait_gone(tree, 90)

    def _begin(self, server: Jupyter, path: str, body: dict[str, Any] | None = None) -> str:
        told = server.api("POST", path, body)
        expect("id" in told, f"{path} was refused: {told}")
        return str(told["id"])


def look(home: Home, server: Jupyter, data: Data) -> list[dict[str, Any]]:
    """The backups, each of which must be whole; nothing else may be left."""
    listed: list[dict[str, Any]] = server.api("GET", "backups")["backups"]
    work = home.path / "work"
    for each in listed:
        Archive(work / each["path"]).check(Watch())
    folder = work / "backups" / f"{data.kind}-backup"
    known = {Path(each["path"]).name for each in listed}

    def strays() -> list[str]:
        there = [path.name for path in folder.glob("*") if path.name != NOTES]
        beside = [path.name for path in home.path.rglob(f"*{MARK}*")]
        # What is being proven by itself at this moment has its scratch folders.
        working = server.api("GET", "operations?state=running")["operations"]
        return [] if working else [name for name in there if name not in known] + beside

    wait(lambda: not strays(), 60, lambda: f"left behind: {strays()}")
    return listed


class KilledInBackup(JupyterKilled):
    """Only whole backups are listed, what was cut off goes, and the data are as they were."""

    number = 18
    title = "Jupyter killed while it backs up or proves"

    def _try(self, attempt: Attempt, which: int) -> Figures:
        home, data = self.homes[which], self.kinds[which]
        with home.jupyter(attempt.mark) as server:
            server.wait_state(data.kind, "ready")
            data.write(server, attempt.number)
            before = {each["id"] for each in look(home, server, data)}
            self._begin(server, f"services/{data.kind}/backups")
            time.sleep(attempt.rng.uniform(0, self.takes[which]))
            self._kill(attempt, server)
        with home.jupyter(attempt.mark) as server:
            server.wait_state(data.kind, "ready")
            expect(data.read(server) == says(attempt.number), "the data are not as they were")
            after = {each["id"] for each in look(home, server, data)}
            expect(before <= after, f"older backups are gone: {before - after}")
            for each in server.api("GET", "backups")["backups"][2:]:
                server.request("DELETE", f"vce/api/backups/{each['id']}")
        return {}


class KilledInRestore(JupyterKilled):
    """The data are the old ones or the new ones, never a mix, and can be undone."""

    number = 21
    title = "Jupyter killed while it restores"

    async def set_up(self, bench: Bench) -> None:
        await super().set_up(bench)
        self.takes = [12.0] * len(self.kinds)

    def _try(self, attempt: Attempt, which: int) -> Figures:
        home, data = self.homes[which], self.kinds[which]
        old, new = 2 * attempt.number, 2 * attempt.number + 1
        with home.jupyter(attempt.mark) as server:
            server.wait_state(data.kind, "ready")
            data.write(server, new)
            made = server.finish({"id": self._begin(server, f"services/{data.kind}/backups")})
            data.write(server, old)
            began = time.monotonic()
            restoring = self._begin(server, f"backups/{made['result']['id']}/restore", {})
            end = began + attempt.rng.uniform(0, 1.1 * self.takes[which])
            while time.monotonic() < end:
                time.sleep(0.05)
                if server.api("GET", f"operations/{restoring}")["state"] != "running":
                    self.takes[which] = time.monotonic() - began
                    break
            self._kill(attempt, server)
        with home.jupyter(attempt.mark) as server:
            server.wait_state(data.kind, "ready")
            found = data.read(server)
            expect(found in (says(old), says(new)), f"neither old nor new: {found}")
            listed = look(home, server, data)
            if found == says(new) and attempt.rng.random() < 0.5:
                copy = next(each for each in listed if each["reason"] == "safety")
                undo = self._begin(server, f"backups/{copy['id']}/restore", {})
                over = server.finish({"id": undo}, 90)
                expect(over["state"] == "succeeded", f"the undo failed: {over}")
                expect(data.read(server) == says(old), "undone, and not as it was")
            for each in server.api("GET", "backups")["backups"]:
                server.request("DELETE", f"vce/api/backups/{each['id']}")
        return {}

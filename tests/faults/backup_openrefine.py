"""Faults 18, 20, 21, 22 and 28 on OpenRefine's backups."""

from __future__ import annotations

import asyncio
import json
import zipfile
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from ou_vce_ext.backups.openrefine.source import OwnBackup
from ou_vce_ext.backups.strategy import Source
from ou_vce_ext.backups.watch import Watch
from ou_vce_ext.errors import VceError
from ou_vce_ext.models_backup import ItemKind
from tests.integration.openrefine_rig import OpenRefineClient
from tests.integration.rich_projects import asked, make_rich, seen

from .backup_service import OnService, back_up
from .backup_small_disks import OnSmallDisk
from .backup_tries import BackupCut, BackupDamaged, RestoreCut, WriteLoad
from .bench import Bench
from .fault import Attempt, Fault, Figures
from .promises import expect

_BLOCK = 4_096


class OnOpenRefine(OnService):
    """Some projects."""

    kind = "openrefine"
    rows = 2_000
    projects = 3

    async def make(self) -> None:
        assert self.live.driver.site.port
        self.client = OpenRefineClient(self.live.driver.site.port)
        self.made = [
            await make_rich(self.client, f"Café {number}", self.rows)
            for number in range(self.projects)
        ]
        # Each edit takes one step more; what is undone is gone with the first.
        for project in self.made:
            await self.client.edit(project, 0, 0, "0")

    async def described(self) -> Any:
        names = await self.client.names()
        return names, [await seen(self.client, project) for project in names]

    async def steps(self, project: str) -> int:
        """How much has been done to a project."""
        return len((await asked(self.client, "get-history", project))["past"])


class OpenRefineBackupCut(OnOpenRefine, BackupCut):
    """An edit made just before is not lost by it."""

    title = "An OpenRefine backup cut at a random moment"

    async def change(self, attempt: Attempt) -> None:
        self.project = attempt.rng.choice(self.made)
        await self.client.edit(self.project, 0, 0, f"{attempt.number}")

    async def expect_unchanged(self, attempt: Attempt) -> None:
        rows = await asked(self.client, "get-rows", self.project, start="0", limit="1")
        value = rows["rows"][0]["cells"][0]["v"]
        expect(value == f"{attempt.number}", "an edit is not there any more after a backup")


class OpenRefineBackupDamaged(OnOpenRefine, BackupDamaged):
    """A backup of ours, and a project archive that OpenRefine itself has made."""

    title = "A truncated or bit-flipped OpenRefine backup, or project archive"
    rows = 60
    projects = 2

    async def files(self) -> list[bytes]:
        whole = (await self.first_backup()).read_bytes()
        _, archive = await self.client.ask(
            "/command/core/export-project", f"project={self.made[0]}".encode()
        )
        await self.live.stop()
        return [whole, archive]

    async def held(self, source: Source, path: Path) -> Any:
        into = path.with_name(f"{path.name}-out")
        into.mkdir()
        keys = [item.key for item in source.contents]
        projects = source.unpack(keys, into, Watch())  # type: ignore[attr-defined]
        return {
            key: (project.to_json(), [step.read_bytes() for step in project.steps])
            for key, project in projects.items()
        }


class OpenRefineRestoreCut(OnOpenRefine, RestoreCut):
    """Built, or a project loaded under another name."""

    title = "An OpenRefine restore cut at a random moment while it is built or loaded beside"
    rows = 500

    def items(self) -> frozenset[str] | None:
        return frozenset({self.made[0]})

    async def settled(self) -> None:
        # It goes on with an import that it has been sent whole, whoever has hung up.
        async with asyncio.timeout(20):
            while self.second in (await self.client.names()).values():
                await asyncio.sleep(0.05)

    async def take_second(self) -> None:
        names = await self.client.names()
        [loaded] = [each for each, name in names.items() if name == self.second]
        one, other = await seen(self.client, loaded), await seen(self.client, self.made[0])
        expect(one["rows"] == other["rows"], "what was loaded is not what was there")
        await self.client.delete(loaded)


class OpenRefineWriteLoad(OnOpenRefine, WriteLoad):
    """The last edit wrote how many steps there were before it."""

    title = "An OpenRefine backup under a load of edits"
    projects = 2

    async def write(self, ended: asyncio.Event) -> None:
        while not ended.is_set():
            for project in self.made:
                await self.client.edit(project, 0, 0, f"{await self.steps(project)}")
            await asyncio.sleep(0.01)

    async def moment(self) -> Any:
        return {project: await self.steps(project) for project in self.made}

    async def expect_of_one_moment(self, source: Source, before: Any, folder: Path) -> None:
        assert isinstance(source, OwnBackup)
        into = folder / "out"
        into.mkdir()
        for key, project in source.unpack(self.made, into, Watch()).items():
            steps = len(project.facts.past)
            expect(steps >= before[key], "what was done before a backup is not in it")
            first = await asyncio.to_thread(_first_row, project.data)
            told = first["cells"][0]["v"]
            expect(told in ("0", f"{steps - 1}"), f"rows and history differ: {told}, {steps}")
            if steps > before[key]:
                expect(told == f"{steps - 1}", f"an old row in a newer history: {told}, {steps}")


def _first_row(data: Path) -> Any:
    with zipfile.ZipFile(data) as archive, archive.open("data.txt") as text:
        for line in text:
            if line.startswith(b"rowCount="):
                return json.loads(text.readline())
    raise AssertionError("no rows")


class SaveFails(OnOpenRefine, OnSmallDisk):
    """The disk is full while OpenRefine saves: no backup, or one with the last edit in it."""

    number = 28
    title = "OpenRefine's export while its save fails (disk full)"
    tries = 50
    short_tries = 2
    projects = 1
    rows = 4_000
    disk = 70_000_000

    async def set_up(self, bench: Bench) -> None:
        self.live = self.share(bench, "openrefine")
        folder = self.live.driver.site.data_dir
        folder.parent.mkdir(parents=True, exist_ok=True)
        self._stack = ExitStack()
        self.place = self._stack.enter_context(self.small_disk(bench))
        folder.symlink_to(self.place)
        await self.go_up()

    async def try_once(self, attempt: Attempt) -> Figures:
        [project] = self.made
        filler = self.place / "film"
        await self.client.edit(project, 0, 0, f"{attempt.number}")
        steps = await self.steps(project)
        path = attempt.folder / "backup.tar"
        try:
            _fill(filler, attempt.rng.choice((0, 0, 1, 2, 5, 10, 15, 20, 30)) * _BLOCK)
            try:
                await back_up(self.strategy, path)
            except VceError as error:
                told = f"told as {error.code}: {error.message}"
                expect(error.code in ("disk-full", "data-unwritable"), told)
                expect(not list(attempt.folder.glob("backup*")), "a backup that failed is listed")
        finally:
            filler.unlink(missing_ok=True)
        if not path.exists():
            await back_up(self.strategy, path)
        source = await self.opened(path)
        assert isinstance(source, OwnBackup)
        # What fills the disk lies among the projects, so that it may be in the backup as well.
        there = [item.key for item in source.contents if item.kind is ItemKind.PROJECT]
        expect(there == [project], "the project is missing")
        [facts] = source.archive.manifest.details["projects"].values()  # type: ignore[union-attr]
        assert isinstance(facts, dict)
        expect(facts["past"] == steps, "the last edit is missing from a backup that was taken")
        expect(facts["rows"] == self.rows, "rows are missing")
        return {}

    async def tear_down(self, bench: Bench) -> None:
        await self.live.close()
        self._stack.close()
        await super().tear_down(bench)


def _fill(path: Path, but: int) -> None:
    """Fill a disk but for ``but`` bytes."""
    with path.open("wb", buffering=0) as file:
        with suppress(OSError):
            while True:
                file.write(bytes(_BLOCK))
        file.truncate(max(0, file.tell() - but))


FAULTS: tuple[type[Fault], ...] = (
    OpenRefineBackupCut,
    OpenRefineBackupDamaged,
    OpenRefineRestoreCut,
    OpenRefineWriteLoad,
    SaveFails,
)

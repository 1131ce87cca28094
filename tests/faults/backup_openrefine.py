"""Faults 18, 20, 21, 22 and 28 on OpenRefine's backups: cut, damaged, under load, disk full."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ou_vce_ext.backups import scratch
from ou_vce_ext.backups.manifest import Manifest
from ou_vce_ext.backups.openrefine.source import OwnBackup
from ou_vce_ext.backups.openrefine.strategy import OpenRefineStrategy
from ou_vce_ext.backups.strategy import Layer
from ou_vce_ext.backups.watch import Watch
from ou_vce_ext.backups.writer import ArchiveWriter
from ou_vce_ext.errors import UnsuitableError, VceError
from ou_vce_ext.models_backup import Reason
from ou_vce_ext.states import ServiceState
from tests.integration.openrefine_rig import OpenRefineClient
from tests.integration.rich_projects import asked, make_rich
from tests.integration.small_disk import mounted

from .bench import Bench
from .fault import Attempt, Fault, Figures, Measure, MissingPartError
from .promises import expect
from .supervised import Supervised

CANCELLED = "cancelled, all gone, after"
ROWS = 2_000
_DISK = 70_000_000
_BLOCK = 4_096


async def back_up(strategy: OpenRefineStrategy, path: Path) -> Path:
    """As the manager does it: a file that is whole, or nothing."""
    archive = ArchiveWriter(path, Watch())
    try:
        taken = await strategy.take(archive, archive.watch)
        manifest = Manifest(
            service=strategy.driver.spec.name,
            kind="openrefine",
            title="OpenRefine",
            created=datetime.now(UTC),
            reason=Reason.MANUAL,
            consistency=taken.consistency,
            versions=strategy.driver.versions(),
            contents=taken.contents,
            members=tuple(archive.members),
            details=taken.details,
        )
        archive.finish(manifest)
    except BaseException:
        archive.abandon()
        raise
    return path


async def opened(strategy: OpenRefineStrategy, path: Path) -> OwnBackup:
    """A backup of ours, its checksums compared."""
    source = await strategy.open(path, path.name)
    expect(isinstance(source, OwnBackup), "a backup of ours is not known as one")
    assert isinstance(source, OwnBackup)
    return source


class OnOpenRefine(Fault):
    """Some projects in one OpenRefine that all tries share."""

    limit = 180.0
    rows = ROWS
    projects = 3

    async def set_up(self, bench: Bench) -> None:
        self.live = self.share(bench, "openrefine")
        await self.prepare(self.live)

    async def prepare(self, live: Supervised) -> None:
        """Start it, and make the projects."""
        self.strategy = OpenRefineStrategy(live.driver)
        await live.start()
        assert live.driver.site.port
        self.client = OpenRefineClient(live.driver.site.port)
        self.made = [
            await make_rich(self.client, f"Café {number}", self.rows)
            for number in range(self.projects)
        ]
        # Each edit takes one step more; what is undone is gone with the first.
        for project in self.made:
            await self.client.edit(project, 0, 0, "0")

    async def steps(self, project: str) -> int:
        """How much has been done to a project."""
        return len((await asked(self.client, "get-history", project))["past"])

    def expect_nothing_left(self, *folders: Path) -> None:
        """No partial file, and no folder of ours."""
        site = self.strategy.driver.site
        around = [site.data_dir, site.data_dir.parent, site.private_dir, *folders]
        names = [name for folder in around if folder.is_dir() for name in os.listdir(folder)]
        left = [name for name in names if scratch.MARK in name or name.endswith(".partial")]
        expect(not left, f"left behind: {', '.join(left)}")


class BackupCut(OnOpenRefine):
    """Cancelled at any moment, or OpenRefine killed: a whole backup or none, and work goes on."""

    number = 18
    title = "An OpenRefine backup cut at a random moment"
    tries = 60
    short_tries = 4
    measures = (Measure(CANCELLED, 2.0),)

    async def prepare(self, live: Supervised) -> None:
        await super().prepare(live)
        began = time.monotonic()
        path = self.strategy.driver.site.root_dir / "first.tar"
        await back_up(self.strategy, path)
        self.takes = time.monotonic() - began
        path.unlink()

    async def try_once(self, attempt: Attempt) -> Figures:
        if attempt.number % 10 == 3:
            return await self._killed(attempt)
        project = attempt.rng.choice(self.made)
        await self.client.edit(project, 0, 0, f"{attempt.number}")
        path = attempt.folder / "backup.tar"
        taking = asyncio.ensure_future(back_up(self.strategy, path))
        await asyncio.wait({taking}, timeout=attempt.rng.uniform(0, 1.1 * self.takes))
        figures = {}
        if not taking.done():
            asked_at = time.monotonic()
            taking.cancel()
            with suppress(asyncio.CancelledError):
                await taking
            figures[CANCELLED] = time.monotonic() - asked_at
        await self._whole_or_none(taking, path)
        rows = await asked(self.client, "get-rows", project, start="0", limit="1")
        value = rows["rows"][0]["cells"][0]["v"]
        expect(value == f"{attempt.number}", "an edit is not there any more after a backup")
        return figures

    async def _whole_or_none(self, taking: asyncio.Future[Path], path: Path) -> None:
        self.expect_nothing_left(path.parent)
        if taking.cancelled() or taking.exception() is not None:
            expect(not path.exists(), "a backup that was cut off is listed")
            return
        source = await opened(self.strategy, path)
        expect({item.key for item in source.contents} == set(self.made), "a project is missing")

    async def _killed(self, attempt: Attempt) -> Figures:
        since = len(self.live.moves)
        path = attempt.folder / "backup.tar"
        taking = asyncio.ensure_future(back_up(self.strategy, path))
        await asyncio.wait({taking}, timeout=attempt.rng.uniform(0, self.takes))
        self.live.kill(self.live.pid)
        with suppress(VceError):
            await taking
        await self._whole_or_none(taking, path)
        ends = (ServiceState.READY, ServiceState.FAILED)
        move = await self.live.moved_to(*ends, since=since, seconds=60)
        if move.new is ServiceState.FAILED:
            # Killed so often that a person has to start it.
            await self.live.start()
        return {}


class BackupDamaged(OnOpenRefine):
    """Cut short or with one bit changed: refused, or nothing of what it holds is other."""

    number = 20
    title = "A truncated or bit-flipped OpenRefine backup, or project archive"
    tries = 400
    short_tries = 20
    rows = 60
    projects = 2

    async def prepare(self, live: Supervised) -> None:
        await super().prepare(live)
        home = self.strategy.driver.site.root_dir
        self.whole = (await back_up(self.strategy, home / "whole.tar")).read_bytes()
        _, self.archive = await self.client.ask(
            "/command/core/export-project", f"project={self.made[0]}".encode()
        )
        await live.stop()
        self.good = [
            await self._read(content, home / f"good{number}")
            for number, content in enumerate((self.whole, self.archive))
        ]

    async def try_once(self, attempt: Attempt) -> Figures:
        which = attempt.number % 2
        content = bytearray((self.whole, self.archive)[which])
        cut = attempt.number % 4 < 2
        if cut:
            # What comes after a tar's last member are zeros that nobody needs.
            del content[attempt.rng.randrange(len(content) - (0 if which else 1_024)) :]
        else:
            content[attempt.rng.randrange(len(content))] ^= 1 << attempt.rng.randrange(8)
        try:
            found = await self._read(bytes(content), attempt.folder / "damaged")
        except UnsuitableError:
            return {}
        expect(not cut, "one that was cut was taken")
        expect(found == self.good[which], "one with a bit changed was taken for other data")
        return {}

    async def _read(self, content: bytes, path: Path) -> Any:
        path.write_bytes(content)
        source = await self.strategy.open(path, path.name)
        into = path.with_name(f"{path.name}-out")
        into.mkdir()
        keys = [item.key for item in source.contents]
        projects = source.unpack(keys, into, Watch())  # type: ignore[attr-defined]
        return {
            key: (project.to_json(), [step.read_bytes() for step in project.steps])
            for key, project in projects.items()
        }


class RestoreCut(OnOpenRefine):
    """Cancelled, or its OpenRefine killed: nothing is left, and the live projects are untouched."""

    number = 21
    title = "An OpenRefine restore cut at a random moment while it is built"
    tries = 50
    short_tries = 2
    measures = (Measure(CANCELLED, 2.0),)
    rows = 500

    async def prepare(self, live: Supervised) -> None:
        await super().prepare(live)
        path = await back_up(self.strategy, self.strategy.driver.site.root_dir / "backup.tar")
        self.source = await opened(self.strategy, path)
        await live.stop()
        self.before = self._files()
        began = time.monotonic()
        await self.strategy.build([Layer(self.source)], Watch(), keep=False)
        self.takes = time.monotonic() - began

    def _files(self) -> dict[str, bytes]:
        folder = self.strategy.driver.site.data_dir
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }

    async def try_once(self, attempt: Attempt) -> Figures:
        kill = attempt.number % 5 == 4
        building = asyncio.ensure_future(
            self.strategy.build([Layer(self.source)], Watch(), keep=True)
        )
        await asyncio.wait({building}, timeout=attempt.rng.uniform(0, self.takes))
        figures = {}
        if kill:
            for pid in _scratch_javas(self.strategy.driver.site.private_dir):
                os.kill(pid, 9)
        elif not building.done():
            asked_at = time.monotonic()
            building.cancel()
            with suppress(asyncio.CancelledError):
                await building
            figures[CANCELLED] = time.monotonic() - asked_at
        if not building.cancelled():
            try:
                built = await building
                assert built
                expect(len(os.listdir(built.folder)) == self.projects + 1, "not all was built")
                await asyncio.to_thread(shutil.rmtree, built.folder)
            except UnsuitableError as error:
                raise AssertionError(f"a good backup was called bad: {error}") from error
            except VceError:
                expect(kill, "a build failed that nobody had cut")
        self.expect_nothing_left()
        expect(self._files() == self.before, "the live projects have changed")
        return figures


class WriteLoad(OnOpenRefine):
    """Edited all the time, each project in a backup is as it was at one moment."""

    number = 22
    title = "An OpenRefine backup under a load of edits"
    tries = 50
    short_tries = 2
    projects = 2

    async def try_once(self, attempt: Attempt) -> Figures:
        ended = asyncio.Event()
        edits = asyncio.ensure_future(self._edit(ended))
        await asyncio.sleep(attempt.rng.uniform(0, 0.3))
        before = {project: await self.steps(project) for project in self.made}
        try:
            path = await back_up(self.strategy, attempt.folder / "backup.tar")
        finally:
            ended.set()
            await edits
        source = await opened(self.strategy, path)
        into = attempt.folder / "out"
        into.mkdir()
        for key, project in source.unpack(self.made, into, Watch()).items():
            steps = len(project.facts.past)
            expect(steps >= before[key], "what was done before a backup is not in it")
            # The last edit wrote how many steps there were before it.
            first = await asyncio.to_thread(_first_row, project.data)
            told = first["cells"][0]["v"]
            expect(told in ("0", f"{steps - 1}"), f"rows and history differ: {told}, {steps}")
            if steps > before[key]:
                expect(told == f"{steps - 1}", f"an old row in a newer history: {told}, {steps}")
        self.expect_nothing_left(attempt.folder)
        return {}

    async def _edit(self, ended: asyncio.Event) -> None:
        while not ended.is_set():
            for project in self.made:
                await self.client.edit(project, 0, 0, f"{await self.steps(project)}")
            await asyncio.sleep(0.01)


def _first_row(data: Path) -> Any:
    import zipfile

    with zipfile.ZipFile(data) as archive, archive.open("data.txt") as text:
        for line in text:
            if line.startswith(b"rowCount="):
                return json.loads(text.readline())
    raise AssertionError("no rows")


class SaveFails(OnOpenRefine):
    """The disk is full while OpenRefine saves: no backup, or one with the last edit in it."""

    number = 28
    title = "OpenRefine's export while its save fails (disk full)"
    tries = 50
    short_tries = 2
    projects = 1
    rows = 4_000

    async def set_up(self, bench: Bench) -> None:
        if not bench.is_root:
            raise MissingPartError("only root can mount a small disk here")
        self.live = self.share(bench, "openrefine")
        folder = self.live.driver.site.data_dir
        folder.parent.mkdir(parents=True, exist_ok=True)
        self._mounted = mounted(bench.root / "disk", "tmpfs", f"size={_DISK}")
        self.disk, _ = self._mounted.__enter__()
        folder.symlink_to(self.disk)
        await self.prepare(self.live)

    async def try_once(self, attempt: Attempt) -> Figures:
        [project] = self.made
        filler = self.disk / "film"
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
        source = await opened(self.strategy, path)
        expect([item.key for item in source.contents] == [project], "the project is missing")
        [facts] = source.archive.manifest.details["projects"].values()  # type: ignore[union-attr]
        assert isinstance(facts, dict)
        expect(facts["past"] == steps, "the last edit is missing from a backup that was taken")
        expect(facts["rows"] == self.rows, "rows are missing")
        return {}

    async def tear_down(self, bench: Bench) -> None:
        for service in self._shared:
            await service.close()
        self._mounted.__exit__(None, None, None)
        await super().tear_down(bench)


def _fill(path: Path, but: int) -> None:
    """Fill a disk but for ``but`` bytes."""
    with path.open("wb", buffering=0) as file:
        with suppress(OSError):
            while True:
                file.write(bytes(_BLOCK))
        file.truncate(max(0, file.tell() - but))


def _scratch_javas(private: Path) -> list[int]:
    found = []
    wanted = os.fsencode(private / scratch.MARK)
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            line = Path(f"/proc/{name}/cmdline").read_bytes()
            if wanted in line and b"com.google.refine.Refine" in line:
                found.append(int(name))
    return found


FAULTS: tuple[type[Fault], ...] = (BackupCut, BackupDamaged, RestoreCut, WriteLoad, SaveFails)

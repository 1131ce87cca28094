"""Faults 18, 20, 21 and 22 on PostgreSQL's backups: cut, damaged, under a load of writes."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ou_vce_ext.backups import scratch
from ou_vce_ext.backups.manifest import Manifest
from ou_vce_ext.backups.postgres.strategy import PostgresStrategy
from ou_vce_ext.backups.strategy import Layer, Source
from ou_vce_ext.backups.watch import Watch
from ou_vce_ext.backups.writer import ArchiveWriter
from ou_vce_ext.drivers.postgres.driver import PostgresDriver
from ou_vce_ext.errors import UnsuitableError, VceError
from ou_vce_ext.models_backup import Reason
from ou_vce_ext.states import ServiceState

from .bench import Bench
from .fault import Attempt, Fault, Figures, Measure
from .promises import expect
from .supervised import Supervised

CANCELLED = "cancelled, all gone, after"
_SUM = "SELECT (SELECT sum(n) FROM taken) + (SELECT sum(n) FROM given), (SELECT count(*) FROM big)"


async def back_up(strategy: PostgresStrategy, path: Path) -> Path:
    """As the manager does it: a file that is whole, or nothing."""
    archive = ArchiveWriter(path, Watch())
    try:
        taken = await strategy.take(archive, archive.watch)
        archive.finish(
            Manifest(
                service=strategy.driver.spec.name,
                kind="postgres",
                title="PostgreSQL",
                created=datetime.now(UTC),
                reason=Reason.MANUAL,
                consistency=taken.consistency,
                versions=taken.versions,
                contents=taken.contents,
                members=tuple(archive.members),
                details=taken.details,
            )
        )
    except BaseException:
        archive.abandon()
        raise
    return path


class OnPostgres(Fault):
    """Three tables in one PostgreSQL that all tries share."""

    limit = 240.0
    rows = 200_000

    async def set_up(self, bench: Bench) -> None:
        self.live = self.share(bench, "postgres")
        assert isinstance(self.live.driver, PostgresDriver)
        self.driver = self.live.driver
        self.strategy = PostgresStrategy(self.driver)
        await self.live.start()
        await self.ask(
            f"CREATE TABLE big AS SELECT i, md5(i::text) FROM generate_series(1, {self.rows}) i"
        )
        await self.ask("CREATE TABLE taken AS SELECT 0 n")
        await self.ask("CREATE TABLE given AS SELECT 0 n")
        await self.prepare(self.live)

    async def prepare(self, live: Supervised) -> None:
        """What the tries of a fault share beside the data."""

    async def ask(self, sql: str, database: str = "student") -> list[tuple[Any, ...]]:
        """Ask the live server as its superuser."""
        async with self.driver.door().into(database).connected() as connection:
            cursor = await connection.execute(sql.encode())
            return await cursor.fetchall() if cursor.description else []

    async def databases(self) -> list[tuple[Any, ...]]:
        """The names of all there are."""
        return await self.ask("SELECT datname FROM pg_database ORDER BY 1")

    async def opened(self, path: Path) -> Source:
        """A file, opened."""
        return await self.strategy.open(path, path.name)

    def expect_nothing_left(self, *folders: Path) -> None:
        """No partial file, and no folder of ours."""
        site = self.driver.site
        around = [site.data_dir.parent, site.private_dir, *folders]
        names = [name for folder in around if folder.is_dir() for name in os.listdir(folder)]
        left = [name for name in names if scratch.MARK in name or name.endswith(".partial")]
        expect(not left, f"left behind: {', '.join(left)}")

    async def cut(self, work: asyncio.Future[Any], after: float) -> Figures:
        """Cancel ``work`` after so many seconds, unless it has ended."""
        await asyncio.wait({work}, timeout=after)
        if work.done():
            return {}
        asked = time.monotonic()
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work
        return {CANCELLED: time.monotonic() - asked}


class BackupCut(OnPostgres):
    """Cancelled at any moment, or the server killed: a whole backup or none."""

    number = 18
    title = "A PostgreSQL backup cut at a random moment"
    tries = 60
    short_tries = 4
    measures = (Measure(CANCELLED, 2.0),)

    async def prepare(self, live: Supervised) -> None:
        began = time.monotonic()
        path = await back_up(self.strategy, self.driver.site.root_dir / "first.tar")
        self.takes = time.monotonic() - began
        self.keys = {item.key for item in (await self.opened(path)).contents}

    async def try_once(self, attempt: Attempt) -> Figures:
        since = len(self.live.moves)
        path = attempt.folder / "backup.tar"
        taking = asyncio.ensure_future(back_up(self.strategy, path))
        after = attempt.rng.uniform(0, 1.1 * self.takes)
        # Five ends within a minute would have the service left stopped.
        kill = attempt.number % 15 == 3
        figures: Figures = {}
        if kill:
            await asyncio.wait({taking}, timeout=after)
            self.live.kill(self.live.pid)
            with suppress(VceError):
                await taking
        else:
            figures = await self.cut(taking, after)
        self.expect_nothing_left(attempt.folder)
        if taking.cancelled() or taking.exception() is not None:
            expect(not path.exists(), "a backup that was cut off is listed")
        else:
            source = await self.opened(path)
            expect({item.key for item in source.contents} == self.keys, "something is missing")
        if kill:
            await self.live.moved_to(ServiceState.READY, since=since, seconds=60)
        return figures


class BackupDamaged(OnPostgres):
    """Cut short or with one bit changed: refused when it is opened, or it is what it was."""

    number = 20
    title = "A truncated or bit-flipped PostgreSQL backup"
    tries = 400
    short_tries = 20
    rows = 2_000

    async def prepare(self, live: Supervised) -> None:
        path = await back_up(self.strategy, self.driver.site.root_dir / "whole.tar")
        self.whole = path.read_bytes()

    async def try_once(self, attempt: Attempt) -> Figures:
        content = bytearray(self.whole)
        cut = attempt.number % 2 == 0
        if cut:
            # What comes after a tar's last member are zeros that nobody needs.
            del content[attempt.rng.randrange(len(content) - 2048) :]
        else:
            content[attempt.rng.randrange(len(content))] ^= 1 << attempt.rng.randrange(8)
        path = attempt.folder / "damaged.tar"
        path.write_bytes(content)
        try:
            source = await self.opened(path)
        except UnsuitableError:
            return {}
        expect(not cut, "one that was cut was taken")
        # A bit of a date or of padding: every member is still what its checksum says.
        if attempt.number % 20 == 1:
            await self.strategy.build([Layer(source)], Watch(), keep=False)
        return {}


class RestoreCut(OnPostgres):
    """Cancelled: nothing is left, and the live databases are untouched."""

    number = 21
    title = "A PostgreSQL restore cut at a random moment while it is built or loaded beside"
    tries = 60
    short_tries = 3
    measures = (Measure(CANCELLED, 2.0),)
    rows = 100_000

    async def prepare(self, live: Supervised) -> None:
        path = await back_up(self.strategy, self.driver.site.root_dir / "backup.tar")
        self.source = await self.opened(path)
        self.before = await self.ask(_SUM), await self.databases()
        began = time.monotonic()
        await self.strategy.build([Layer(self.source)], Watch(), keep=False)
        self.builds = time.monotonic() - began
        began = time.monotonic()
        await self.strategy.load_beside(self.source, None, "second", Watch())
        self.loads = time.monotonic() - began
        await self.ask("DROP DATABASE second")

    async def try_once(self, attempt: Attempt) -> Figures:
        if attempt.number % 3 == 1:
            figures = await self._beside(attempt)
        else:
            figures = await self._built(attempt)
        self.expect_nothing_left()
        found = await self.ask(_SUM), await self.databases()
        expect(found == self.before, "the live databases have changed")
        return figures

    async def _beside(self, attempt: Attempt) -> Figures:
        loading = asyncio.ensure_future(
            self.strategy.load_beside(self.source, None, "second", Watch())
        )
        figures = await self.cut(loading, attempt.rng.uniform(0, self.loads))
        if not loading.cancelled():
            loading.result()
            expect(await self.ask(_SUM, "second") == self.before[0], "what was loaded is other")
            await self.ask("DROP DATABASE second")
        return figures

    async def _built(self, attempt: Attempt) -> Figures:
        building = asyncio.ensure_future(
            self.strategy.build([Layer(self.source)], Watch(), keep=True)
        )
        figures = await self.cut(building, attempt.rng.uniform(0, self.builds))
        if not building.cancelled() and (built := building.result()):
            await asyncio.to_thread(shutil.rmtree, built.folder)
        return figures


class WriteLoad(OnPostgres):
    """Written to all the time, a backup is of one moment: what always holds, holds in it."""

    number = 22
    title = "A PostgreSQL backup under a load of transactions over two tables"
    tries = 50
    short_tries = 2
    rows = 3_000

    async def try_once(self, attempt: Attempt) -> Figures:
        writing = asyncio.ensure_future(self._move())
        await asyncio.sleep(attempt.rng.uniform(0, 0.3))
        try:
            path = await back_up(self.strategy, attempt.folder / "backup.tar")
        finally:
            writing.cancel()
            await asyncio.wait({writing})
        source = await self.opened(path)
        await self.strategy.load_beside(source, frozenset({"student"}), "second", Watch())
        try:
            [(total, _)] = await self.ask(_SUM, "second")
            expect(total == 0, "half a transaction is in a backup")
        finally:
            await self.ask("DROP DATABASE second")
        return {}

    async def _move(self) -> None:
        """Move one from here to there, and again, each time as a whole."""
        async with self.driver.door().into("student").connected() as connection:
            while True:
                await connection.execute(
                    b"BEGIN; UPDATE taken SET n = n - 1; UPDATE given SET n = n + 1; COMMIT"
                )


FAULTS: tuple[type[Fault], ...] = (BackupCut, BackupDamaged, RestoreCut, WriteLoad)

"""Faults 18, 20, 21 and 22 on PostgreSQL's backups."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from ou_vce_ext.backups.reader import Archive
from ou_vce_ext.backups.strategy import Layer, Source
from ou_vce_ext.backups.watch import Watch
from ou_vce_ext.drivers.postgres.driver import PostgresDriver

from .backup_service import OnService
from .backup_tries import BackupCut, BackupDamaged, RestoreCut, WriteLoad
from .fault import Fault
from .promises import expect

_SUM = "SELECT (SELECT sum(n) FROM taken) + (SELECT sum(n) FROM given), (SELECT count(*) FROM big)"
_BUILT_EACH = 20


class OnPostgres(OnService):
    """Three tables."""

    kind = "postgres"
    rows = 200_000

    async def make(self) -> None:
        await self.ask(
            f"CREATE TABLE big AS SELECT i, md5(i::text) FROM generate_series(1, {self.rows}) i"
        )
        await self.ask("CREATE TABLE taken AS SELECT 0 n")
        await self.ask("CREATE TABLE given AS SELECT 0 n")

    async def described(self) -> Any:
        databases = await self.ask("SELECT datname FROM pg_database ORDER BY 1")
        return await self.ask(_SUM), databases

    async def ask(self, sql: str, database: str = "student") -> list[tuple[Any, ...]]:
        """Ask the live server as its superuser."""
        driver = self.live.driver
        assert isinstance(driver, PostgresDriver)
        async with driver.door().into(database).connected() as connection:
            cursor = await connection.execute(sql.encode())
            return await cursor.fetchall() if cursor.description else []


class PostgresBackupCut(OnPostgres, BackupCut):
    """The postmaster is killed."""

    title = "A PostgreSQL backup cut at a random moment"


class PostgresBackupDamaged(OnPostgres, BackupDamaged):
    """What was taken all the same is built now and then."""

    title = "A truncated or bit-flipped PostgreSQL backup"
    rows = 2_000
    _taken = 0

    async def held(self, source: Source, path: Path) -> Any:
        # Each member was compared with its checksum; the manifest's other words are not data.
        self._taken += 1
        if self._taken % _BUILT_EACH == 1:
            await self.strategy.build([Layer(source)], Watch(), keep=False)
        return {member.name: member.sha256 for member in Archive(path).manifest.members}


class PostgresRestoreCut(OnPostgres, RestoreCut):
    """Built, or loaded as another database."""

    title = "A PostgreSQL restore cut at a random moment while it is built or loaded beside"
    rows = 100_000

    async def take_second(self) -> None:
        found = await self.ask(_SUM, self.second)
        expect(found == await self.ask(_SUM), "what was loaded is not what was there")
        await self.ask(f"DROP DATABASE {self.second}")


class PostgresWriteLoad(OnPostgres, WriteLoad):
    """The sum of two tables is always nothing."""

    title = "A PostgreSQL backup under a load of transactions over two tables"
    rows = 3_000

    async def write(self, ended: asyncio.Event) -> None:
        driver = self.live.driver
        assert isinstance(driver, PostgresDriver)
        async with driver.door().into("student").connected() as connection:
            while not ended.is_set():
                await connection.execute(
                    b"BEGIN; UPDATE taken SET n = n - 1; UPDATE given SET n = n + 1; COMMIT"
                )

    async def expect_of_one_moment(self, source: Source, before: Any, folder: Path) -> None:
        await self.strategy.load_beside(source, frozenset({"student"}), "second", Watch())
        try:
            [(total, _)] = await self.ask(_SUM, "second")
            expect(total == 0, "half a transaction is in a backup")
        finally:
            await self.ask("DROP DATABASE second")


FAULTS: tuple[type[Fault], ...] = (
    PostgresBackupCut,
    PostgresBackupDamaged,
    PostgresRestoreCut,
    PostgresWriteLoad,
)

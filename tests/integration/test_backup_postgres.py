"""PostgreSQL backed up, proven, restored, loaded beside and made fresh, by real servers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ou_vce_ext.backups import scratch
from ou_vce_ext.backups.manifest import Manifest
from ou_vce_ext.backups.postgres.strategy import PostgresStrategy
from ou_vce_ext.backups.strategy import Built, Layer, Source, Taken
from ou_vce_ext.backups.watch import Watch
from ou_vce_ext.backups.writer import ArchiveWriter
from ou_vce_ext.drivers.postgres.programs import Server
from ou_vce_ext.errors import BadRequestError, ConflictError, UnsuitableError
from ou_vce_ext.models_backup import Consistency, Reason
from ou_vce_ext.services.keepers import KeeperLauncher
from tests.integration import postgres_rich
from tests.integration.postgres_rig import PostgresRig, copy_cluster

pytestmark = pytest.mark.integration


@pytest.fixture
def rig(short_dir: Path, launcher: KeeperLauncher, postgres_template: Path) -> PostgresRig:
    """A service that was started before."""
    made = PostgresRig(short_dir, launcher)
    made.folder.parent.mkdir()
    copy_cluster(postgres_template, made.folder)
    return made


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, rig: PostgresRig) -> Iterator[None]:
    """Jupyter's own environment points every tool and client at the live server."""
    for name, value in rig.driver.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PGHOSTADDR", "127.0.0.1")
    monkeypatch.setenv("PGPASSWORD", rig.driver.declared.password)
    yield


async def take(strategy: PostgresStrategy, path: Path) -> tuple[Source, Taken]:
    """A backup at ``path``, as a manager takes it, opened again."""
    archive = ArchiveWriter(path, Watch())
    taken = await strategy.take(archive, archive.watch)
    archive.finish(
        Manifest(
            "postgres",
            "postgres",
            "PostgreSQL",
            datetime.now(UTC),
            Reason.MANUAL,
            taken.consistency,
            taken.versions,
            taken.contents,
            tuple(archive.members),
            taken.details,
        )
    )
    return await strategy.open(path, path.name), taken


async def swap(rig: PostgresRig, built: Built | None) -> None:
    """The new data take the place of the live ones, which stay beside them."""
    assert built is not None
    await rig.stop()
    assert built.live == rig.folder
    os.rename(built.live, built.live.with_name("old"))
    os.rename(built.folder, built.live)
    await rig.start()


def server_of(rig: PostgresRig) -> Server:
    server = rig.driver.server
    assert server is not None
    return server


def nothing_left(rig: PostgresRig) -> bool:
    return not [
        path
        for folder in (rig.folder.parent, rig.site.private_dir, rig.site.runtime_dir.parent)
        for path in folder.iterdir()
        if scratch.MARK in path.name or path.name.startswith("s")
    ]


async def test_a_rich_database_comes_back_as_it_was(rig: PostgresRig, short_dir: Path) -> None:
    await rig.start()
    strategy = PostgresStrategy(rig.driver)
    await postgres_rich.fill(rig)
    await rig.query("create table public.mine as select generate_series(1, 10) a")
    told = {
        name: postgres_rich.told(rig, server_of(rig), name, short_dir)
        for name in (postgres_rich.NAME, "student")
    }
    source, taken = await take(strategy, short_dir / "one.tar")
    assert taken.consistency is Consistency.PER_DATABASE
    assert [item.key for item in taken.contents] == ["roles", postgres_rich.NAME, "student"]
    assert source.whole
    assert await strategy.build([Layer(source)], Watch(), keep=False) is None
    assert nothing_left(rig)
    await rig.query("drop table public.mine")
    before = await rig.admin("select rolname, rolpassword from pg_authid order by 1")
    secret = (rig.folder / "ou-vce-ext.secret").read_text()
    await swap(rig, await strategy.build([Layer(source)], Watch(), keep=True))
    for name, text in told.items():
        assert postgres_rich.told(rig, server_of(rig), name, short_dir) == text
    after = await rig.admin("select rolname, rolpassword from pg_authid order by 1")
    assert [row for row in after if row[0] != "postgres"] == [
        row for row in before if row[0] != "postgres"
    ]
    assert (rig.folder / "ou-vce-ext.secret").read_text() != secret
    assert await rig.query("select count(*) from public.mine") == [(10,)]
    assert await rig.query("select 1", user="helper", password="helper's", dbname="student")
    [(settings,)] = await rig.admin(
        "select array_agg(setconfig::text order by setrole) from pg_db_role_setting"
    )
    assert any("9MB" in each for each in settings)
    assert any("8MB" in each for each in settings)
    assert nothing_left(rig)
    await rig.stop()

"""A backup of PostgreSQL while a notebook has a table to itself: it waits, and says for whom."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psycopg
import pytest

from ou_vce_ext.backups.postgres import facts_sql
from ou_vce_ext.backups.postgres.strategy import PostgresStrategy
from ou_vce_ext.backups.strategy import Layer, Source
from ou_vce_ext.backups.watch import Watch
from ou_vce_ext.errors import VceError
from ou_vce_ext.services.keepers import KeeperLauncher
from tests.integration.backup_postgres_rig import take as take_backup
from tests.integration.postgres_rig import PostgresRig, copy_cluster

pytestmark = pytest.mark.integration


async def test_it_says_what_it_waits_for_and_how_to_end_that(
    short_dir: Path,
    launcher: KeeperLauncher,
    postgres_template: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rig = PostgresRig(short_dir, launcher)
    rig.folder.parent.mkdir()
    copy_cluster(postgres_template, rig.folder)
    await rig.start()
    await rig.query("create table public.orders as select generate_series(1, 10) a")
    strategy = PostgresStrategy(rig.driver)
    told: list[str] = []
    waits = asyncio.Event()

    def progress(message: str, _: float | None) -> None:
        told.append(message)
        if message.startswith("Waiting"):
            waits.set()

    async def take(name: str) -> Source:
        source, _ = await take_backup(strategy, short_dir / name, Watch(progress))
        return source

    env = rig.driver.environment()
    async with await psycopg.AsyncConnection.connect(
        host=env["PGHOST"],
        port=env["PGPORT"],
        user=env["PGUSER"],
        dbname=env["PGDATABASE"],
        passfile=env["PGPASSFILE"],
    ) as notebook:
        await notebook.execute("alter table orders add column b int")
        taking = asyncio.ensure_future(take("one.tar"))
        await asyncio.wait(
            {taking, asyncio.ensure_future(waits.wait())}, return_when=asyncio.FIRST_COMPLETED
        )
        assert (
            "Waiting for the table orders: a notebook or another program has an unfinished "
            "transaction on it"
        ) in told
        await notebook.commit()
        source = await taking
        # It is of one moment, after what was waited for.
        assert await strategy.build([Layer(source)], Watch(), keep=False) is None

        # The last setting counts: long enough for several looks.
        brief = (*facts_sql.SETTINGS, "SET lock_timeout = '5s'")
        monkeypatch.setattr(facts_sql, "SETTINGS", brief)
        await notebook.execute("truncate orders")
        with pytest.raises(VceError) as refused:
            await take("two.tar")
        assert refused.value.message == (
            f"The database {env['PGDATABASE']} was not copied: a notebook or another program has "
            "an unfinished transaction on the table orders. Your data are as they were."
        )
        assert "restart its kernel" in refused.value.hint
        await notebook.rollback()
    assert await rig.query("select count(*) from orders") == [(10,)]
    await rig.stop()

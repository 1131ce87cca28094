"""PostgreSQL backed up, proven, restored, loaded beside and made fresh, by real servers."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Coroutine
from pathlib import Path

import psycopg
import pytest

from ou_vce_ext.backups.postgres import closed
from ou_vce_ext.backups.postgres.strategy import PostgresStrategy
from ou_vce_ext.backups.strategy import Built, Layer, Source
from ou_vce_ext.backups.watch import Watch
from ou_vce_ext.backups.writer import ArchiveWriter
from ou_vce_ext.errors import BadRequestError, ConflictError, VceError
from ou_vce_ext.models_backup import Consistency
from ou_vce_ext.services.keepers import KeeperLauncher
from tests.integration import postgres_rich
from tests.integration.backup_postgres_rig import left, made_before, point_at, server_of, swap, take
from tests.integration.postgres_rig import PostgresRig, copy_cluster
from tests.integration.real_home import RealHome, written_while_replaced

pytestmark = pytest.mark.integration

_SHUT = "select datname from pg_database where not datallowconn and datname <> 'template0'"


@pytest.fixture
def rig(short_dir: Path, launcher: KeeperLauncher, postgres_template: Path) -> PostgresRig:
    """A service that was started before."""
    return made_before(short_dir, launcher, postgres_template)


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, rig: PostgresRig) -> None:
    """Jupyter's own environment points every tool and client at the live server."""
    point_at(rig, monkeypatch)


async def _closed_after_a_kill(rig: PostgresRig, strategy: PostgresStrategy) -> None:
    """A backup that was killed while it had a database open: it is closed again."""
    folder = rig.site.private_dir
    note, door = folder / closed.NOTE, rig.driver.door()

    async def killed() -> None:
        """All is as at the moment of the kill: only it could keep the block from its end."""
        async with closed.opened(door, folder) as shut:
            assert shut == {"pristine"}
            assert await rig.admin(_SHUT) == []
            told = note.read_bytes()
        assert not note.exists()
        assert await rig.admin(_SHUT) == [("pristine",)]
        await rig.admin("alter database pristine allow_connections true")
        note.write_bytes(told)

    await killed()
    await strategy.clean()
    assert await rig.admin(_SHUT) == [("pristine",)]
    assert not note.exists()
    # Or at the next backup; of one that was dropped since nothing is said.
    await killed()
    note.write_text('["gone", "pristine"]')
    async with closed.opened(door, folder) as shut:
        assert shut == {"pristine"}
    assert await rig.admin(_SHUT) == [("pristine",)]
    assert not note.exists()
    note.write_text("no list of names")
    await strategy.clean()
    assert await rig.admin(_SHUT) == [("pristine",)]
    note.unlink()


async def test_a_rich_database_comes_back_as_it_was(rig: PostgresRig, short_dir: Path) -> None:
    await rig.start()
    strategy = PostgresStrategy(rig.driver)
    await postgres_rich.fill(rig)
    await rig.query("create table public.mine as select generate_series(1, 10) a")
    await rig.admin("create database pristine owner student")
    await rig.admin("create table page as select generate_series(1, 3) n", dbname="pristine")
    await rig.admin("alter database pristine allow_connections false")
    assert "pristine" in [item.key for item in await strategy.look()]
    told = {
        name: postgres_rich.told(rig, server_of(rig), name, short_dir)
        for name in (postgres_rich.NAME, "student")
    }
    source, taken = await take(strategy, short_dir / "one.tar")
    assert taken.consistency is Consistency.PER_DATABASE
    keys = [item.key for item in taken.contents]
    assert keys == ["roles", postgres_rich.NAME, "pristine", "student"]
    assert source.whole
    assert await rig.admin(_SHUT) == [("pristine",)]
    await _closed_after_a_kill(rig, strategy)
    assert await strategy.build([Layer(source)], Watch(), keep=False) is None
    assert left(rig) == []
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
    assert await rig.admin(_SHUT) == [("pristine",)]
    await rig.admin("alter database pristine allow_connections true")
    assert await rig.admin("select sum(n) from page", dbname="pristine") == [(6,)]
    assert await rig.query("select 1", user="helper", password="helper's", dbname="student")
    [(settings,)] = await rig.admin(
        "select array_agg(setconfig::text order by setrole) from pg_db_role_setting"
    )
    assert any("9MB" in each for each in settings)
    assert any("8MB" in each for each in settings)
    assert left(rig) == []
    await rig.stop()


async def test_a_backup_under_load_is_of_one_moment_and_proving_it_touches_nothing(
    rig: PostgresRig, short_dir: Path, elsewhere: None
) -> None:
    await rig.start()
    strategy = PostgresStrategy(rig.driver)
    await rig.query("create table a (n int); create table b (n int)")
    await rig.query("insert into a select generate_series(1, 50000)")
    assert await strategy.changed() is None
    enough = asyncio.Event()
    load = asyncio.create_task(_write(rig, enough))
    source, taken = await take(strategy, short_dir / "one.tar")
    enough.set()
    # The last of it has come to its end: nothing of it is counted later.
    await load
    assert taken.consistency is Consistency.SNAPSHOT
    assert await strategy.changed() is True
    before = await _statements(rig)
    assert await strategy.build([Layer(source)], Watch(), keep=False) is None
    assert await strategy.changed() is False
    # Only what was asked here itself: how much was changed, and how much was counted.
    assert await _statements(rig) == before
    looked = {item.key: item for item in await strategy.look()}
    assert looked["student/public/a"].within == "student"
    assert looked["student/public/a"].count == looked["student/public/b"].count + 50000  # type: ignore[operator]
    assert (await strategy.estimate() or 0) > 0
    live = await rig.query("select (select count(*) from a), (select count(*) from b)")
    await strategy.load_beside(source, frozenset({"student"}), "Zwei 'x'", Watch())
    [(there, copied)] = await rig.query(
        "select (select count(*) from a), (select count(*) from b)", dbname="Zwei 'x'"
    )
    assert there == copied + 50000
    assert await rig.query("select (select count(*) from a), (select count(*) from b)") == live
    for name in ("Zwei 'x'", "student"):
        with pytest.raises(ConflictError):
            await strategy.load_beside(source, None, name, Watch())
    with pytest.raises(BadRequestError):
        await strategy.load_beside(source, None, "x" * 64, Watch())
    await _cut(rig, strategy, source)
    await rig.stop()


async def _write(rig: PostgresRig, enough: asyncio.Event) -> None:
    """Change two tables together, again and again, and once more when it is enough."""
    last = False
    while not last:
        last = enough.is_set()
        await rig.query("insert into a values (1); insert into b values (1)")


async def _statements(rig: PostgresRig) -> list[tuple[object, ...]]:
    """What all sessions have changed in the live databases."""
    return await rig.admin(
        "select datname, tup_inserted, tup_updated, tup_deleted from pg_stat_database"
        " where datname is not null order by 1"
    )


async def _cut(rig: PostgresRig, strategy: PostgresStrategy, source: Source) -> None:
    """Cut off at any step, it leaves nothing, and the next one works."""
    names = await rig.query("select datname from pg_database order by 1")
    path = rig.root / "cut.tar"
    for what in ("take", "build", "beside"):
        for steps in (1, 2, 4, 8):
            watch = _CutAfter(steps)
            archive = ArchiveWriter(path, watch)
            work: Coroutine[object, object, object] = strategy.take(archive, watch)
            if what == "build":
                work.close()
                work = strategy.build([Layer(source)], watch, keep=True)
            elif what == "beside":
                work.close()
                work = strategy.load_beside(source, None, "cut", watch)
            watch.task = asyncio.ensure_future(work)
            await asyncio.wait({watch.task})
            archive.abandon()
            if not watch.task.cancelled():
                # It was over before that many steps: what it made is to go again.
                made = watch.task.result()
                if isinstance(made, Built):
                    shutil.rmtree(made.folder)
                await rig.query('drop database if exists "cut"')
            assert left(rig) == [], (what, steps)
            assert await rig.query("select datname from pg_database order by 1") == names
            assert not path.exists()


class _CutAfter(Watch):
    """Cancels the work it watches at its n-th sign of life."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self._left = steps
        self.task: asyncio.Future[object] | None = None
        self._loop = asyncio.get_running_loop()

    def _tell(self, *, force: bool = False) -> None:
        self._left -= 1
        if self._left == 0 and self.task:
            self._loop.call_soon_threadsafe(self.task.cancel)


async def test_a_fresh_one_has_what_the_module_declares(
    short_dir: Path, launcher: KeeperLauncher, postgres_template: Path
) -> None:
    seed = short_dir / "seed.sql"
    seed.write_text("CREATE TABLE given AS SELECT generate_series(1, 7) n;\n")
    more = short_dir / "more.sql"
    more.write_text("INSERT INTO given VALUES (8);\n")
    rig = PostgresRig(
        short_dir,
        launcher,
        {"databases": ["student", "empty"]},
        seed={"databases": {"student": (str(seed), str(more))}},
    )
    rig.folder.parent.mkdir()
    copy_cluster(postgres_template, rig.folder)
    await rig.start()
    strategy = PostgresStrategy(rig.driver)
    assert "student" in strategy.becomes()
    assert "empty" in strategy.becomes()
    built = await strategy.build([], Watch(), keep=True)
    assert await rig.query("select count(*) from kept") == [(1,)]
    await swap(rig, built)
    assert await rig.query("select count(*), max(n) from given") == [(8, 8)]
    assert await rig.query("select to_regclass('kept')") == [(None,)]
    assert await rig.query("select 1", dbname="empty") == [(1,)]
    seed.unlink()
    with pytest.raises(VceError) as refused:
        await strategy.build([], Watch(), keep=True)
    assert refused.value.code == "config-invalid"
    assert left(rig) == []
    await rig.stop()


async def test_rows_committed_while_all_is_replaced_come_back_with_an_undo(
    rig: PostgresRig, launcher: KeeperLauncher
) -> None:
    rig.site.root_dir.mkdir()
    async with RealHome(rig.site.root_dir, rig.driver, launcher) as home:
        strategy = home.backups.counter.strategy("postgres")
        assert isinstance(strategy, PostgresStrategy)
        await rig.query("create table diary (n int)")

        async def write(number: int) -> None:
            await rig.query(f"insert into diary values ({number})")

        async def diary() -> set[int]:
            try:
                return {number for (number,) in await rig.query("select n from diary")}
            except psycopg.errors.UndefinedTable:
                # It is as fresh as on the first day.
                return set()

        made = await home.done(await home.backups.back_up("postgres"))
        assert isinstance(made.result, dict)
        # What nobody has changed has not moved on: not by being copied, nor by being stopped.
        assert not await strategy.moved_on(strategy.moment)
        await home.done(home.registry.restart("postgres"))
        assert not await strategy.moved_on(strategy.moment)
        await home.done(home.registry.stop("postgres"))
        assert not await strategy.moved_on(strategy.moment)
        await home.done(home.registry.start("postgres"))
        await write(0)
        assert await strategy.moved_on(strategy.moment)
        for restored in (str(made.result["id"]), None):
            await written_while_replaced(home, restored, write, diary, psycopg.Error)
        # A quiet one keeps nothing but the copy.
        over = await home.done(await home.backups.reset("postgres"))
        assert isinstance(over.result, dict)
        assert over.result["kept"] == []
        assert left(rig) == []

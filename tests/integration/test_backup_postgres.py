"""PostgreSQL backed up, proven, restored, loaded beside and made fresh, by real servers."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Coroutine
from pathlib import Path

import psycopg
import pytest

from ou_vce_ext.backups import scratch
from ou_vce_ext.backups.postgres import closed
from ou_vce_ext.backups.postgres.strategy import PostgresStrategy
from ou_vce_ext.backups.strategy import Built, Layer, Source
from ou_vce_ext.backups.watch import Watch
from ou_vce_ext.backups.writer import ArchiveWriter
from ou_vce_ext.drivers.postgres.programs import Server, find_servers
from ou_vce_ext.errors import BadRequestError, ConflictError, UnsuitableError, VceError
from ou_vce_ext.models_backup import Consistency, Reason
from ou_vce_ext.services.keepers import KeeperLauncher
from ou_vce_ext.states import ServiceState
from tests.integration import postgres_rich
from tests.integration.backup_postgres_rig import take
from tests.integration.postgres_rig import PostgresRig, copy_cluster
from tests.integration.real_home import RealHome, written_while_replaced

pytestmark = pytest.mark.integration

_SHUT = "select datname from pg_database where not datallowconn and datname <> 'template0'"


@pytest.fixture
def rig(short_dir: Path, launcher: KeeperLauncher, postgres_template: Path) -> PostgresRig:
    """A service that was started before."""
    made = PostgresRig(short_dir, launcher)
    made.folder.parent.mkdir()
    copy_cluster(postgres_template, made.folder)
    return made


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, rig: PostgresRig) -> None:
    """Jupyter's own environment points every tool and client at the live server."""
    for name, value in rig.driver.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PGHOSTADDR", "127.0.0.1")
    monkeypatch.setenv("PGPASSWORD", rig.driver.declared.password)


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


def left(rig: PostgresRig) -> list[Path]:
    """What a call has left behind of its own."""
    return [
        path
        for folder in (rig.folder.parent, rig.site.private_dir, rig.site.runtime_dir.parent)
        for path in folder.iterdir()
        if scratch.MARK in path.name or re.fullmatch("s[0-9a-f]{6}", path.name)
    ]


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


async def test_files_of_other_tools_are_loaded_or_refused(
    rig: PostgresRig, short_dir: Path, elsewhere: None
) -> None:
    await rig.start()
    strategy = PostgresStrategy(rig.driver)
    await rig.query("create table t as select i, md5(i::text) m from generate_series(1, 20000) i")
    await rig.query("create function f() returns text language sql begin atomic select 'x;'; end")
    await rig.query("select lo_from_bytea(77, 'abc')")
    server = server_of(rig)
    files = postgres_rich.dumps(rig, server, short_dir)
    for number, path in enumerate(files):
        source = await strategy.open(path, path.name)
        assert not source.whole
        assert len(source.contents) == 1
        await strategy.load_beside(source, None, f"beside {number}", Watch())
        loaded = await rig.query(
            "select count(*), sum(i), f(), convert_from(lo_get(77), 'utf8') from t",
            dbname=f"beside {number}",
        )
        assert loaded == [(20000, 200010000, "x;", "abc")], path.name
        with pytest.raises(ConflictError):
            await strategy.load_beside(source, None, f"beside {number}", Watch())
    for path in files:
        await _refuses_damage(strategy, path)
    source = await strategy.open(files[0], files[0].name)
    await swap(rig, await strategy.build([Layer(source)], Watch(), keep=True))
    assert await rig.query("select count(*) from t") == [(20000,)]
    assert await rig.query("select tableowner from pg_tables where tablename = 't'") == [
        ("student",)
    ]
    await rig.stop()


async def _refuses_damage(strategy: PostgresStrategy, path: Path) -> None:
    content = path.read_bytes()
    cut = path.with_name("cut-" + path.name)
    for length in (len(content) // 7, len(content) // 2, len(content) - 300):
        cut.write_bytes(content[:length])
        with pytest.raises(UnsuitableError):
            await strategy.open(cut, cut.name)
    cut.unlink()


HOSTILE = {
    "a program": b"CREATE TABLE a (b int);\n\\! touch {0}\n",
    "after a statement": b"SELECT 1 \\g |touch {0}\n",
    "a variable": b"CREATE TABLE a (b int);\n\\set x `touch {0}`\n",
    "the server": b"CREATE TABLE a (b text);\nCOPY a FROM PROGRAM 'touch {0}';\n",
    "out": b"CREATE TABLE a (b text);\nCOPY a TO '{0}';\n",
    "half": b"CREATE TABLE a (b text);\nINSERT INTO a VALUES ('half",
    "rows without end": b"CREATE TABLE a (b text);\nCOPY a FROM stdin;\nx\n",
    "no rights": b"CREATE TABLE a (b text);\nCREATE EXTENSION file_fdw;\n",
    "superuser": b"CREATE TABLE a (b text);\nSET SESSION AUTHORIZATION postgres;\n"
    b"COPY a TO PROGRAM 'touch {0}';\n",
}


async def test_hostile_scripts_do_nothing(rig: PostgresRig, short_dir: Path) -> None:
    await rig.start()
    strategy = PostgresStrategy(rig.driver)
    mark = short_dir / "touched"
    for name, text in HOSTILE.items():
        path = short_dir / "hostile.sql"
        path.write_bytes(text.replace(b"{0}", str(mark).encode()))

        async def load(path: Path = path) -> None:
            source = await strategy.open(path, path.name)
            await strategy.load_beside(source, None, "hostile", Watch())

        with pytest.raises(UnsuitableError) as refused:
            await load()
        assert "Traceback" not in refused.value.message, name
        assert not mark.exists(), name
    names = await rig.query("select datname from pg_database order by 1")
    assert names == [("postgres",), ("student",), ("template0",), ("template1",)]
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


async def test_from_an_older_server_to_a_newer_one_and_never_back(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    servers = sorted(find_servers(), key=lambda server: server.major)
    older, newer = servers[0], servers[-1]
    assert older.major < newer.major
    sides = {}
    for server in (older, newer):
        root = short_dir / str(server.major)
        root.mkdir(mode=0o711)
        rig = PostgresRig(root, launcher)
        # Each machine has one release only.
        rig.driver.find_servers = lambda server=server: [server]  # type: ignore[method-assign,misc]
        await rig.start()
        sides[server.major] = rig, PostgresStrategy(rig.driver)
    (old, old_strategy), (new, new_strategy) = sides[older.major], sides[newer.major]
    await postgres_rich.fill(old)
    await old.query("create table t as select generate_series(1, 5) n")
    _, _ = await take(old_strategy, short_dir / "old.tar")
    source = await new_strategy.open(short_dir / "old.tar", "old.tar")
    await swap(new, await new_strategy.build([Layer(source)], Watch(), keep=True))
    assert await new.query("select count(*) from t") == [(5,)]
    assert await new.query(
        'select count(*) from shop."Order"',
        user="postgres",
        password=(new.folder / "ou-vce-ext.secret").read_text().strip(),
        dbname=postgres_rich.NAME,
    ) == [(2000,)]
    await take(new_strategy, short_dir / "new.tar")
    back = await old_strategy.open(short_dir / "new.tar", "new.tar")
    for work in (
        old_strategy.build([Layer(back)], Watch(), keep=True),
        old_strategy.load_beside(back, frozenset({"student"}), "back", Watch()),
    ):
        with pytest.raises(UnsuitableError, match=f"PostgreSQL {newer.major}"):
            await work
    for number, path in enumerate(postgres_rich.dumps(new, newer, short_dir)):
        with pytest.raises(UnsuitableError):
            await old_strategy.load_beside(
                await old_strategy.open(path, path.name), None, f"b{number}", Watch()
            )
    await new.stop()
    await old.stop()
    await _under_a_new_image(old, new, launcher)


async def _under_a_new_image(old: PostgresRig, new: PostgresRig, launcher: KeeperLauncher) -> None:
    """It has the newer release alone: the old folder is told of, and its data come over."""
    old.site.root_dir.mkdir(exist_ok=True)
    async with RealHome(old.site.root_dir, old.driver, launcher) as home:
        made = await home.done(await home.backups.back_up("postgres", Reason.SCHEDULED))
        assert isinstance(made.result, dict)
        await home.done(await home.backups.verify(str(made.result["id"])))
        await home.done(home.registry.stop("postgres"))
        version = (old.folder / "PG_VERSION").read_text()
        old.driver.find_servers = new.driver.find_servers  # type: ignore[method-assign]
        over = await home.ended(home.registry.start("postgres"))
        assert over.error
        assert over.error.code == "data-wrong-version"
        assert Path(str(made.result["path"])).name in over.error.hint
        over = await home.done(await home.backups.restore(str(made.result["id"])))
        assert home.item.state is ServiceState.READY
        assert await old.query("select count(*) from t") == [(5,)]
        [(release,)] = await old.query("show server_version_num")
        assert release[:2] == str(server_of(new).major)
        assert isinstance(over.result, dict)
        assert over.result["safety_copy"] is None
        [kept] = over.result["kept"]  # type: ignore[misc, str-unpack]
        assert (Path(str(kept)) / "PG_VERSION").read_text() == version


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

"""Dumps that PostgreSQL's own tools or anybody else made: loaded, or refused with nothing done."""

from __future__ import annotations

from pathlib import Path

import pytest

from ou_vce_ext.backups.postgres.strategy import PostgresStrategy
from ou_vce_ext.backups.strategy import Layer
from ou_vce_ext.backups.watch import Watch
from ou_vce_ext.errors import ConflictError, UnsuitableError
from ou_vce_ext.services.keepers import KeeperLauncher
from tests.integration import postgres_rich
from tests.integration.backup_postgres_rig import left, made_before, point_at, server_of, swap
from tests.integration.postgres_rig import PostgresRig

pytestmark = pytest.mark.integration


@pytest.fixture
def rig(short_dir: Path, launcher: KeeperLauncher, postgres_template: Path) -> PostgresRig:
    """A service that was started before."""
    return made_before(short_dir, launcher, postgres_template)


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, rig: PostgresRig) -> None:
    """Jupyter's own environment points every tool and client at the live server."""
    point_at(rig, monkeypatch)


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

"""A real PostgreSQL server through its driver, from the first start to the last stop."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
from pathlib import Path

import psutil
import psycopg
import pytest

from ou_vce_ext.drivers.base import no_progress
from ou_vce_ext.drivers.postgres.programs import find_servers
from ou_vce_ext.errors import DefiniteError
from ou_vce_ext.services import proc
from ou_vce_ext.services.keepers import KeeperLauncher
from tests.free_ports import free_port
from tests.integration.postgres_rig import SECRET, PostgresRig, copy_cluster
from tests.integration.watching import until

pytestmark = pytest.mark.integration

# What the notebooks of a module that is taught already say.
OLD_NOTEBOOKS = {
    "user": "tm351",
    "password": "tm351",
    "databases": ["tm351", "tm351_clean"],
    "roles": [{"name": "tm351_student", "password": "tm351_student"}],
}


@pytest.fixture
def fresh(short_dir: Path, launcher: KeeperLauncher) -> PostgresRig:
    """A service that was never started."""
    return PostgresRig(short_dir, launcher)


@pytest.fixture
def rig(fresh: PostgresRig, postgres_template: Path) -> PostgresRig:
    """A service that was started before."""
    fresh.folder.parent.mkdir()
    copy_cluster(postgres_template, fresh.folder)
    return fresh


async def test_a_kernel_needs_no_settings_even_one_that_was_there_before(
    fresh: PostgresRig,
) -> None:
    before = dict(fresh.driver.environment())
    process = await fresh.start()
    assert fresh.driver.environment() == before
    written = fresh.kernel(
        "import psycopg\n"
        "with psycopg.connect() as db:\n"
        "    db.execute('create table t (a int)')\n"
        "    db.execute('insert into t select generate_series(1, 1000)')\n"
        "    print(db.execute('select count(*), current_user from t').fetchone())"
    )
    assert written == "(1000, 'student')"
    assert psutil.Process(process.pid).name() == "postgres"
    await fresh.stop()
    await fresh.start()
    assert await fresh.query("select count(*) from t") == [(1000,)]
    await fresh.stop()
    assert not psutil.pid_exists(process.pid)


async def test_what_is_made_is_private(fresh: PostgresRig) -> None:
    await fresh.start()
    env = fresh.driver.environment()
    for path, mode in (
        (fresh.folder, 0o700),
        (Path(env["PGHOST"]), 0o700),
        (Path(env["PGHOST"], f".s.PGSQL.{env['PGPORT']}"), 0o700),
        (Path(env["PGPASSFILE"]), 0o600),
        (fresh.folder / "ou-vce-ext.secret", 0o600),
    ):
        assert stat.S_IMODE(path.stat().st_mode) == mode, path
    listening = proc.tcp_listeners(int(env["PGPORT"]))
    assert [found.address for found in listening] == ["127.0.0.1"]
    assert SECRET not in " ".join(psutil.Process(fresh.process.pid).cmdline())  # type: ignore[union-attr]
    assert await fresh.query("show data_checksums") == [("on",)]
    assert await fresh.query("show server_encoding") == [("UTF8",)]
    rules = (fresh.folder / "pg_hba.conf").read_text().splitlines()
    methods = {line.split()[-1] for line in rules if line and not line.startswith("#")}
    assert methods == {"scram-sha-256"}
    assert not list(fresh.folder.parent.glob("*.partial"))
    await fresh.stop()


async def test_tcp_takes_the_same_secret_and_no_other(rig: PostgresRig) -> None:
    await rig.start()
    connection = rig.driver.connection()
    assert connection.host == "127.0.0.1"
    assert await rig.query("select 1", host=connection.host) == [(1,)]
    assert await rig.query("select 1", host="localhost") == [(1,)]
    for host in (connection.host, connection.socket):
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            await rig.query("select 1", host=host, password="guess")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            await rig.query("select 1", host=host, user="postgres", password=SECRET)
    await rig.stop()


async def test_a_student_may_do_what_a_course_asks_for(rig: PostgresRig) -> None:
    await rig.start()
    await rig.query("create database mine")
    await rig.query("create role helper login password 'x'")
    await rig.query("create extension pg_trgm")
    await rig.query("select query from pg_stat_activity")
    rights = "select rolsuper, rolcreatedb, rolcreaterole from pg_roles where rolname = 'student'"
    assert await rig.query(rights) == [(False, True, True)]
    assert await rig.query(
        "select pg_has_role('pg_monitor', 'member'), pg_has_role('pg_signal_backend', 'member')"
    ) == [(True, True)]
    await rig.stop()


async def test_old_notebooks_find_what_they_expect(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    port = free_port()
    rig = PostgresRig(short_dir, launcher, {**OLD_NOTEBOOKS, "port": port})
    await rig.start()
    url = f"postgresql://tm351:tm351@localhost:{port}"
    for database in ("tm351", "tm351_clean"):
        async with await psycopg.AsyncConnection.connect(f"{url}/{database}") as connection:
            await connection.execute("create table hospital (name text)")
    other = f"postgresql://tm351_student:tm351_student@localhost:{port}/tm351"
    async with await psycopg.AsyncConnection.connect(other) as connection:
        found = await (await connection.execute("select current_user")).fetchone()
        assert found == ("tm351_student",)
    await rig.stop()


async def test_setting_up_again_changes_nothing_but_lost_passwords(rig: PostgresRig) -> None:
    rig = PostgresRig(rig.root, rig.launcher, OLD_NOTEBOOKS)
    await rig.start()
    await rig.query("alter role tm351 password 'changed'", password="tm351")
    await rig.query("create table t as select 1 as a", password="changed")
    await rig.query("revoke create on schema public from public", password="changed")
    state = "select rolname, rolpassword from pg_authid where rolname <> 'tm351' order by 1"
    before = await rig.admin(state)
    await rig.driver.provision(no_progress)
    assert await rig.query("select a from t", password="tm351") == [(1,)]
    assert await rig.admin(state) == before
    await rig.stop()


async def test_declared_roles_keep_their_attributes(rig: PostgresRig) -> None:
    odd = "Odd \"role\" with 'quotes' é"
    roles: list[dict[str, object]] = [
        {"name": odd, "password": "pässwörd"},
        {"name": "boss", "password": "b", "superuser": True},
        {"name": "readers", "login": False},
        {"name": "ann", "password": "a", "member_of": ["readers"]},
    ]
    rig = PostgresRig(rig.root, rig.launcher, {"roles": roles, "databases": ["Größe; drop", "two"]})
    await rig.start()
    assert await rig.query(
        "select rolname, rolsuper, rolcanlogin from pg_roles where rolname in "
        "('boss', 'readers', 'ann') order by 1"
    ) == [("ann", False, True), ("boss", True, True), ("readers", False, False)]
    assert await rig.query(
        "select pg_has_role(current_user, 'readers', 'member'), current_database()",
        user="ann",
        password="a",
    ) == [(True, "Größe; drop")]
    assert await rig.query("select current_user", user=odd, password="pässwörd") == [(odd,)]
    await rig.stop()


async def test_a_module_may_have_its_students_be_postgres_themselves(rig: PostgresRig) -> None:
    for password in ("first", "second"):
        options = {"user": "postgres", "password": password, "databases": ["course"]}
        rig = PostgresRig(rig.root, rig.launcher, options)
        await rig.start()
        assert await rig.query("select current_user", password=password) == [("postgres",)]
        await rig.stop()


async def test_declared_settings_reach_the_server(rig: PostgresRig) -> None:
    settings = {"work_mem": "16MB", "jit": False, "max_connections": 20}
    rig = PostgresRig(rig.root, rig.launcher, {"settings": settings})
    await rig.start()
    assert await rig.query("show work_mem") == [("16MB",)]
    assert await rig.query("show jit") == [("off",)]
    assert await rig.query("show max_connections") == [("20",)]
    await rig.stop()


async def test_a_killed_server_comes_back_with_all_that_was_committed(rig: PostgresRig) -> None:
    process = await rig.start()
    await rig.query("create table t as select generate_series(1, 500) as a")
    busy = asyncio.ensure_future(
        rig.query("select count(*) from generate_series(1, 1000000000000)")
    )
    await until(lambda: _busiest(process.pid) > 0.05)
    os.kill(process.pid, signal.SIGKILL)
    ending = await process.down()
    with pytest.raises(psycopg.OperationalError):
        await busy
    told = rig.driver.diagnose(ending, rig.log().splitlines())
    assert told is not None
    assert (told.code, told.signal) == ("killed", "SIGKILL")
    await rig.driver.close()
    await rig.start()
    assert await rig.query("select count(*) from t") == [(500,)]
    await rig.stop()


def _busiest(pid: int) -> float:
    """Seconds of CPU that the busiest process below ``pid`` has had; they come and go."""
    found = filter(None, map(proc.stat, proc.descendants(pid)))
    return max((each.cpu / proc.TICKS for each in found), default=0.0)


async def test_a_killed_backend_is_no_death_of_the_server(rig: PostgresRig) -> None:
    process = await rig.start()
    [(backend,)] = await rig.admin(
        "select pid from pg_stat_activity where application_name = 'ou_vce_ext'"
    )
    os.kill(int(str(backend)), signal.SIGKILL)
    async with asyncio.timeout(120):
        while not await rig.driver.probe(process):
            await asyncio.sleep(0.02)
    assert await rig.query("select 1") == [(1,)]
    await rig.stop()


async def test_a_server_that_hangs_does_not_hang_the_probe(rig: PostgresRig) -> None:
    process = await rig.start()
    tree = [process.pid, *(child.pid for child in psutil.Process(process.pid).children())]
    for pid in tree:
        os.kill(pid, signal.SIGSTOP)
    for _ in range(2):
        async with asyncio.timeout(120):
            assert await rig.driver.probe(process) is False
    probing = asyncio.ensure_future(rig.driver.probe(process))
    await asyncio.sleep(0)
    probing.cancel()
    async with asyncio.timeout(120):
        await asyncio.wait({probing})
    assert await process.resume()
    await until(lambda: psutil.Process(process.pid).status() != psutil.STATUS_STOPPED)
    assert await rig.become_ready() == "ready"
    await rig.stop()


async def test_a_server_that_lets_nobody_in_is_not_well(rig: PostgresRig) -> None:
    process = await rig.start()
    assert await rig.become_ready() == "ready"
    os.kill(process.pid, signal.SIGSTOP)
    # A session from before goes on, and the one that the probe keeps would too.
    await until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED)
    assert not await rig.driver.probe(process)
    assert await process.resume()
    assert await rig.become_ready() == "ready"
    assert await rig.become_ready() == "ready"
    assert "encrypt" not in rig.log()
    assert "incomplete" not in rig.log()
    await rig.stop()


async def test_a_first_start_can_be_cut_at_any_moment(fresh: PostgresRig) -> None:
    for seconds in (0.0, 0.05, 0.2, 0.4, 0.8):
        starting = asyncio.ensure_future(fresh.launch())
        await asyncio.wait({starting}, timeout=seconds)
        starting.cancel()
        await asyncio.wait({starting})
        if not starting.cancelled():
            await starting.result().stop()
        assert not list(fresh.folder.parent.glob("*.partial"))
    await fresh.start()
    await fresh.stop()


async def test_a_folder_without_our_password_is_won_back(rig: PostgresRig) -> None:
    await rig.start()
    await rig.query("create table t as select 1 as a")
    await rig.stop()
    secret = rig.folder / "ou-vce-ext.secret"
    lost = secret.read_text()
    secret.unlink()
    await rig.start()
    assert secret.read_text() != lost
    assert await rig.query("select a from t") == [(1,)]
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        await rig.query("select 1", user="postgres", passfile="/dev/null", dbname="postgres")
    await rig.stop()
    await rig.start()
    assert await rig.query("select a from t") == [(1,)]
    await rig.stop()


async def test_a_changed_superuser_password_is_told_and_then_mended(rig: PostgresRig) -> None:
    await rig.start()
    await rig.admin("alter role postgres password 'mine'")
    await rig.driver.close()
    with pytest.raises(DefiniteError) as refused:
        await rig.become_ready()
    assert refused.value.code == "credentials-refused"
    await rig.stop()
    await rig.start()
    assert await rig.query("select 1") == [(1,)]
    await rig.stop()


async def test_a_dropped_maintenance_database_is_told(rig: PostgresRig) -> None:
    await rig.start()
    await rig.driver.close()
    await rig.admin("drop database postgres", dbname="student")
    with pytest.raises(DefiniteError) as refused:
        await rig.become_ready()
    assert refused.value.code == "credentials-refused"
    assert "in the database `postgres`" in refused.value.hint
    await rig.admin("create database postgres", dbname="student")
    assert await rig.become_ready() == "ready"
    await rig.stop()


async def test_the_configured_server_goes_first(short_dir: Path, launcher: KeeperLauncher) -> None:
    worst = find_servers()[-1]
    rig = PostgresRig(short_dir, launcher, {"program": str(worst.folder)})
    process = await rig.start()
    assert Path(psutil.Process(process.pid).exe()).parent == worst.folder
    assert (rig.folder / "PG_VERSION").read_text().strip() == str(worst.major)
    await rig.stop()
    # Without the declaration the data says which server is the one.
    rig = PostgresRig(short_dir, launcher)
    process = await rig.start()
    assert Path(psutil.Process(process.pid).exe()).parent == worst.folder
    await rig.stop()


class TestAdopted:
    """A server that runs already, and is not ours to start or stop."""

    @pytest.fixture
    def running(self, rig: PostgresRig) -> PostgresRig:
        return rig

    def adopt(self, theirs: PostgresRig, **options: object) -> PostgresRig:
        declared = {"port": theirs.site.port, "user": "student", "password": SECRET, **options}
        return PostgresRig(theirs.root / "ours", theirs.launcher, declared, external=True)

    async def test_health_and_connection(self, running: PostgresRig) -> None:
        await running.start()
        file = running.root / "password"
        file.write_text(SECRET + "\nignored\n")
        ways: list[dict[str, object]] = [
            {},
            {"host": "localhost"},
            {"host": running.driver.environment()["PGHOST"]},
        ]
        for way in ways:
            adopted = self.adopt(running, **way)
            assert await adopted.driver.missing() is None
            assert await adopted.driver.probe(None) is True
            assert adopted.driver.versions() == running.driver.versions()
            assert adopted.kernel("import psycopg; print(psycopg.connect().info.user)") == "student"
            await adopted.driver.close()
        spec = {"password_file": str(file), "port": running.site.port, "user": "student"}
        adopted = PostgresRig(running.root / "b", running.launcher, spec, external=True)
        assert await adopted.driver.probe(None) is True
        assert await adopted.query("select 1") == [(1,)]
        await adopted.driver.close()
        await running.stop()

    async def test_what_is_wrong_is_told(self, running: PostgresRig) -> None:
        down = self.adopt(running)
        with pytest.raises(DefiniteError) as refused:
            await down.driver.probe(None)
        assert refused.value.code == "external-down"
        await running.start()
        assert await down.driver.probe(None) is True
        await down.driver.close()
        wrong: list[dict[str, object]] = [
            {"password": "no"},
            {"user": "nobody"},
            {"databases": ["none"]},
        ]
        for options in wrong:
            adopted = self.adopt(running, **options)
            with pytest.raises(DefiniteError) as refused:
                await adopted.driver.probe(None)
            assert refused.value.code == "credentials-refused", options
        await running.stop()


def test_psql_finds_the_server_too(
    rig: PostgresRig, jp_asyncio_loop: asyncio.AbstractEventLoop
) -> None:
    jp_asyncio_loop.run_until_complete(rig.start())
    psql = find_servers()[0].tool("psql")
    shown = subprocess.run(
        [psql, "-Atc", "select current_user, current_database()"],
        env={"PATH": os.environ["PATH"], **rig.driver.environment()},
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert (shown.stdout.strip(), shown.stderr) == ("student|student", "")
    jp_asyncio_loop.run_until_complete(rig.stop())

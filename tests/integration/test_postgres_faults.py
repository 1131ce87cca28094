"""Everything that can keep PostgreSQL from starting, caused for real: told, and nothing touched."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import socket
import subprocess
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg
import pytest

from ou_vce_ext.drivers.postgres.files import control_is_whole
from ou_vce_ext.drivers.postgres.programs import find_servers
from ou_vce_ext.errors import DataInUseError
from ou_vce_ext.launch import Identity
from ou_vce_ext.services.keepers import KeeperLauncher
from tests.integration.postgres_rig import PostgresRig, copy_cluster
from tests.integration.small_disk import mounted
from tests.integration.watching import until

pytestmark = pytest.mark.integration


@pytest.fixture
def rig(short_dir: Path, launcher: KeeperLauncher, postgres_template: Path) -> PostgresRig:
    """A service with databases in which the answer is kept."""
    rig = PostgresRig(short_dir, launcher)
    rig.folder.parent.mkdir()
    copy_cluster(postgres_template, rig.folder)
    return rig


async def answers(rig: PostgresRig) -> None:
    """It starts, and has kept what it was given."""
    await rig.start()
    assert await rig.query("select answer from kept") == [(42,)]
    await rig.stop()


def fingerprint(folder: Path) -> str:
    """Changes with any name, content or mode in ``folder``."""
    seen = hashlib.sha256()
    for parent, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted((*files, ".")):
            path = Path(parent, name)
            seen.update(f"{path}{path.stat().st_mode}{path.stat().st_uid}".encode())
            if path.is_file():
                seen.update(path.read_bytes())
    return seen.hexdigest()


async def refused(rig: PostgresRig, code: str, *words: str) -> None:
    """It is refused with that code and words, twice over, and the folder is as it was."""
    before = fingerprint(rig.folder)
    for _ in range(2):
        refusal = await rig.refusal()
        assert refusal.code == code, refusal.message
        assert refusal.hint
        for word in words:
            assert word in f"{refusal.message} {refusal.hint}"
    assert fingerprint(rig.folder) == before


# -- the data folder ---------------------------------------------------------------------------


async def test_a_folder_of_another_release_is_left_alone(rig: PostgresRig) -> None:
    (rig.folder / "PG_VERSION").write_text("11\n")
    await refused(rig, "data-wrong-version", "PostgreSQL 11", "postgresql-11", "backup")


@pytest.mark.parametrize("content", [None, "", "soup", "15 or so"])
async def test_a_folder_that_does_not_say_its_release(
    rig: PostgresRig, content: str | None
) -> None:
    if content is None:
        (rig.folder / "PG_VERSION").unlink()
    else:
        (rig.folder / "PG_VERSION").write_text(content)
    await refused(rig, "data-corrupt", "PG_VERSION", "backup")


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "zeros", "missing"])
async def test_a_damaged_control_file(rig: PostgresRig, damage: str) -> None:
    control = rig.folder / "global" / "pg_control"
    whole = control.read_bytes()
    assert control_is_whole(whole)
    if damage == "missing":
        control.unlink()
    else:
        flipped = bytearray(whole)
        flipped[40] ^= 1
        damaged = {
            "flipped": bytes(flipped),
            "cut": whole[:100],
            "empty": b"",
            "zeros": bytes(8192),
        }
        control.write_bytes(damaged[damage])
    await refused(rig, "data-corrupt", "pg_control", "backup")
    control.write_bytes(whole)
    await answers(rig)


async def test_every_flipped_bit_of_a_control_file_is_seen(postgres_template: Path) -> None:
    whole = (postgres_template / "global" / "pg_control").read_bytes()
    used = len(whole.rstrip(b"\0"))
    for place in range(used):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << place % 8
        assert not control_is_whole(bytes(flipped)), place


@pytest.mark.parametrize("part", ["base", "pg_wal", "postgresql.conf", "pg_hba.conf"])
async def test_a_missing_part(rig: PostgresRig, part: str) -> None:
    (rig.folder / part).rename(rig.folder.parent / "elsewhere")
    await refused(rig, "data-corrupt", part)


async def test_files_that_are_no_databases_are_left_alone(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    rig = PostgresRig(short_dir, launcher)
    rig.folder.mkdir(parents=True, mode=0o700)
    (rig.folder / "thesis.odt").write_text("precious")
    await refused(rig, "data-corrupt", "left alone", "data_dir")
    shutil.rmtree(rig.folder)
    rig.folder.write_text("a file")
    refusal = await rig.refusal()
    assert (refusal.code, rig.folder.read_text()) == ("data-corrupt", "a file")


@pytest.mark.parametrize("left", [True, False], ids=["empty", "missing"])
async def test_databases_that_are_gone_are_not_replaced_by_new_ones(
    short_dir: Path, launcher: KeeperLauncher, left: bool
) -> None:
    rig = PostgresRig(short_dir, launcher)
    await rig.start()
    await rig.stop()
    elsewhere = rig.folder.rename(rig.folder.with_name("elsewhere"))
    if left:
        rig.folder.mkdir(mode=0o700)
    refusal = await rig.refusal()
    assert refusal.code == "data-missing"
    mark = next(word for word in refusal.hint.split() if "databases-were-made" in word)
    assert rig.folder.exists() == left
    if left:
        rig.folder.rmdir()
    elsewhere.rename(rig.folder)
    await rig.start()
    await rig.stop()
    # Whoever wants to go on without them can.
    shutil.rmtree(rig.folder)
    Path(mark).unlink()
    await rig.start()
    await rig.stop()


async def test_an_empty_folder_is_taken(short_dir: Path, launcher: KeeperLauncher) -> None:
    rig = PostgresRig(short_dir, launcher)
    rig.folder.mkdir(parents=True)
    await rig.start()
    await rig.stop()


async def test_a_folder_open_to_others_is_closed(rig: PostgresRig) -> None:
    rig.folder.chmod(0o755)
    await answers(rig)
    assert rig.folder.stat().st_mode & 0o777 == 0o700


async def test_a_folder_of_another_user(rig: PostgresRig) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    # Root serves a folder of somebody else's as that somebody: it is the rest that is not theirs.
    os.chown(rig.folder, 12345, 12345)
    os.chown(rig.folder / "base", 23456, 23456)
    await refused(rig, "data-wrong-owner", "uid 23456", "chown -R")


async def test_a_folder_that_takes_no_files(rig: PostgresRig) -> None:
    with mounted(rig.root / "disk", "tmpfs", "size=120m,mode=1777") as (disk, remount):
        readonly = PostgresRig(rig.root, rig.launcher, data_dir=disk / "inner" / "postgres")
        (disk / "inner").mkdir(mode=0o700)
        copy_cluster(rig.folder, readonly.folder)
        (disk / "inner" / "postgres.lock").touch()
        remount("ro")
        await refused(readonly, "data-unwritable", "ead-only")
        remount("rw")
        await answers(readonly)


async def test_a_full_disk_before_and_while_databases_are_made(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    with mounted(short_dir / "disk", "tmpfs", "size=30m,mode=1777") as (disk, remount):
        rig = PostgresRig(short_dir, launcher, data_dir=disk / "inner" / "postgres")
        refusal = await rig.refusal()
        assert refusal.code == "disk-full"
        assert "MB are needed" in refusal.message
        # Enough at first, and then not: somebody else is writing too.
        remount("size=100m")
        filler = disk / "filler"
        starting = asyncio.ensure_future(rig.refusal())
        await until(lambda: list((disk / "inner").glob("*.partial/cluster/base")))
        with filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(1 << 16))
            except OSError:
                pass
        refusal = await starting
        assert refusal.code == "disk-full", refusal.message
        assert [found.name for found in (disk / "inner").iterdir()] == ["postgres.lock"]
        filler.unlink()
        await rig.start()
        await rig.stop()


async def test_a_disk_that_fills_while_it_runs(rig: PostgresRig) -> None:
    with mounted(rig.root / "disk", "tmpfs", "size=150m,mode=1777") as (disk, _):
        full = PostgresRig(rig.root, rig.launcher, data_dir=disk / "inner" / "postgres")
        (disk / "inner").mkdir(mode=0o700)
        copy_cluster(rig.folder, full.folder)
        filler = disk / "filler"
        with filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(1 << 12))
            except OSError:
                pass
        assert (await full.refusal()).code == "disk-full"
        with filler.open("r+b") as file:
            file.truncate(filler.stat().st_size - 3_000_000)
        process = await full.start()
        with pytest.raises(psycopg.errors.DiskFull):
            await full.query(
                "create table t as select repeat('x', 999) from generate_series(1, 99999)"
            )
        assert await full.query("select answer from kept") == [(42,)]
        # Where not even the log of changes can grow, the server ends.
        died = asyncio.ensure_future(process.down())
        with pytest.raises(psycopg.OperationalError):
            await _write_until_it_dies(full)
        await full.driver.close()
        told = full.driver.diagnose(await died, full.log().splitlines())
        assert told is not None
        assert told.code == "disk-full", full.log()
        filler.unlink()
        await answers(full)


async def _write_until_it_dies(rig: PostgresRig) -> None:
    while True:
        await rig.admin("select pg_logical_emit_message(true, 'a', 'b'), pg_switch_wal()")


async def test_a_file_system_that_cannot_hold_a_database(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may mount this kind")
    with mounted(short_dir / "disk", "hugetlbfs", "size=200m,mode=1777") as (disk, _):
        rig = PostgresRig(short_dir, launcher, data_dir=disk / "inner" / "postgres")
        refusal = await rig.refusal()
        assert refusal.code == "folder-unsuitable", refusal.message
        assert "VCE_DATA_DIR" in refusal.hint
        assert [found.name for found in (disk / "inner").iterdir()] == ["postgres.lock"]


async def test_sockets_that_would_have_too_long_a_path(rig: PostgresRig) -> None:
    far = PostgresRig(rig.root, rig.launcher, runtime_dir=Path("/tmp", "long" * 25))
    await refused(far, "folder-unsuitable", "socket", "short")
    far.site.runtime_dir.rmdir()


# -- somebody else -----------------------------------------------------------------------------


async def test_a_taken_port_names_its_owner(rig: PostgresRig) -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", rig.driver.declared.port))
        stranger.listen()
        await refused(rig, "port-in-use", f"process {os.getpid()}", str(rig.driver.declared.port))
    await answers(rig)


async def test_a_port_taken_between_the_look_and_the_start(rig: PostgresRig) -> None:
    missing = await rig.driver.missing()
    assert missing is None
    await rig.driver.prepare(lambda message, fraction: None)
    plan = await rig.driver.plan()
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", rig.driver.declared.port))
        stranger.listen()
        process = await rig.launcher.launch(plan)
        ending = await process.down()
        told = rig.driver.diagnose(ending, rig.log().splitlines())
        assert told is not None
        assert told.code == "port-in-use"
        assert f"process {os.getpid()}" in told.message
        assert told.exit_code == 1
    await answers(rig)


async def test_a_stale_lock_file_of_the_dead(rig: PostgresRig) -> None:
    with subprocess.Popen(["true"]) as gone:
        pass
    await stale(rig, gone.pid)
    await answers(rig)


async def test_a_stale_lock_file_whose_number_a_stranger_has(rig: PostgresRig) -> None:
    with subprocess.Popen(["sleep", "6000"]) as stranger:
        try:
            await stale(rig, stranger.pid)
            await answers(rig)
            assert stranger.poll() is None
        finally:
            stranger.kill()


async def test_a_stale_lock_file_whose_number_another_server_has(
    rig: PostgresRig, launcher: KeeperLauncher, postgres_template: Path
) -> None:
    other = PostgresRig(rig.root / "other", launcher)
    other.folder.parent.mkdir(parents=True)
    copy_cluster(postgres_template, other.folder)
    process = await other.start()
    await stale(rig, process.pid)
    await answers(rig)
    assert await other.query("select answer from kept") == [(42,)]
    await other.stop()


@pytest.mark.parametrize("content", ["", "\n", "soup\n"])
async def test_a_lock_file_that_says_nothing(rig: PostgresRig, content: str) -> None:
    (rig.folder / "postmaster.pid").write_text(content)
    await answers(rig)
    assert (rig.folder / "postmaster.pid.unreadable").read_text() == content


async def test_a_server_that_has_ended_and_is_not_collected_yet_runs_nowhere(
    rig: PostgresRig, tmp_path: Path
) -> None:
    (rig.folder / "postmaster.pid").write_text("")
    program = tmp_path / "postgres"
    program.write_text("#!/bin/sh\nread line\n")
    program.chmod(0o755)
    with subprocess.Popen([program], stdin=subprocess.PIPE) as ended:
        assert ended.stdin
        ended.stdin.close()
        await until(lambda: psutil.Process(ended.pid).status() == psutil.STATUS_ZOMBIE)
        assert psutil.Process(ended.pid).name() == "postgres"
        await answers(rig)


async def stale(rig: PostgresRig, pid: int) -> None:
    """What a crash leaves: a server's own lock file, with a number that is not its own any more."""
    await rig.start()
    written = (rig.folder / "postmaster.pid").read_text()
    await rig.stop()
    lines = written.splitlines()
    lines[0] = str(pid)
    file = rig.folder / "postmaster.pid"
    file.write_text("\n".join(lines) + "\n")
    file.chmod(0o600)


@pytest.mark.parametrize("hidden", [False, True], ids=["told", "lock file emptied"])
async def test_a_server_that_really_runs_there(rig: PostgresRig, hidden: bool) -> None:
    await rig.driver.prepare(lambda message, fraction: None)
    plan = await rig.driver.plan()
    # Somebody else's server: it was not started by us, and does not hold our lock.
    theirs = PostgresRig(rig.root / "theirs", rig.launcher)
    theirs.site.runtime_dir.mkdir(parents=True)
    port = f"port={theirs.site.port}"
    argv = (*plan.argv, "-c", port, "-c", f"unix_socket_directories={theirs.site.runtime_dir}")
    process = await rig.launcher.launch(
        replace(plan, argv=argv, lock_file=None, identity=plan.identity)
    )
    lock = rig.folder / "postmaster.pid"
    await until(lambda: lock.exists() and "ready" in lock.read_text())
    if hidden:
        lock.write_text("")
    refusal = await rig.refusal()
    assert isinstance(refusal, DataInUseError)
    assert refusal.holder["pid"] == process.pid
    assert str(process.pid) in refusal.message
    assert psutil.pid_exists(process.pid)
    await process.stop()


async def test_a_run_that_still_ends_is_waited_for_not_refused(rig: PostgresRig) -> None:
    await rig.start()
    again = PostgresRig(rig.root, rig.launcher, {"port": rig.site.port})
    await again.driver.prepare(lambda message, fraction: None)
    plan = await again.driver.plan()
    with pytest.raises(DataInUseError) as locked:
        await rig.launcher.launch(plan)
    assert rig.process
    assert locked.value.holder["pid"] == rig.process.pid
    await rig.stop()
    again.process = await rig.launcher.launch(plan)
    assert await again.become_ready() == "ready"
    await again.stop()


async def test_two_first_starts_at_once(short_dir: Path, launcher: KeeperLauncher) -> None:
    rigs = [PostgresRig(short_dir, launcher) for _ in range(2)]
    first = asyncio.ensure_future(rigs[0].launch())
    await until(lambda: list(rigs[0].folder.parent.glob("*.partial")))
    refusal = await rigs[1].refusal()
    assert refusal.code == "data-in-use"
    await first
    assert await rigs[0].become_ready() == "ready"
    await rigs[0].stop()


# -- what the server itself refuses ------------------------------------------------------------


async def test_a_setting_the_server_does_not_know(
    rig: PostgresRig, launcher: KeeperLauncher
) -> None:
    for settings, word in (
        ({"no_such_setting": 1}, "no_such_setting"),
        ({"work_mem": "lots"}, "work_mem"),
    ):
        wrong = PostgresRig(rig.root, launcher, {"settings": settings})
        told = await wrong.death()
        assert told.code == "config-invalid"
        assert word in told.message
    await answers(rig)


async def test_memory_that_is_not_there(rig: PostgresRig, launcher: KeeperLauncher) -> None:
    greedy = PostgresRig(rig.root, launcher, {"settings": {"shared_buffers": "900TB"}})
    told = await greedy.death()
    assert told.code in ("out-of-memory", "config-invalid")
    greedy = PostgresRig(rig.root, launcher, {"settings": {"shared_buffers": "6TB"}})
    told = await greedy.death()
    assert told.code == "out-of-memory", rig.log()
    await answers(rig)


async def test_rules_of_access_that_are_broken(rig: PostgresRig) -> None:
    rules = rig.folder / "pg_hba.conf"
    whole = rules.read_text()
    rules.write_text("nonsense\n")
    told = await rig.death()
    assert told.code == "data-corrupt", rig.log()
    rules.write_text(whole)
    await answers(rig)


async def test_a_lost_log_of_changes(rig: PostgresRig) -> None:
    for segment in (rig.folder / "pg_wal").iterdir():
        if segment.is_file():
            segment.unlink()
    told = await rig.death()
    assert told.code == "data-corrupt", rig.log()
    assert told.log_tail
    assert "checkpoint record" in told.message


async def test_root_is_refused_by_the_server(rig: PostgresRig) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can be refused for being root")
    await rig.driver.prepare(lambda message, fraction: None)
    plan = replace(await rig.driver.plan(), identity=Identity("same"))
    process = await rig.launcher.launch(plan)
    told = rig.driver.diagnose(await process.down(), rig.log().splitlines())
    assert told is not None
    assert told.code == "not-permitted"


# -- the programs ------------------------------------------------------------------------------


async def test_a_configured_folder_without_a_server(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    rig = PostgresRig(short_dir, launcher, {"program": str(short_dir)})
    missing = await rig.driver.missing()
    assert missing is not None
    assert missing.code == "program-missing"
    assert str(short_dir) in missing.message


async def test_the_data_decides_which_server_opens_it(
    rig: PostgresRig, launcher: KeeperLauncher
) -> None:
    newer = rig.root / "newer"
    newer.mkdir()
    (newer / "postgres").write_bytes(b"\x7fELF postgres (PostgreSQL) 99.1\0")
    (newer / "initdb").write_text("#!/bin/sh\n")
    for program in newer.iterdir():
        program.chmod(0o755)
    preferred = PostgresRig(rig.root, launcher, {"program": str(newer)})
    assert find_servers(str(newer))[0].major == 99
    await answers(preferred)

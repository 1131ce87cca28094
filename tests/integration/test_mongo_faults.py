"""What can be wrong with a MongoDB service: each told in words, with the data untouched."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from ou_vce_ext.drivers.base import no_progress, scrubbed_environment
from ou_vce_ext.drivers.mongo import folder as mongo_folder
from ou_vce_ext.drivers.mongo.programs import find_mongods
from ou_vce_ext.errors import DefiniteError
from ou_vce_ext.services.keepers import KeeperLauncher
from tests.free_ports import free_port
from tests.integration.mongo_rig import MongoRig, client_at, copy_data, make_template
from tests.integration.watching import gone, until

pytestmark = pytest.mark.integration


@pytest.fixture
def rig(short_dir: Path, launcher: KeeperLauncher) -> MongoRig:
    return MongoRig(short_dir / "r", launcher)


@pytest.fixture(scope="module")
def template() -> Iterator[Path]:
    """A folder with databases, made once: to copy it is quicker."""
    root = Path(tempfile.mkdtemp(prefix="vce-"))

    async def make() -> Path:
        launcher = KeeperLauncher(log=logging.getLogger("keepers"))
        try:
            return await make_template(root, launcher)
        finally:
            await launcher.aclose()

    yield asyncio.run(make())
    shutil.rmtree(root)


@pytest.fixture
def filled(rig: MongoRig, template: Path) -> MongoRig:
    """A service whose folder already holds databases."""
    rig.folder.parent.mkdir(parents=True)
    copy_data(template, rig.folder)
    return rig


def fingerprint(folder: Path) -> dict[str, str]:
    """What every file of a folder holds."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@asynccontextmanager
async def by_hand(folder: Path, sockets: Path) -> AsyncIterator[tuple[int, int]]:
    """The pid and the port of a mongod that is not ours on ``folder``."""
    port = free_port()
    process = subprocess.Popen(
        [
            *(str(find_mongods()[0].path), "--dbpath", str(folder), "--port", str(port)),
            *("--bind_ip", "127.0.0.1", "--unixSocketPrefix", str(sockets)),
        ],
        env=scrubbed_environment(),
        stdout=subprocess.DEVNULL,
    )
    try:
        await until((sockets / f"mongodb-{port}.sock").exists)
        await until(lambda: (folder / "mongod.lock").stat().st_size)
        yield process.pid, port
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait)


async def test_a_stranger_on_the_port_is_named_and_sent_nothing(rig: MongoRig) -> None:
    heard = []
    with socket.create_server(("127.0.0.1", rig.port)) as stranger:
        refused = await rig.refusal()
        stranger.settimeout(0)
        with pytest.raises(BlockingIOError):
            heard.append(stranger.accept())
    assert refused.code == "port-in-use"
    assert f"process {os.getpid()}" in refused.message
    assert not heard


async def test_a_stranger_who_takes_the_port_last_is_told_too(rig: MongoRig) -> None:
    await rig.driver.prepare(no_progress)
    with socket.create_server(("127.0.0.1", rig.port)):
        rig.process = await rig.launcher.launch(await rig.driver.plan())
        with pytest.raises(DefiniteError) as caught:
            await rig.become_ready()
        assert caught.value.code == "port-in-use"
        ending = await rig.process.down()
        told = rig.driver.diagnose(ending, ())
    assert told.code == "port-in-use"
    assert told.exit_code == ending.exit_code
    assert any("Address already in use" in line for line in told.log_tail)
    assert not any(line.startswith("{") for line in told.log_tail)


async def test_a_folder_of_other_files_is_left_alone(rig: MongoRig) -> None:
    rig.folder.mkdir(parents=True)
    (rig.folder / "thesis.txt").write_text("years of work")
    before = fingerprint(rig.folder)
    refused = await rig.refusal()
    assert refused.code == "folder-unsuitable"
    assert "thesis.txt" in refused.message
    assert fingerprint(rig.folder) == before


async def test_a_file_in_the_place_of_the_folder_is_left_alone(rig: MongoRig) -> None:
    rig.folder.parent.mkdir(parents=True)
    rig.folder.write_text("not a folder")
    assert (await rig.refusal()).code == "folder-unsuitable"
    assert rig.folder.read_text() == "not a folder"


async def test_a_lost_folder_is_not_answered_by_empty_databases(rig: MongoRig) -> None:
    await rig.start()
    await rig.stop()
    elsewhere = rig.folder.rename(rig.folder.with_name("elsewhere"))
    refused = await rig.refusal()
    assert refused.code == "data-missing"
    assert "databases-were-made" in refused.hint
    assert not rig.folder.exists()
    elsewhere.rename(rig.folder)
    await rig.start()
    await rig.stop()


@pytest.mark.parametrize("name", ["WiredTiger", "WiredTiger.wt", "WiredTiger.turtle"])
async def test_a_lost_file_is_not_answered_by_an_empty_database(
    filled: MongoRig, name: str
) -> None:
    (filled.folder / name).unlink()
    before = fingerprint(filled.folder)
    refused = await filled.refusal()
    assert refused.code == "data-corrupt"
    assert name in refused.message
    assert fingerprint(filled.folder) == before


@pytest.mark.parametrize("name", ["WiredTiger.wt", "WiredTiger.turtle", "_mdb_catalog.wt"])
async def test_damaged_files_are_told(filled: MongoRig, name: str) -> None:
    with (filled.folder / name).open("r+b") as file:
        file.write(os.urandom(8192))
    error = await filled.death()
    assert error.code == "data-corrupt"
    assert str(filled.folder) in error.message
    assert "backup" in error.hint


@pytest.mark.parametrize("version", ["4.4", "8.0"])
async def test_data_of_another_release_is_told(
    filled: MongoRig, short_dir: Path, version: str
) -> None:
    async with by_hand(filled.folder, short_dir) as (_, port):
        client = client_at(f"mongodb://127.0.0.1:{port}/?directConnection=true")
        async with client:
            # As a server of that release would have left it; no command of this one does.
            await client.admin.other.insert_one(
                {"_id": "featureCompatibilityVersion", "version": version}
            )
            rename = {
                "renameCollection": "admin.other",
                "to": "admin.system.version",
                "dropTarget": True,
            }
            await client.admin.command("applyOps", [{"op": "c", "ns": "admin.$cmd", "o": rename}])
    error = await filled.death()
    assert error.code == "data-wrong-version"
    assert f"MongoDB {version}" in error.message


async def test_a_server_that_others_run_on_the_folder_is_named(
    filled: MongoRig, short_dir: Path
) -> None:
    async with by_hand(filled.folder, short_dir) as (pid, _):
        refused = await filled.refusal()
    assert refused.code == "data-in-use"
    assert f"process {pid}" in refused.message
    await filled.start()
    await filled.stop()


async def test_a_disk_without_room_is_told_before_anything_is_made(
    rig: MongoRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mongo_folder, "ROOM_TO_CREATE", 10**18)
    refused = await rig.refusal()
    assert refused.code == "disk-full"
    assert os.listdir(rig.folder) == []


async def test_unknown_roles_are_told(short_dir: Path, launcher: KeeperLauncher) -> None:
    rig = MongoRig(short_dir, launcher, {"roles": ["readEverything"]})
    await rig.launch()
    assert await rig.become_ready() == "ready"
    with pytest.raises(DefiniteError) as caught:
        await rig.driver.provision(no_progress)
    assert caught.value.code == "config-invalid"
    assert "readEverything" in caught.value.message
    await rig.stop()


def _no_program(folder: Path) -> str:
    return str(folder)


def _a_script(folder: Path) -> str:
    program = folder / "mongod"
    program.write_text("#!/bin/sh\necho 'mongod: error while loading shared libraries: "
                       "libcurl.so.4: cannot open shared object file'; exit 127\n")  # fmt: skip
    program.chmod(0o755)
    return str(program)


def _an_old_processor(folder: Path) -> str:
    program = folder / "mongod"
    program.write_text("#!/bin/sh\nkill -ILL $$\n")
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize(
    ("make", "code"),
    [(_a_script, "program-unsuitable"), (_an_old_processor, "cpu-unsupported")],
)
async def test_a_program_that_cannot_run_here_is_told(
    short_dir: Path, launcher: KeeperLauncher, make: Callable[[Path], str], code: str
) -> None:
    rig = MongoRig(short_dir, launcher, {"program": make(short_dir)})
    assert (await rig.death()).code == code


async def test_a_wrong_program_is_missing(short_dir: Path, launcher: KeeperLauncher) -> None:
    rig = MongoRig(short_dir, launcher, {"program": _no_program(short_dir)})
    missing = await rig.driver.missing()
    assert missing is not None
    assert missing.code == "program-missing"


async def test_a_stopped_process_answers_again_after_it_is_resumed(rig: MongoRig) -> None:
    process = await rig.start()
    os.kill(process.pid, signal.SIGSTOP)
    with pytest.raises(TimeoutError):
        await rig.driver.probe(process)
    assert await process.resume()
    assert await rig.become_ready() == "ready"
    await rig.stop()


async def test_root_serves_another_users_home_as_that_user(rig: MongoRig) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    uid = 1234
    home = rig.folder.parents[1]
    rig.folder.parent.mkdir(parents=True)
    for folder in (home.parent, home):
        folder.chmod(0o755)
    rig.site.private_dir.mkdir(exist_ok=True)
    for folder in (home, rig.folder.parent, rig.site.private_dir):
        os.chown(folder, uid, uid)
    process = await rig.start()
    assert psutil.Process(process.pid).uids().real == uid
    async with rig.client() as client:
        await client.student.t.insert_one({"a": 1})
    await rig.stop()
    owners = {path.stat().st_uid for path in rig.folder.rglob("*")}
    assert owners == {uid}


async def test_nothing_is_left_when_jupyter_and_keeper_die(
    rig: MongoRig, launcher: KeeperLauncher
) -> None:
    process: Any = await rig.start()
    async with rig.client() as client:
        await client.student.t.insert_one({"a": 1})
    os.kill(process.keeper_pid, signal.SIGKILL)
    await process.down()
    await until(lambda: gone(process.pid))
    await rig.driver.close()
    await rig.start()
    async with rig.client() as client:
        assert await client.student.t.count_documents({}) == 1
    await rig.stop()

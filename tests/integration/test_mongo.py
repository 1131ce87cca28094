"""A real MongoDB server through its driver, from the first start to the last stop."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
from pathlib import Path
from typing import Any

import psutil
import pytest
from gridfs import AsyncGridFSBucket
from pymongo.errors import OperationFailure

from ou_vce_ext.drivers.base import no_progress
from ou_vce_ext.drivers.mongo.folder import FIRST_START
from ou_vce_ext.errors import DataInUseError
from ou_vce_ext.services.keepers import KeeperLauncher
from tests.free_ports import free_port
from tests.integration.mongo_rig import SECRET, Client, MongoRig, client_at, copy_data

pytestmark = pytest.mark.integration


@pytest.fixture
def rig(short_dir: Path, launcher: KeeperLauncher) -> MongoRig:
    return MongoRig(short_dir, launcher)


async def refused(client: Client, command: str, value: object = 1, **more: Any) -> bool:
    """Whether the server says that one may not do this."""
    with pytest.raises(OperationFailure) as caught:
        await client.admin.command(command, value, **more)
    # Unauthorized, AuthenticationFailed
    return caught.value.code in (13, 18)


async def test_a_kernel_needs_no_settings_even_one_that_was_there_before(rig: MongoRig) -> None:
    before = dict(rig.driver.environment())
    process = await rig.start()
    assert rig.driver.environment() == before
    written = rig.kernel(
        "import os, pymongo\n"
        "with pymongo.MongoClient(os.environ['MONGODB_URI']) as client:\n"
        "    db = client.get_default_database()\n"
        "    db.t.insert_many({'a': n} for n in range(1000))\n"
        "    print(db.name, db.t.count_documents({'a': {'$lt': 500}}))"
    )
    assert written == "student 500"
    assert psutil.Process(process.pid).name() == "mongod"
    await rig.stop()
    assert not psutil.pid_exists(process.pid)
    await rig.start()
    async with rig.client() as client:
        assert await client.student.t.count_documents({}) == 1000
    await rig.stop()


async def test_what_is_made_is_private(rig: MongoRig) -> None:
    process = await rig.start()
    connection = rig.driver.connection()
    assert connection.socket is not None
    assert connection.password_file is not None
    for path, mode in (
        (rig.folder, 0o700),
        (rig.site.runtime_dir, 0o700),
        (Path(connection.socket), 0o700),
        (Path(connection.password_file), 0o600),
        (rig.driver.key_file, 0o600),
    ):
        assert stat.S_IMODE(path.stat().st_mode) == mode, path
    assert Path(connection.password_file).read_text("utf-8") == f"{SECRET}\n"
    listening = [
        (at.laddr.ip, at.laddr.port)
        for at in psutil.Process(process.pid).net_connections("tcp")
        if at.status == psutil.CONN_LISTEN
    ]
    assert listening == [("127.0.0.1", rig.port)]
    told = " ".join(psutil.Process(process.pid).cmdline())
    assert SECRET not in told
    assert rig.driver.key_file.read_text().strip() not in told + rig.log()
    await rig.stop()


async def test_nobody_gets_in_without_a_password_not_even_before_there_are_users(
    rig: MongoRig,
) -> None:
    await rig.launch()
    assert await rig.become_ready() == "ready"
    members = {"_id": "vce", "members": [{"_id": 0, "host": f"127.0.0.1:{rig.port}"}]}
    anybody = client_at(f"mongodb://127.0.0.1:{rig.port}/?directConnection=true")
    async with anybody:
        assert await refused(anybody, "replSetInitiate", members)
        assert await refused(anybody, "createUser", "me", pwd="x", roles=["root"])
        await rig.driver.provision(no_progress)
        assert await refused(anybody, "createUser", "me", pwd="x", roles=["root"])
        assert await refused(anybody, "listDatabases")
    wrong = client_at(rig.uri, password="wrong")
    async with wrong:
        assert await refused(wrong, "listDatabases")
    await rig.stop()


async def test_transactions_and_change_streams_work(rig: MongoRig) -> None:
    await rig.start()
    async with rig.client() as client:
        accounts = client.bank.accounts
        await accounts.insert_many([{"_id": "a", "sum": 100}, {"_id": "b", "sum": 0}])
        async with await accounts.watch() as stream, client.start_session() as session:
            async with await session.start_transaction():
                await accounts.update_one({"_id": "a"}, {"$inc": {"sum": -30}}, session=session)
                await accounts.update_one({"_id": "b"}, {"$inc": {"sum": 30}}, session=session)
                assert await accounts.find_one({"_id": "b"}) == {"_id": "b", "sum": 0}
            await session.start_transaction()
            await accounts.delete_many({}, session=session)
            await session.abort_transaction()
            seen = [await stream.next(), await stream.next()]
        assert [change["documentKey"]["_id"] for change in seen] == ["a", "b"]
        assert [item["sum"] async for item in accounts.find(sort=["_id"])] == [70, 30]
        async with await client.watch() as everything:
            await client.elsewhere.things.insert_one({"_id": 1})
            assert (await everything.next())["ns"] == {"db": "elsewhere", "coll": "things"}
    await rig.stop()


async def test_gridfs_keeps_files(rig: MongoRig) -> None:
    content = os.urandom(1_000_000)
    await rig.start()
    async with rig.client() as client:
        bucket = AsyncGridFSBucket(client.student)
        await bucket.upload_from_stream("photo.jpg", content)
        found = await bucket.open_download_stream_by_name("photo.jpg")
        assert await found.read() == content
    await rig.stop()


async def test_a_student_may_do_all_with_databases_and_nothing_to_the_server(
    rig: MongoRig,
) -> None:
    await rig.start()
    async with rig.client() as client:
        for name in ("first", "second"):
            await client[name].t.insert_one({"a": 1})
            await client[name].t.create_index("a")
        await client.drop_database("first")
        await client.second.command("profile", 2)
        await client.admin.command("serverStatus")
        assert set(await client.list_database_names()) >= {"second"}
        assert await refused(client, "shutdown")
        assert await refused(client, "createUser", "x", pwd="x", roles=["root"])
        assert await refused(client, "replSetStepDown", 60)
        assert await refused(client, "setParameter", 1, logLevel=1)
    await rig.stop()


async def test_nothing_written_is_lost_when_it_is_killed(rig: MongoRig) -> None:
    await rig.start()
    async with rig.client() as client:
        # As large as a document may be, incompressible: nearly a journal file each.
        for number in range(4):
            await client.student.large.insert_one(
                {"_id": number, "content": os.urandom(16_700_000)}
            )
        expected = [item["content"] async for item in client.student.large.find(sort=["_id"])]
        assert rig.process is not None
        os.kill(rig.process.pid, signal.SIGKILL)
    ending = await rig.process.down()
    await rig.driver.close()
    assert rig.driver.diagnose(ending, ()).code == "killed"
    await rig.start()
    async with rig.client() as client:
        found = [item["content"] async for item in client.student.large.find(sort=["_id"])]
        assert found == expected
    await rig.stop()


@pytest.mark.parametrize("files", [2, 6, 10, 14, 18])
async def test_a_first_start_cut_short_leaves_nothing_half_made(rig: MongoRig, files: int) -> None:
    process = await rig.launch()
    while len(os.listdir(rig.folder)) < files:
        await asyncio.sleep(0.001)
    os.kill(process.pid, signal.SIGKILL)
    await process.down()
    assert (rig.folder / FIRST_START).exists()
    await rig.start()
    assert not (rig.folder / FIRST_START).exists()
    async with rig.client() as client:
        await client.student.t.insert_one({"a": 1})
    await rig.stop()


async def test_a_folder_serves_at_another_port_with_another_secret(
    rig: MongoRig, short_dir: Path, launcher: KeeperLauncher
) -> None:
    await rig.start()
    async with rig.client() as client:
        await client.student.kept.insert_one({"answer": 42})
    await rig.stop()
    options = {"port": free_port(), "password": "another"}
    elsewhere = MongoRig(short_dir / "b", launcher, options)
    elsewhere.folder.parent.mkdir(parents=True)
    copy_data(rig.folder, elsewhere.folder)
    await elsewhere.start()
    async with elsewhere.client() as client:
        assert [item["answer"] async for item in client.student.kept.find()] == [42]
        async with client.start_session() as session, await session.start_transaction():
            await client.student.kept.insert_one({"answer": 43}, session=session)
        hello = await client.admin.command("hello")
        assert hello["hosts"] == [f"127.0.0.1:{elsewhere.port}"]
    wrong = client_at(elsewhere.uri, password=SECRET)
    async with wrong:
        assert await refused(wrong, "listDatabases")
    await elsewhere.stop()


async def test_the_old_notebooks_settings_can_be_declared(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    port = free_port()
    rig = MongoRig(short_dir, launcher, {"port": port, "auth": False, "databases": ["accidents"]})
    assert rig.uri == f"mongodb://127.0.0.1:{port}/accidents?directConnection=true"
    await rig.start()
    old = client_at(f"mongodb://localhost:{port}")
    async with old:
        await old.accidents.labels.insert_one({"a": 1})
        assert await old.accidents.labels.count_documents({}) == 1
    assert rig.driver.connection().password_file is None
    await rig.stop()
    # The same data, with a password from now on.
    closed = MongoRig(short_dir, launcher, {"port": port, "user": "tm351", "password": "tm351"})
    await closed.start()
    async with closed.client() as client:
        assert await client.accidents.labels.count_documents({}) == 1
    old = client_at(f"mongodb://localhost:{port}")
    async with old:
        assert await refused(old, "listDatabases")
    await closed.stop()


async def test_roles_are_kept_as_declared(short_dir: Path, launcher: KeeperLauncher) -> None:
    port = free_port()
    few = MongoRig(short_dir, launcher, {"port": port, "roles": ["readWrite@only", "read@local"]})
    await few.start()
    async with few.client() as client:
        await client.only.t.insert_one({"a": 1})
        with pytest.raises(OperationFailure):
            await client.other.t.insert_one({"a": 1})
    await few.stop()
    more = MongoRig(short_dir, launcher, {"port": port, "roles": ["readWriteAnyDatabase"]})
    await more.start()
    async with more.client() as client:
        await client.other.t.insert_one({"a": 1})
        with pytest.raises(OperationFailure):
            await client.local["oplog.rs"].find_one({})
    await more.stop()


async def test_an_account_that_was_spoilt_is_mended_by_a_restart(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    rig = MongoRig(short_dir, launcher, {"roles": ["root"]})
    await rig.start()
    async with rig.client() as client:
        await client.admin.command("dropAllUsersFromDatabase")
    async with rig.client() as client:
        assert await refused(client, "listDatabases")
    await rig.stop()
    await rig.start()
    async with rig.client() as client:
        await client.student.t.insert_one({"a": 1})
    await rig.stop()


async def test_a_run_that_is_still_ending_is_waited_for_not_refused(
    rig: MongoRig, launcher: KeeperLauncher
) -> None:
    await rig.start()
    again = MongoRig(rig.folder.parents[1], launcher, {"port": rig.port})
    await again.driver.prepare(no_progress)
    with pytest.raises(DataInUseError) as caught:
        await launcher.launch(await again.driver.plan())
    assert rig.process is not None
    assert caught.value.holder["pid"] == rig.process.pid
    async with rig.client() as client:
        await client.student.t.insert_one({"a": 1})
    await rig.stop()
    await again.start()
    async with again.client() as client:
        assert await client.student.t.count_documents({}) == 1
    await again.stop()


async def test_a_server_that_dies_while_it_is_set_up_is_no_defect_of_ours(rig: MongoRig) -> None:
    process = await rig.launch()
    assert await rig.become_ready() == "ready"
    os.kill(process.pid, signal.SIGSTOP)
    setting_up = asyncio.ensure_future(rig.driver.provision(no_progress))
    await asyncio.sleep(0)
    os.kill(process.pid, signal.SIGKILL)
    await asyncio.wait_for(setting_up, 120)
    await process.down()
    await rig.driver.close()
    await rig.start()
    await rig.stop()


async def test_a_wrong_address_of_a_server_that_others_run_is_told(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    theirs = MongoRig(short_dir / "theirs", launcher)
    await theirs.start()
    told = []
    for uri in (
        theirs.uri,
        theirs.uri.replace("student:", "nobody:", 1),
        f"mongodb://127.0.0.1:{free_port()}/",
    ):
        ours = MongoRig(short_dir / "ours", launcher, {"uri": uri}, external=True)
        assert await ours.driver.missing() is None
        assert ours.uri == uri
        try:
            assert await ours.driver.probe(None)
            told.append("ready")
        except Exception as refusal:
            told.append(getattr(refusal, "code", repr(refusal)))
        finally:
            await ours.driver.close()
    assert told == ["ready", "credentials-refused", "external-down"]
    parts = {"host": "127.0.0.1", "port": theirs.port, "user": "student", "password": SECRET}
    ours = MongoRig(short_dir / "ours", launcher, parts, external=True)
    assert await ours.driver.probe(None)
    kept = ours.driver.connection()
    assert (kept.socket, kept.user, kept.port) == (None, "student", theirs.port)
    assert ours.driver.versions() == theirs.driver.versions()
    await ours.driver.close()
    await theirs.stop()

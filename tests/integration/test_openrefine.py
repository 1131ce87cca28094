"""A real OpenRefine through its driver: work is kept, faults are told, nothing is left behind."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

from ou_vce_ext.drivers.base import no_progress
from ou_vce_ext.drivers.openrefine.folder import ROOM_TO_START
from ou_vce_ext.drivers.openrefine.programs import find_distribution
from ou_vce_ext.errors import DataInUseError, DefiniteError
from ou_vce_ext.launch import Ending
from ou_vce_ext.services.keepers import KeeperLauncher
from tests.integration.greeter import greeter
from tests.integration.openrefine_rig import OpenRefineRig
from tests.integration.other_users import as_container_root, as_user, ordinary_user, run_tests
from tests.integration.small_disk import mounted
from tests.integration.watching import until

pytestmark = pytest.mark.integration

CSV = "name,town\nZoë,Łódź\nBob,Århus\n"
AS_THEMSELVES = "as_themselves"


@pytest.fixture
def rig(short_dir: Path, launcher: KeeperLauncher) -> OpenRefineRig:
    return OpenRefineRig(short_dir, launcher)


def javas(marker: str) -> list[int]:
    """The processes whose command line speaks of ``marker``."""
    return [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if any(marker in argument for argument in process.info["cmdline"] or ())
    ]


@pytest.mark.slow
async def test_work_outlives_a_stop_and_is_the_students_alone(rig: OpenRefineRig) -> None:
    process = await rig.start()
    assert psutil.Process(process.pid).name() == "java"
    assert rig.driver.main_pid(process) == process.pid
    client = rig.client()
    project = await client.create_project("Café", CSV)
    await client.edit(project, 1, 1, "København")

    with pytest.raises(urllib.error.HTTPError) as caught:
        await client.ask("/", Host="evil.example")
    assert caught.value.code == 404
    caught.value.close()
    listening = psutil.Process(process.pid).net_connections("tcp")
    assert {c.laddr.ip for c in listening if c.status == "LISTEN"} <= {
        "127.0.0.1",
        "::ffff:127.0.0.1",
    }

    ending = await rig.stop()
    assert (ending.exit_code, ending.asked) == (143, True)

    await rig.start()
    assert await client.names() == {project: "Café"}
    assert await client.cells(project) == [["Zoë", "Łódź"], ["Bob", "København"]]
    await rig.stop()


@pytest.mark.slow
async def test_in_a_network_of_its_own_it_is_out_of_others_reach_and_saves(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    rig = OpenRefineRig(short_dir, launcher, {"private": True})
    process = await rig.start()
    assert psutil.Process(process.pid).name() == "java"
    with socket.socket() as stranger:
        assert stranger.connect_ex(("127.0.0.1", rig.driver.port)) != 0
    client = rig.client()
    project = await client.create_project("Café", CSV)
    await client.edit(project, 1, 1, "København")
    # A reconciliation service, or a page to import: somebody outside.
    with greeter(b"HTTP/1.0 200 OK\r\nContent-Type: text/csv\r\n\r\na,b\n1,2\n") as port:
        fetched = await client.create_project_from(f"http://10.0.2.2:{port}/data.csv")
    ending = await rig.stop()
    assert ending.exit_code == 143
    await rig.start()
    assert (await rig.client().cells(project))[1] == ["Bob", "København"]
    assert set(await rig.client().names()) >= {project, fetched}
    await rig.stop()


@pytest.mark.slow
async def test_killed_it_says_what_is_lost_and_comes_back(rig: OpenRefineRig) -> None:
    await rig.start()
    client = rig.client()
    project = await client.create_project("kept", CSV)
    await rig.stop()
    process = await rig.start()
    # It saves by itself now and then, and this might be then.
    saving = rig.driver._saving
    assert saving
    saving.cancel()
    await client.edit(project, 0, 0, "not saved yet")
    os.kill(process.pid, 9)
    told = await rig.death()
    assert (told.code, told.signal) == ("killed", "SIGKILL")
    left = list((rig.site.private_dir / "tmp").iterdir())
    assert left, "it had no time to tidy up"
    assert "half minute or so" in told.message
    # Its list of projects may be cut short as well: it finds them again by itself.
    (rig.folder / "workspace.json").write_text("{brok")
    (rig.folder / "workspace.old.json").unlink(missing_ok=True)
    await rig.start()
    assert await client.names() == {project: "kept"}
    assert not any(path.exists() for path in left)
    assert (await client.cells(project))[0] == ["Zoë", "Łódź"]
    await rig.stop()


@pytest.mark.slow
async def test_about_to_be_stopped_it_saves_at_once(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    """So that it matters little how long it is then given to end."""
    rig = OpenRefineRig(short_dir, launcher)
    process = await rig.start()
    project = await rig.client().create_project("kept", CSV)
    await rig.client().edit(project, 0, 0, "typed just now")
    await rig.driver.before_stop()
    process.kill()  # type: ignore[attr-defined]
    await process.down()
    await rig.driver.close()
    await rig.start()
    assert (await rig.client().cells(project))[0] == ["typed just now", "Łódź"]
    await rig.stop()


@pytest.mark.slow
async def test_an_edit_is_saved_long_before_its_own_timer(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    rig = OpenRefineRig(short_dir, launcher, {"java_options": ["-Drefine.autosave=600"]})
    process = await rig.start()
    client = rig.client()
    project = await client.create_project("kept", CSV)
    await client.edit(project, 0, 0, "typed just now")
    data = rig.folder / f"{project}.project" / "data.zip"
    await until(data.exists)
    # Killed, so that nothing could be saved at its end.
    process.kill()  # type: ignore[attr-defined]
    await process.down()
    await rig.driver.close()
    await rig.start()
    assert (await rig.client().cells(project))[0] == ["typed just now", "Łódź"]
    await rig.stop()


async def test_a_taken_port_names_its_owner(rig: OpenRefineRig) -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", rig.driver.port))
        stranger.listen()
        refused = await rig.refusal()
    assert refused.code == "port-in-use"
    assert f"process {os.getpid()}" in refused.message
    assert str(rig.driver.port) in refused.message


async def test_a_port_taken_at_the_last_moment_is_never_ready(rig: OpenRefineRig) -> None:
    await rig.driver.prepare(no_progress)
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", rig.driver.port))
        stranger.listen()
        stranger.setblocking(False)
        rig.process = await rig.launcher.launch(await rig.driver.plan())
        with pytest.raises(DefiniteError) as caught:
            await rig.become_ready()
        assert caught.value.code == "port-in-use"
        with pytest.raises(BlockingIOError):
            # Nothing was ever sent to the stranger.
            stranger.accept()
    await rig.stop()


async def test_one_folder_is_open_once(
    rig: OpenRefineRig, short_dir: Path, launcher: KeeperLauncher
) -> None:
    await rig.launch()
    other = OpenRefineRig(short_dir, launcher)
    with pytest.raises(DataInUseError) as caught:
        await other.launch()
    assert caught.value.code == "data-in-use"
    assert rig.process is not None
    rig.process.kill()  # type: ignore[attr-defined]
    await rig.process.down()
    await rig.driver.close()


async def test_one_started_by_hand_on_the_same_folder_is_seen(rig: OpenRefineRig) -> None:
    rig.folder.mkdir(parents=True)
    # What matters is its command line: it takes no OpenRefine to have one.
    with subprocess.Popen(
        [
            sys.executable,
            "-c",
            "print(flush=True); input()",
            "-Drefine.data_dir=openrefine_projects",
            "com.google.refine.Refine",
        ],
        cwd=rig.folder.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as by_hand:
        assert by_hand.stdout
        by_hand.stdout.readline()
        refused = await rig.refusal()
        by_hand.communicate(b"\n")
    assert refused.code == "data-in-use"
    assert f"process {by_hand.pid}" in refused.message


async def test_a_file_in_the_place_of_the_folder(rig: OpenRefineRig) -> None:
    rig.folder.parent.mkdir()
    rig.folder.write_text("a student's own")
    refused = await rig.refusal()
    assert refused.code == "folder-unsuitable"
    assert str(rig.folder) in refused.message
    assert rig.folder.read_text() == "a student's own"


async def test_a_disk_that_is_nearly_full_or_read_only(rig: OpenRefineRig, short_dir: Path) -> None:
    rig.folder.parent.mkdir()
    size = f"size={ROOM_TO_START // 2}"
    with mounted(short_dir / "disk", "tmpfs", size) as (disk, remount):
        rig.folder.symlink_to(disk)
        refused = await rig.refusal()
        assert refused.code == "disk-full"
        assert "25 MB are free" in refused.message
        remount("ro")
        refused = await rig.refusal()
        assert refused.code == "data-unwritable"
        assert "read-only" in refused.message
        assert list(disk.iterdir()) == []


@pytest.mark.ordinary_user
@pytest.mark.parametrize("closed", ["1.project", "workspace.json"])
async def test_as_themselves_what_could_not_be_saved_is_refused(
    rig: OpenRefineRig, closed: str
) -> None:
    rig.folder.mkdir(parents=True)
    place = rig.folder / closed
    place.mkdir() if closed.endswith("project") else place.write_text("{}")
    place.chmod(0o400)
    refused = await rig.refusal()
    assert refused.code == "data-unwritable"
    assert closed in refused.message
    assert "chmod -R u+rwX" in refused.hint
    place.chmod(0o700)
    rig.folder.chmod(0o500)
    refused = await rig.refusal()
    assert refused.code == "data-unwritable"
    rig.folder.chmod(0o700)


@pytest.mark.ordinary_user
async def test_as_themselves_roots_files_are_told(rig: OpenRefineRig) -> None:
    rig.folder.mkdir(parents=True)
    (rig.folder / "1.project").symlink_to("/root")
    refused = await rig.refusal()
    assert refused.code == "data-wrong-owner"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.slow
def test_as_an_ordinary_user() -> None:
    user = ordinary_user()
    run_tests(
        as_user(user.pw_uid, user.pw_gid),
        [__file__, "-k", f"{AS_THEMSELVES} or work_outlives"],
        (user.pw_uid, user.pw_gid),
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give up a part of its powers")
@pytest.mark.slow
def test_as_a_containers_root() -> None:
    run_tests(as_container_root(), [__file__, "-k", "work_outlives"], (0, 0))


@pytest.mark.parametrize(
    ("options", "declaration", "code"),
    [
        ({"java_options": ["-Xmx1Z"]}, {}, "config-invalid"),
        ({"java_options": ["-XX:+UseG1GC"]}, {}, "config-invalid"),
        ({}, {"memory_bytes": 1 << 50}, "out-of-memory"),
    ],
)
async def test_java_refusing_its_settings_is_understood(
    short_dir: Path,
    launcher: KeeperLauncher,
    options: dict[str, object],
    declaration: dict[str, int],
    code: str,
) -> None:
    rig = OpenRefineRig(short_dir, launcher, options, **declaration)
    await rig.launch()
    assert await rig.become_ready() == "died"
    told = await rig.death()
    assert told.code == code, rig.log()
    assert told.exit_code == 1


async def test_an_openrefine_that_is_not_whole_is_told(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    installed = find_distribution()
    assert installed is not None
    copy = short_dir / "openrefine"
    (copy / "server").mkdir(parents=True)
    shutil.copy(installed.jar, copy / "server")
    (copy / "webapp").symlink_to(installed.webapp)
    rig = OpenRefineRig(short_dir, launcher, {"program": str(copy)})
    await rig.launch()
    assert await rig.become_ready() == "died"
    assert (await rig.death()).code == "program-unsuitable", rig.log()


@pytest.mark.slow
async def test_an_archive_is_made_beside_the_students_own_and_used(
    rig: OpenRefineRig, tmp_path: Path
) -> None:
    rig.driver.archive_delay = 0.0  # type: ignore[misc]
    await rig.start()
    assert rig.driver._making is not None
    await rig.driver._making
    await rig.stop()
    folder = rig.site.private_dir / "classes"
    (archive,) = folder.iterdir()
    assert archive.suffix == ".jsa"
    assert archive.stat().st_mode & 0o777 == 0o600

    listed = tmp_path / "loaded.txt"
    rig.driver.java_options = (f"-Xlog:class+load:file={listed}",)
    await rig.start()
    assert rig.driver._making is None, "there is one already"
    await rig.stop()
    assert listed.read_text().count("shared objects file (top)") > 1000

    made = rig.driver._archive
    assert made is not None
    assert made.options()
    whole = archive.read_bytes()
    for damage in (b"", whole[:-1], bytes(len(whole)), whole[:-1] + bytes([whole[-1] ^ 1])):
        archive.write_bytes(damage)
        assert made.options() == (), "java is never given a damaged one"
        assert not archive.exists()
        assert made.wanted
    archive.write_bytes(whole)
    assert made.options()
    made.suspect(Ending(exit_code=1))
    assert archive.exists()
    made.suspect(Ending(signal="SIGSEGV"))
    assert not archive.exists()


async def test_no_archive_is_made_where_none_is_wanted(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    rig = OpenRefineRig(short_dir, launcher, {"class_archive": False})
    await rig.driver.prepare(no_progress)
    await rig.driver.provision(no_progress)
    assert rig.driver._archive is not None
    assert rig.driver._archive.wanted
    assert rig.driver._making is None


async def test_a_stop_does_not_wait_for_an_archive_half_made(rig: OpenRefineRig) -> None:
    rig.driver.archive_delay = 0.0  # type: ignore[misc]
    await rig.driver.prepare(no_progress)
    await rig.driver.provision(no_progress)
    folder = rig.site.private_dir / "classes"
    while not javas(str(folder)):
        await asyncio.sleep(0.01)
    (pid,) = javas(str(folder))
    await rig.driver.close()
    assert not psutil.pid_exists(pid)
    assert not (folder / "making").exists()
    assert not list(folder.glob("*.jsa"))

"""The house among real processes, real users and real file systems."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ou_vce_ext.services.runtime_folder import hash8

PROGRAM = Path(__file__).with_name("house_program.py")
REPOSITORY = Path(__file__).parents[2]
ROOT = os.geteuid() == 0
ORDINARY = 54_321 if ROOT else os.geteuid()
OTHER = 54_322


class Jupyter:
    """A process that deals with a house as Jupyter does."""

    def __init__(
        self, data: Path, root: Path, *, uid: int = os.geteuid(), prefix: Any = ()
    ) -> None:
        self.process = subprocess.Popen(
            [*prefix, sys.executable, str(PROGRAM), str(uid), str(data), str(root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        )

    def ask(self, request: str) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(request + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def kill(self) -> None:
        self.process.kill()
        self.end()

    def end(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(120)
        self.process.stdout.close()


class Homes:
    """A home folder that any user may pass through, and the Jupyters started on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "vce"
        self.started: list[Jupyter] = []

    def jupyter(self, **options: Any) -> Jupyter:
        one = Jupyter(self.data, self.folder, **options)
        self.started.append(one)
        return one

    def ordinary(self) -> Jupyter:
        return self.jupyter(uid=ORDINARY)


@pytest.fixture
def homes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Homes]:
    folder = Path(tempfile.mkdtemp(prefix="h", dir="/tmp"))
    folder.chmod(0o755)
    if ROOT:
        os.chown(folder, ORDINARY, ORDINARY)
    sockets = folder / "run"
    sockets.mkdir()
    sockets.chmod(0o1777)
    monkeypatch.setenv("VCE_RUNTIME_DIR", str(sockets))
    made = Homes(folder)
    yield made
    for one in made.started:
        one.end()
    for path in (folder, *folder.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)
    shutil.rmtree(folder)
    for uid in {ORDINARY, os.geteuid()}:
        shutil.rmtree(f"/tmp/vce-{uid}-{hash8(made.data)}", ignore_errors=True)


def test_two_jupyters_want_one_house(homes: Homes) -> None:
    first, second = homes.jupyter(), homes.jupyter()
    assert first.ask("gate") is None
    told = second.ask("gate")
    assert told["code"] == "house-in-use"
    assert f"process {first.process.pid}" in told["message"]
    assert str(homes.folder) in told["message"]
    site = first.ask("site")
    assert second.ask("site") == site
    first.ask("release")
    assert second.ask("gate") is None
    assert first.ask("gate")["code"] == "house-in-use"


def test_only_one_of_many_gets_in(homes: Homes) -> None:
    for _ in range(5):
        crowd = [homes.jupyter() for _ in range(4)]
        for one in crowd:
            assert one.process.stdin is not None
            one.process.stdin.write("gate\n")
            one.process.stdin.flush()
        answers = []
        for one in crowd:
            assert one.process.stdout is not None
            answers.append(json.loads(one.process.stdout.readline()))
        assert [answer["code"] for answer in answers if answer] == ["house-in-use"] * 3
        for one in crowd:
            one.kill()


def test_the_house_of_one_that_was_killed_is_free_at_once(homes: Homes) -> None:
    for _ in range(5):
        first, second = homes.jupyter(), homes.jupyter()
        assert first.ask("gate") is None
        assert second.ask("gate")["code"] == "house-in-use"
        first.kill()
        assert second.ask("gate") is None
        second.kill()


def test_what_a_killed_jupyter_had_forked_holds_nothing(homes: Homes) -> None:
    first, second = homes.jupyter(), homes.jupyter()
    first.ask("gate")
    children = first.ask("fork")
    first.kill()
    try:
        assert all(Path(f"/proc/{child}").exists() for child in children)
        assert second.ask("gate") is None
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)


def test_port_secret_and_sockets_are_the_same_after_a_restart(homes: Homes) -> None:
    first = homes.ordinary()
    first.ask("gate")
    site = first.ask("site")
    first.kill()
    later = homes.ordinary()
    assert later.ask("gate") is None
    assert later.ask("site") == site


# -- folders an ordinary user cannot use -----------------------------------------------------------


def test_an_ordinary_users_house_is_theirs_alone(homes: Homes) -> None:
    one = homes.ordinary()
    assert one.ask("gate") is None
    site = one.ask("site")
    for folder in (homes.data, Path(site["private_dir"]), Path(site["runtime_dir"]).parent):
        status = folder.stat()
        assert (status.st_uid, stat.S_IMODE(status.st_mode)) == (ORDINARY, 0o700)


def test_a_home_that_may_not_be_written_to(homes: Homes) -> None:
    homes.folder.chmod(0o555)
    one = homes.ordinary()
    told = one.ask("gate")
    assert told["code"] == "data-unwritable"
    assert str(homes.folder) in told["message"]
    assert "notebooks work as usual" in told["message"]
    assert f"chmod -R u+rwX {homes.folder}" in told["hint"]
    assert one.ask("site")["port"]
    assert one.ask("acquire")["code"] == "data-unwritable"
    problems = one.ask("layout")
    assert len(problems) == 2
    assert str(homes.folder / "notebooks") in problems[0]
    homes.folder.chmod(0o755)
    assert one.ask("gate") is None


def test_a_house_that_was_closed_to_its_owner_is_opened(homes: Homes) -> None:
    one = homes.ordinary()
    assert one.ask("gate") is None
    one.kill()
    homes.data.chmod(0o500)
    assert homes.ordinary().ask("gate") is None


def test_a_house_in_a_folder_of_the_system(homes: Homes) -> None:
    homes.data = Path("/usr")
    told = homes.ordinary().ask("gate")
    assert told["code"] == "data-wrong-owner"
    assert "The folder /usr belongs to another user (root)" in told["message"]


@pytest.mark.skipif(not ROOT, reason="only root can give a folder to another user")
def test_a_house_that_belongs_to_somebody_else(homes: Homes) -> None:
    homes.data.mkdir()
    homes.data.chmod(0o777)
    told = homes.ordinary().ask("gate")
    assert told["code"] == "data-wrong-owner"
    assert "another user (root)" in told["message"]
    assert f"chown -R {ORDINARY}" in told["hint"]
    assert stat.S_IMODE(homes.data.stat().st_mode) == 0o777


@pytest.mark.skipif(not ROOT, reason="only root can give a folder to another user")
def test_one_services_folder_that_belongs_to_somebody_else(homes: Homes) -> None:
    one = homes.ordinary()
    one.ask("gate")
    (homes.data / "postgres").mkdir(mode=0o700)
    assert one.ask("site")["port"]
    told = one.ask("trouble")
    assert told["code"] == "data-wrong-owner"
    assert str(homes.data / "postgres") in told["message"]
    os.chown(homes.data / "postgres", ORDINARY, ORDINARY)
    assert one.ask("trouble") is None


@pytest.mark.skipif(not ROOT, reason="only root can give a folder to another user")
def test_what_root_makes_in_a_students_home_is_the_students(homes: Homes) -> None:
    one = homes.jupyter(uid=0)
    assert one.ask("gate") is None
    one.ask("site")
    assert one.ask("layout") == []
    one.kill()
    # All but what is in the folder of sockets, which is told apart by user.
    owners = {
        path: path.stat().st_uid
        for path in homes.folder.rglob("*")
        if homes.folder / "run" not in (path, *path.parents)
    }
    assert set(owners.values()) == {ORDINARY}, owners
    assert homes.data / "postgres" / "secret" in owners
    later = homes.ordinary()
    assert later.ask("gate") is None
    assert later.ask("layout") == []


@pytest.mark.skipif(not ROOT, reason="only root can give a folder to another user")
def test_a_folder_for_sockets_that_somebody_else_made_is_not_used(homes: Homes) -> None:
    first = homes.ordinary()
    first.ask("gate")
    planted = Path(first.ask("site")["runtime_dir"]).parent
    first.kill()
    os.chown(planted, OTHER, OTHER)
    one = homes.ordinary()
    assert one.ask("gate") is None
    folder = Path(one.ask("site")["runtime_dir"]).parent
    assert folder != planted
    assert folder.stat().st_uid == ORDINARY


def test_a_file_of_declarations_that_may_not_be_read(homes: Homes) -> None:
    folder = homes.folder / "vce.d"
    folder.mkdir()
    (folder / "a.toml").write_text("[services.genie]\n")
    (folder / "a.toml").chmod(0)
    told = homes.ordinary().ask("config")
    assert told["specs"] == 3
    assert f"{folder / 'a.toml'}: The file cannot be read: Permission denied." in str(told)
    folder.chmod(0)
    assert str(folder) in str(homes.ordinary().ask("config")["problems"])


# -- file systems ----------------------------------------------------------------------------------


def in_namespace(mount: str) -> list[str]:
    """A prefix that mounts something over the home, seen by the started process alone."""
    prefix = ["unshare", "--mount"] if ROOT else ["unshare", "--user", "--map-root-user", "--mount"]
    allowed = subprocess.run([*prefix, "true"], capture_output=True, text=True)
    if allowed.returncode:
        pytest.skip(f"file systems cannot be mounted here: {allowed.stderr.strip()}")
    return [*prefix, "sh", "-ec", f'{mount}; exec "$@"', "sh"]


def test_a_full_disk(homes: Homes) -> None:
    home = homes.folder
    mount = f"mount -t tmpfs -o size=64k vce {home}; cat /dev/zero > {home}/full || true"
    told = homes.jupyter(uid=0, prefix=in_namespace(f"exec 2>/dev/null; {mount}")).ask("gate")
    assert told["code"] == "disk-full"
    assert "no room left" in told["message"]
    assert "Delete" in told["hint"]


def test_a_disk_that_is_read_only(homes: Homes) -> None:
    mount = f"mount -t tmpfs -o ro vce {homes.folder}"
    told = homes.jupyter(uid=0, prefix=in_namespace(mount)).ask("gate")
    assert told["code"] == "data-unwritable"
    assert "read-only" in told["message"]
    assert "VCE_DATA_DIR" in told["hint"]


def test_a_disk_that_becomes_full_later_takes_nothing_down(homes: Homes) -> None:
    home = homes.folder
    mount = f"mount -t tmpfs -o size=64k vce {home}; mkfifo {home}/go"
    one = homes.jupyter(uid=0, prefix=in_namespace(mount))
    assert one.ask("gate") is None
    filler = subprocess.run(
        ["nsenter", f"--mount=/proc/{one.process.pid}/ns/mnt", "--preserve-credentials"]
        + ([] if ROOT else [f"--user=/proc/{one.process.pid}/ns/user"])
        + ["sh", "-c", f"cat /dev/zero > {home}/full"],
        capture_output=True,
        text=True,
    )
    assert "No space left" in filler.stderr
    site = one.ask("site")
    assert site["port"]
    assert site["secret"]
    assert one.ask("site") == site

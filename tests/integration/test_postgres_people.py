"""Whoever Jupyter runs as: root with and without namespaces, ordinary users, users without a name.

PostgreSQL refuses root, so that each of them takes another way.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ou_vce_ext.drivers.identity import service_account
from ou_vce_ext.drivers.postgres import place as postgres_place
from ou_vce_ext.services.keepers import KeeperLauncher
from tests.integration.other_users import (
    as_container_root,
    as_user,
    ordinary_user,
    run_python,
    run_tests,
)
from tests.integration.postgres_rig import PostgresRig

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else"),
]

LIFE = "tests/integration/test_postgres.py"
FAULTS = "tests/integration/test_postgres_faults.py"
CHOSEN = (
    "needs_no_settings or private or killed_server or health or takes_no_files "
    "or stranger_has or really_runs or another_release or taken_port"
)
SOME = (LIFE, FAULTS, "-k", CHOSEN)


def allow_namespaces(launcher: KeeperLauncher, allowed: bool | None) -> None:
    """Have the launcher believe that the system lets nobody make one; None asks the system."""
    launcher._namespace = allowed


@pytest.fixture
def confined(launcher: KeeperLauncher) -> KeeperLauncher:
    """Keepers where user namespaces are forbidden, as in many containers."""
    allow_namespaces(launcher, False)
    return launcher


@pytest.fixture
def closed_dir(short_dir: Path) -> Path:
    """A folder that is closed to all but root, as root's home is."""
    short_dir.chmod(0o700)
    return short_dir


@pytest.fixture
def fallback(closed_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where data goes that a closed home cannot take; not the machine's own place for it."""
    folder = Path(f"{closed_dir}-fallback")
    monkeypatch.setattr(postgres_place, "FALLBACK_DATA", folder / "data")
    monkeypatch.setattr(postgres_place, "FALLBACK_SOCKETS", folder / "run")
    folder.mkdir(mode=0o711)
    yield folder
    shutil.rmtree(folder)


async def keeps_an_answer(rig: PostgresRig) -> int:
    """First start, a table, a second start; gives the uid the server ran as."""
    process = await rig.start()
    uid = psutil.Process(process.pid).uids().real
    await rig.query("create table if not exists kept as select 42 as answer")
    await rig.stop()
    await rig.start()
    assert await rig.query("select answer from kept") == [(42,)]
    await rig.stop()
    return uid


async def test_root_with_namespaces_keeps_its_files(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    if not await launcher.can_use_namespace():
        pytest.skip("user namespaces are not allowed here")
    rig = PostgresRig(short_dir, launcher)
    assert await keeps_an_answer(rig) == 0
    assert rig.folder == rig.site.data_dir
    assert {path.stat().st_uid for path in rig.folder.iterdir()} == {0}


async def test_root_without_namespaces_runs_it_as_another(
    short_dir: Path, confined: KeeperLauncher
) -> None:
    rig = PostgresRig(short_dir, confined)
    uid = await keeps_an_answer(rig)
    assert uid == service_account(short_dir / "none").uid != 0
    assert rig.folder == rig.site.data_dir
    assert {path.stat().st_uid for path in rig.folder.iterdir()} == {uid}
    assert Path(rig.driver.environment()["PGPASSFILE"]).stat().st_uid == 0


async def test_root_with_a_closed_home_keeps_data_elsewhere(
    closed_dir: Path, confined: KeeperLauncher, fallback: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rig = PostgresRig(closed_dir, confined)
    assert await keeps_an_answer(rig) != 0
    assert rig.folder.parent == fallback / "data"
    assert not rig.site.data_dir.exists()
    assert str(rig.folder) in caplog.text
    # Where namespaces come to be allowed later, the data that is there is what counts.
    later = PostgresRig(closed_dir, confined)
    allow_namespaces(confined, None)
    await later.start()
    assert later.folder == rig.folder
    assert await later.query("select answer from kept") == [(42,)]
    await later.stop()


async def test_data_that_cannot_be_reached_is_never_replaced(
    closed_dir: Path, launcher: KeeperLauncher, fallback: Path
) -> None:
    if not await launcher.can_use_namespace():
        pytest.skip("user namespaces are not allowed here")
    rig = PostgresRig(closed_dir, launcher)
    await keeps_an_answer(rig)
    allow_namespaces(launcher, False)
    refusal = await PostgresRig(closed_dir, launcher).refusal()
    assert refusal.code == "folder-unsuitable"
    assert str(closed_dir) in refusal.hint
    # The cure that it names works: the files, root's so far, are handed over.
    closed_dir.chmod(0o711)
    (closed_dir / "data").chmod(0o711)
    cured = PostgresRig(closed_dir, launcher)
    assert await keeps_an_answer(cured) != 0
    assert cured.folder == rig.folder


async def test_programs_that_the_other_cannot_reach(
    short_dir: Path, confined: KeeperLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = short_dir / "closed"
    rig = PostgresRig(short_dir, confined)
    servers = rig.driver.find_servers()
    shutil.copytree(servers[0].folder, closed / "bin")
    closed.chmod(0o700)
    # The one that is declared cannot be used, and another can.
    declared = PostgresRig(short_dir, confined, {"program": str(closed / "bin")})
    process = await declared.start()
    assert Path(psutil.Process(process.pid).exe()).parent == servers[0].folder
    await declared.stop()
    only = declared.driver.find_servers()[:1]
    monkeypatch.setattr(declared.driver, "find_servers", lambda: only)
    refusal = await declared.refusal()
    assert refusal.code == "program-unsuitable"
    assert str(closed) in refusal.message


@pytest.mark.slow
def test_an_ordinary_user() -> None:
    user = ordinary_user()
    run_tests(as_user(user.pw_uid, user.pw_gid), SOME, (user.pw_uid, user.pw_gid))


@pytest.mark.slow
def test_a_user_without_a_name() -> None:
    some = (LIFE, "-k", "needs_no_settings or killed_server")
    run_tests(as_user(54321, 54321), some, (54321, 54321))


@pytest.mark.slow
def test_the_root_of_a_container() -> None:
    run_tests(as_container_root(), SOME, (0, 0))


async def test_an_ordinary_user_is_told_of_roots_files(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    rig = PostgresRig(short_dir, launcher)
    await keeps_an_answer(rig)
    rig.folder.parent.chmod(0o777)
    (rig.folder.parent / "postgres.lock").unlink()
    user = ordinary_user()
    code = (
        "import asyncio, logging, tempfile, pathlib, sys\n"
        "from ou_vce_ext.services.keepers import KeeperLauncher\n"
        "from tests.integration.postgres_rig import PostgresRig\n"
        "async def main(folder):\n"
        "    launcher = KeeperLauncher(log=logging.getLogger())\n"
        "    with tempfile.TemporaryDirectory() as root:\n"
        "        rig = PostgresRig(pathlib.Path(root), launcher, data_dir=pathlib.Path(folder))\n"
        "        refusal = await rig.refusal()\n"
        "    print(refusal.code, refusal.message, refusal.hint)\n"
        "    await launcher.aclose()\n"
        "asyncio.run(main(sys.argv[1]))\n"
    )
    owner = (user.pw_uid, user.pw_gid)
    told = run_python(as_user(*owner), ["-c", code, str(rig.folder)], owner)
    assert told.startswith("data-wrong-owner "), told
    assert "belong to root" in told
    assert f"chown -R {user.pw_uid}:" in told

"""A service that grows past its limit: it is ended, the rest is not, and a person reads why."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import pytest

from ou_vce_ext.launch import LaunchPlan
from ou_vce_ext.services import memory_group
from ou_vce_ext.services.diagnosis import of_death
from ou_vce_ext.services.keepers import KeeperLauncher
from ou_vce_ext.services.kept_process import KeptProcess

LIMIT = 64_000_000
GREEDY = "import time; hoard = bytearray(200_000_000); print('has it all', flush=True)"


@pytest.fixture
def groups() -> bool:
    """Whether this machine lets us bound a group of processes at all."""
    group = memory_group.make_memory_group(LIMIT)
    if group:
        group.remove()
    return group is not None


async def test_growing_past_the_limit(
    tmp_path: Path, launcher: KeeperLauncher, groups: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    log = tmp_path / "log"
    plan = LaunchPlan((sys.executable, "-c", GREEDY), {}, str(tmp_path), log, memory_limit=LIMIT)
    process = await launcher.launch(plan)
    ending = await process.down()
    assert isinstance(process, KeptProcess)
    assert process.limited == groups
    if groups:
        assert (ending.signal, ending.starved) == ("SIGKILL", "limit")
        told = of_death("Genie", ending, ["last words"])
        assert told.code == "out-of-memory"
        assert "more memory than it may" in told.message
        assert "`memory`" in told.hint
        assert told.log_tail == ("last words",)
    else:
        # Nothing bounds it here, and the log says so rather than letting anyone think it did.
        assert ending.exit_code == 0
        assert "held to 64 MB only" in caplog.text


async def test_children_count_and_the_group_goes_with_them(
    tmp_path: Path, launcher: KeeperLauncher, groups: bool
) -> None:
    child = (
        f"import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', '''{GREEDY}''']))"
    )
    plan = LaunchPlan(
        (sys.executable, "-c", child), {}, str(tmp_path), tmp_path / "log", memory_limit=LIMIT
    )
    process = await launcher.launch(plan)
    ending = await process.down()
    assert ending.starved == ("limit" if groups else None)
    assert (ending.exit_code == 0) != groups
    places = memory_group._places(memory_group.ROOT, "/proc/self/cgroup")
    # Others that run beside this one have groups as well.
    assert isinstance(process, KeptProcess)
    assert not [place for place, _ in places if Path(place, f"vce-{process.keeper_pid}").exists()]


def tree(root: Path, controllers: str, below: str) -> None:
    """A unified hierarchy as the kernel shows it: where we are, and what is handed on."""
    (root / below).mkdir(parents=True)
    (root / "cgroup.controllers").touch()
    for folder in (root, *(root / below).relative_to(root).parents[:-1]):
        (root / folder / "cgroup.subtree_control").write_text(controllers)
    (root / below / "cgroup.subtree_control").write_text("")


@pytest.mark.parametrize(
    ("own", "below", "controllers", "expected"),
    [
        ("0::/user.slice/app.scope\n", "user.slice/app.scope", "cpu memory\n", "user.slice"),
        ("0::/user.slice/app.scope\n", "user.slice/app.scope", "cpu\n", None),
        ("0::/../elsewhere\n", "user.slice", "", None),
    ],
)
def test_a_unified_hierarchy_is_used_where_memory_is_handed_on(
    tmp_path: Path, own: str, below: str, controllers: str, expected: str | None
) -> None:
    tree(tmp_path, controllers, below)
    (tmp_path / "own").write_text(own)
    found = memory_group._places(str(tmp_path), str(tmp_path / "own"))
    assert found == ([(str(tmp_path / expected), 2)] if expected else [])


def test_a_machine_without_control_groups_has_no_group(tmp_path: Path) -> None:
    assert memory_group.make_memory_group(LIMIT, str(tmp_path), str(tmp_path / "none")) is None

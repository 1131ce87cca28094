"""Who counts as somebody else who uses the machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ou_vce_ext.services import other_people as module
from ou_vce_ext.services.other_people import in_container, is_ordinary, other_people, people

ROOT = "root:x:0:0:root:/root:/bin/bash\n"
DAEMON = "postgres:x:110:110::/var/lib/postgresql:/bin/bash\n"
NOBODY = "nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n"


def person(name: str, uid: int, home: str = "/", shell: str = "/bin/bash") -> str:
    return f"{name}:x:{uid}:100::{home}:{shell}\n"


@pytest.fixture
def passwd(tmp_path: Path) -> Path:
    return tmp_path / "passwd"


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What the machine is like, to be changed: who we are, who runs what, which accounts it has."""
    told: dict[str, object] = {
        "mine": 1000,
        "running": set(),
        "hidden": False,
        "container": False,
        "people": {1000},
    }
    monkeypatch.setattr(os, "geteuid", lambda: told["mine"])
    monkeypatch.setattr(module, "_running", lambda mine: told["running"])
    monkeypatch.setattr(module, "_others_are_hidden", lambda: told["hidden"])
    monkeypatch.setattr(module, "in_container", lambda: told["container"])
    monkeypatch.setattr(module, "people", lambda: told["people"])
    return told


@pytest.mark.parametrize(
    ("uid", "ordinary"),
    [(0, False), (999, False), (1000, True), (1351, True), (61184, False), (65534, False)],
)
def test_uids_of_people(uid: int, ordinary: bool) -> None:
    assert is_ordinary(uid) is ordinary
    assert is_ordinary(200_000 + uid), "a directory's people have numbers as large as they like"


def test_accounts_somebody_can_log_in_with(passwd: Path) -> None:
    passwd.write_text(
        ROOT
        + DAEMON
        + NOBODY
        + person("ou", 1000)
        + person("gone", 1001, home="/nonexistent")
        + person("locked", 1002, shell="/usr/sbin/nologin")
        + person("Zoë", 1003)
        + "no line of an account\n"
    )
    assert people(passwd) == {1000, 1003}
    assert people(passwd.with_name("none")) == set()


def test_alone(machine: dict[str, object]) -> None:
    assert other_people() is None
    machine["mine"] = 0
    assert other_people() is None, "root's Jupyter on a machine with one account is that person's"


@pytest.mark.parametrize(
    ("what", "value", "words"),
    [
        ("running", {1001}, "somebody else uses it now"),
        ("running", {1001, 1002}, "2 other people use it now"),
        ("hidden", True, "hides"),
        ("people", {1000, 1001}, "somebody else has an account on it"),
        ("people", {1000, 1001, 1002}, "2 other people have accounts on it"),
    ],
)
def test_not_alone(machine: dict[str, object], what: str, value: object, words: str) -> None:
    machine[what] = value
    assert words in str(other_people())


def test_in_a_container_accounts_are_the_images(machine: dict[str, object]) -> None:
    machine.update(container=True, people={1000, 1351})
    assert other_people() is None
    machine["running"] = {1351}
    assert other_people()


def test_root_on_a_machine_of_two(machine: dict[str, object]) -> None:
    machine.update(mine=0, people={1000, 1001})
    assert other_people()


def test_a_pod_is_a_container() -> None:
    assert in_container({"KUBERNETES_SERVICE_HOST": "10.0.0.1"})


def test_processes_are_looked_at_without_a_fault() -> None:
    assert module._running(os.geteuid()) is not None
    assert isinstance(module._others_are_hidden(), bool)

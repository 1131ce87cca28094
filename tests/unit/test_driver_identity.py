"""As whom a program runs, decided from owners, modes and what the system allows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ou_vce_ext.drivers import identity
from ou_vce_ext.drivers.identity import Account, barrier, decide_identity, may, service_account
from ou_vce_ext.launch import Identity, LaunchPlan, NetworkTrial, Process

STRANGER = Account(uid=987654, gid=987654)


class System:
    """A launcher on a system that allows namespaces, or does not."""

    def __init__(self, namespaces: bool) -> None:
        self.namespaces = namespaces

    async def launch(self, plan: LaunchPlan) -> Process:
        raise AssertionError("nothing is to be started")

    async def can_use_namespace(self) -> bool:
        return self.namespaces

    async def can_make_network(self, way_out: tuple[str, ...] = ()) -> NetworkTrial:
        raise AssertionError("no network is asked for")


@pytest.fixture
def as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)


@pytest.mark.parametrize(
    ("mode", "account", "allowed"),
    [
        (0o700, Account(os.geteuid(), STRANGER.gid), True),
        (0o077, Account(os.geteuid(), STRANGER.gid), False),
        (0o710, Account(STRANGER.uid, os.getegid()), True),
        (0o701, Account(STRANGER.uid, os.getegid()), False),
        (0o701, STRANGER, True),
        (0o770, STRANGER, False),
    ],
)
def test_rights_by_owner_group_and_mode(
    tmp_path: Path, mode: int, account: Account, allowed: bool
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    os.chown(folder, os.geteuid(), os.getegid())
    folder.chmod(mode)
    assert may(account, folder, os.X_OK) is allowed
    folder.chmod(0o700)


def test_the_first_closed_folder_is_named(tmp_path: Path) -> None:
    deep = tmp_path / "open" / "closed" / "inner" / "data"
    deep.parent.mkdir(parents=True)
    for folder in deep.parents:
        if folder.is_relative_to(tmp_path):
            folder.chmod(0o755)
    closed = barrier(STRANGER, deep)
    # The folders above a test's own may be closed as well.
    if closed is None or closed.is_relative_to(tmp_path):
        (tmp_path / "open" / "closed").chmod(0o700)
        assert barrier(STRANGER, deep) == tmp_path / "open" / "closed"
    assert barrier(Account(os.geteuid(), os.getegid()), deep) in (None, closed)


async def test_an_ordinary_user_stays_who_they_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(identity, "is_root", lambda: False)
    monkeypatch.setattr(identity, "has_name", lambda uid: True)
    assert await decide_identity(System(True), tmp_path) == Identity("same")


async def test_a_user_without_a_name_takes_one_in_a_namespace(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(identity, "is_root", lambda: False)
    monkeypatch.setattr(identity, "has_name", lambda uid: False)
    taken = await decide_identity(System(True), tmp_path)
    assert taken.mode == "namespace"
    assert taken.uid not in (None, 0, 65534)
    assert await decide_identity(System(False), tmp_path) == Identity("same")


@pytest.mark.usefixtures("as_root")
async def test_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = tmp_path / "none"
    assert (await decide_identity(System(True), missing)).mode == "namespace"
    confined = await decide_identity(System(False), missing)
    assert confined.mode == "user"
    assert confined.uid not in (None, 0)
    # What belongs to somebody is served as that somebody, namespaces or not.
    monkeypatch.setattr(identity, "owner_of", lambda folder: STRANGER)
    assert await decide_identity(System(True), missing) == STRANGER.identity()
    assert service_account(missing) == STRANGER

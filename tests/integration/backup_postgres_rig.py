"""A real PostgreSQL and its backups, taken and put in place as a manager does it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from ou_vce_ext.backups import scratch
from ou_vce_ext.backups.postgres.strategy import PostgresStrategy
from ou_vce_ext.backups.strategy import Built, Source, Taken
from ou_vce_ext.backups.watch import Watch
from ou_vce_ext.drivers.postgres.programs import Server
from ou_vce_ext.launch import Launcher
from tests.backup_file import back_up
from tests.integration.postgres_rig import PostgresRig, copy_cluster


def made_before(root: Path, launcher: Launcher, template: Path) -> PostgresRig:
    """A service that was started before: ``template`` is a data folder to copy."""
    made = PostgresRig(root, launcher)
    made.folder.parent.mkdir()
    copy_cluster(template, made.folder)
    return made


def point_at(rig: PostgresRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have Jupyter's own environment point every tool and client at the live server."""
    for name, value in rig.driver.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PGHOSTADDR", "127.0.0.1")
    monkeypatch.setenv("PGPASSWORD", rig.driver.declared.password)


async def take(
    strategy: PostgresStrategy, path: Path, watch: Watch | None = None
) -> tuple[Source, Taken]:
    """A backup at ``path``, opened again; nothing where it fails."""
    taken = await back_up(strategy, path, watch)
    return await strategy.open(path, path.name), taken


async def swap(rig: PostgresRig, built: Built | None) -> None:
    """The new data take the place of the live ones, which stay beside them."""
    assert built is not None
    await rig.stop()
    assert built.live == rig.folder
    os.rename(built.live, built.live.with_name("old"))
    os.rename(built.folder, built.live)
    await rig.start()


def server_of(rig: PostgresRig) -> Server:
    """The programs it runs with."""
    server = rig.driver.server
    assert server is not None
    return server


def left(rig: PostgresRig) -> list[Path]:
    """What a call has left behind of its own."""
    return [
        path
        for folder in (rig.folder.parent, rig.site.private_dir, rig.site.runtime_dir.parent)
        for path in folder.iterdir()
        if scratch.MARK in path.name or re.fullmatch("s[0-9a-f]{6}", path.name)
    ]

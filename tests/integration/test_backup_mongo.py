"""MongoDB backed up, rebuilt and compared, by a real server."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ou_vce_ext.backups.strategy import Layer
from ou_vce_ext.models_backup import Consistency
from ou_vce_ext.services.keepers import KeeperLauncher

from .backup_mongo_rig import BackupRig, running
from .mongo_rich import describe_server, make_rich


def _make(rig: BackupRig) -> None:
    with rig.admin() as client:
        make_rich(client)


def _describe(rig: BackupRig) -> dict[str, object]:
    with rig.admin() as client:
        return describe_server(client)


async def test_all_of_it_comes_back(short_dir: Path, launcher: KeeperLauncher) -> None:
    """Rich data: backed up, rebuilt, swapped; the difference is empty."""
    async with running(short_dir, launcher) as rig:
        await asyncio.to_thread(_make, rig)
        before = await asyncio.to_thread(_describe, rig)
        path = await rig.back_up(short_dir / "one.tar")
        source = await rig.open(path)
        assert source.consistency is Consistency.PER_COLLECTION
        built = await rig.build(Layer(source))
        assert await asyncio.to_thread(_describe, rig) == before
        await rig.swap(built)
        after = await asyncio.to_thread(_describe, rig)
        assert after.keys() == before.keys()
        for name in before:
            assert after[name] == before[name], name

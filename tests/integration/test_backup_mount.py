"""Data in a folder that is a file system of its own, which no rename can move."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ou_vce_ext.backups.swap import JOURNAL
from ou_vce_ext.models import OperationState
from tests.integration.small_disk import mounted
from tests.unit.backup_world import Home

pytestmark = pytest.mark.integration


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts where others see it")
async def test_a_restore_and_a_reset_leave_the_mount_where_it_is(tmp_path: Path) -> None:
    with mounted(tmp_path / "thing", "tmpfs", "size=200m") as (place, _):
        async with Home(tmp_path) as home:
            home.put(a="1", b="2")
            made = await home.backup()
            home.put(a="changed")
            over = await home.done(await home.backups.restore(made))
            assert home.live() == {"a": "1", "b": "2"}
            assert isinstance(over.result, dict)
            await home.done(await home.backups.restore(str(over.result["safety_copy"])))
            assert home.live() == {"a": "changed"}
            over = await home.done(await home.backups.reset("thing", without_safety_copy=True))
            [kept] = place.glob("thing-before-*")
            assert (kept / "a").read_text() == "changed"
            assert (place / "first").read_text() == "the module's"
            assert str(kept) in over.message
            # What does not come up goes back here too.
            (kept / "a").unlink()
            kept.rmdir()
            home.put(a="does not come up")
            bad = await home.backup()
            home.put(a="fine")
            ended = await home.ended(await home.backups.restore(bad))
            assert ended.state is OperationState.FAILED
            assert home.live() == {"a": "fine"}
            assert place.is_mount()
            assert home.strays() == []
            assert not list(tmp_path.rglob(JOURNAL))

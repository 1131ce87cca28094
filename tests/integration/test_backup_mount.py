"""Data in a folder that is a file system of its own, which no rename can move."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from ou_vce_ext.backups.swap import JOURNAL
from ou_vce_ext.errors import VceError
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


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts where others see it")
async def test_a_folder_that_came_with_an_image_is_replaced_though_it_cannot_be_moved(
    tmp_path: Path,
) -> None:
    with mounted(tmp_path / "disk", "tmpfs", "size=200m") as (disk, _):
        image = disk / "image" / "thing"
        (image / "deep" / "er").mkdir(parents=True)
        (image / "a").write_text("1")
        (image / "deep" / "er" / "b").write_text("2")
        for name in ("upper", "work"):
            (disk / name).mkdir()
        layers = f"lowerdir={disk}/image,upperdir={disk}/upper,workdir={disk}/work,redirect_dir=off"
        with mounted(tmp_path / "home", "overlay", layers) as (place, _):
            with pytest.raises(OSError, match="Invalid cross-device link"):
                (place / "thing").rename(place / "moved")
            async with Home(place) as home:
                await _replaced_and_back(home)
        # Everything anew, as a container is that was begun again.
        for name in ("upper", "work"):
            shutil.rmtree(disk / name)
            (disk / name).mkdir()
        with mounted(tmp_path / "again", "overlay", layers) as (place, _):
            async with Home(place) as home:
                await _put_back_and_kept(home)


async def _replaced_and_back(home: Home) -> None:
    over = await home.done(await home.backups.reset("thing"))
    assert home.live() == {"first": "the module's"}
    assert not (home.folder / "thing" / "deep").exists()
    assert isinstance(over.result, dict)
    await home.done(await home.backups.restore(str(over.result["safety_copy"])))
    assert home.live() == {"a": "1"}
    assert home.strays() == []


async def _put_back_and_kept(home: Home) -> None:
    deep = Path("deep") / "er" / "b"
    home.strategy().failures["check_live"] = VceError("died", "It died.")
    for _ in range(2):
        ended = await home.ended(await home.backups.reset("thing", without_safety_copy=True))
        assert ended.state is OperationState.FAILED
        assert home.live() == {"a": "1"}
        assert (home.folder / "thing" / deep).read_text() == "2"
    home.strategy().failures.clear()
    await home.done(await home.backups.reset("thing", without_safety_copy=True))
    [kept] = home.folder.glob("thing-before-*")
    assert (kept / deep).read_text() == "2"
    assert home.live() == {"first": "the module's"}
    assert home.strays() == []
    assert not list(home.folder.rglob(JOURNAL))

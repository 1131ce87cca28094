"""Backups that are not loaded yet: whoever needs them has them, and nobody else waits."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ou_vce_ext.backups import manager, when_needed
from ou_vce_ext.backups.when_needed import BackupsWhenNeeded
from ou_vce_ext.models_backup import Reason
from tests.unit.backup_world import Home
from tests.unit.fake_strategy import FileStrategy


@pytest.fixture(autouse=True)
def _files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(manager.Backups.__init__.__kwdefaults__ or {}, "strategy_for", FileStrategy)


def of(home: Home) -> BackupsWhenNeeded:
    """As the server makes them: in the place of those that a home of a test has at once."""
    return BackupsWhenNeeded(
        home.registry,
        root_dir=home.folder,
        clock=home.clock,
        log=home.log,
        is_ours=lambda: True,
    )


async def test_a_stop_that_wants_a_backup_has_them_loaded(tmp_path: Path) -> None:
    async with Home(tmp_path, backup={"on_stop": True, "verify": False}) as home:
        backups = of(home)
        home.put(a="1")
        await home.start()
        assert backups.problems() == []
        await home.done(home.registry.stop("thing"))
        found = await (await backups.loaded()).list("thing")
        assert [each.reason for each in found] == [Reason.SCHEDULED]
        await backups.aclose()


async def test_a_stop_that_wants_none_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Home(tmp_path) as home:
        backups = of(home)
        monkeypatch.setattr(when_needed, "_import", None)
        await home.start()
        await home.done(home.registry.stop("thing"))
        await backups.aclose()


async def test_all_who_ask_are_given_the_same_though_the_first_goes_away(tmp_path: Path) -> None:
    async with Home(tmp_path) as home:
        backups = of(home)
        first = asyncio.create_task(backups.loaded())
        others = [asyncio.create_task(backups.loaded()) for _ in range(3)]
        await asyncio.sleep(0)
        first.cancel()
        found = await asyncio.gather(*others)
        assert all(each is found[0] for each in found)
        assert await backups.loaded() is found[0]
        await backups.aclose()


async def test_a_load_that_failed_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Home(tmp_path) as home:
        backups = of(home)
        with monkeypatch.context() as broken:

            def breaks(kinds: set[str]) -> None:
                raise ImportError("half installed")

            broken.setattr(when_needed, "_import", breaks)
            with pytest.raises(ImportError):
                await backups.loaded()
        assert await (await backups.loaded()).list() == []
        await backups.aclose()


async def test_what_is_loaded_after_the_end_begins_nothing(tmp_path: Path) -> None:
    async with Home(tmp_path) as home:
        backups = of(home)
        backups.open_soon()
        await backups.aclose()
        assert (await backups.loaded()).desk.closing

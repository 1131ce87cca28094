"""Backups that are not loaded yet: whoever needs them has them, and nobody else waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ou_vce_ext.backups import manager, when_needed
from ou_vce_ext.backups.strategy import Built
from ou_vce_ext.backups.when_needed import BackupsWhenNeeded
from ou_vce_ext.models import OperationState
from ou_vce_ext.models_backup import Reason
from ou_vce_ext.states import ServiceState
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


@asynccontextmanager
async def never_started(tmp_path: Path) -> AsyncIterator[Home]:
    """A home whose service has a seed and has never had data, with backups not loaded yet."""
    async with Home(tmp_path, seed={"folder": "seed"}) as home:
        backups = of(home)
        yield home
        await backups.aclose()


async def test_a_service_whose_seed_is_loaded_is_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with never_started(tmp_path) as home:
        seen: list[tuple[ServiceState, float | None, str]] = []
        build = FileStrategy.build

        async def looked_at(self: FileStrategy, *args: Any, **kwargs: Any) -> Built | None:
            operation = home.registry.operations.running("thing")
            assert operation
            seen.append((home.state(), operation.progress, operation.message))
            return await build(self, *args, **kwargs)

        monkeypatch.setattr(FileStrategy, "build", looked_at)
        await home.start()
        assert seen == [(ServiceState.STARTING, 0.0, "Loading what your module provides")]
        assert home.live() == {"first": "the module's"}
        assert home.strays() == []


async def test_a_seed_that_cannot_be_loaded_is_why_its_service_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with never_started(tmp_path) as home:
        monkeypatch.setattr(FileStrategy, "seed", {"first": b"broken"})
        over = await home.ended(home.registry.start("thing"))
        assert over.error
        assert over.error == home.registry.get("thing").error
        assert home.state() is ServiceState.FAILED
        assert not (home.folder / "thing").exists()
        monkeypatch.setattr(FileStrategy, "seed", {"first": b"mended"})
        await home.start()
        assert home.live() == {"first": "mended"}


async def test_a_stop_while_a_seed_is_loaded_leaves_nothing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with never_started(tmp_path) as home:
        building = asyncio.Event()

        async def forever(self: FileStrategy, *args: Any, **kwargs: Any) -> Built | None:
            building.set()
            await asyncio.Event().wait()
            return None

        with monkeypatch.context() as slow:
            slow.setattr(FileStrategy, "build", forever)
            start = home.registry.start("thing")
            await home.until(building.is_set)
            await home.done(home.registry.stop("thing"))
        assert (await home.ended(start)).state is OperationState.CANCELLED
        assert home.state() is ServiceState.STOPPED
        assert not (home.folder / "thing").exists()
        assert home.strays() == []
        await home.start()
        assert home.live() == {"first": "the module's"}

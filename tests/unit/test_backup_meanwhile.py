"""What people change while their data are replaced: it is in the copy, or comes back with it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from ou_vce_ext.backups.kept import MISSED
from ou_vce_ext.backups.store import Stored
from ou_vce_ext.errors import VceError
from ou_vce_ext.models import Operation, OperationState
from ou_vce_ext.models_backup import Reason, Verified
from tests.unit.backup_world import Home


@pytest.fixture
def home(tmp_path: Path, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[Home]:
    made = Home(tmp_path)
    made.put(a="1")
    yield made
    jp_asyncio_loop.run_until_complete(made.__aexit__())


class Writer:
    """Writes another file at each step that it is told to, as often as it may."""

    def __init__(self, home: Home, step: str, times: int, service: str = "thing") -> None:
        self.home = home
        self.times = times
        self.place = home.folder / service
        self.written: dict[str, str] = {}
        home.strategy(service).meanwhile[step] = self.write

    def write(self) -> None:
        if len(self.written) < self.times:
            name = f"later{len(self.written)}"
            (self.place / name).write_text(name)
            self.written[name] = name


async def copy_of(home: Home, over: Operation) -> Stored:
    """The safety copy an operation names."""
    assert isinstance(over.result, dict)
    return await home.backups.get(str(over.result["safety_copy"]))


def kept(home: Home) -> list[Path]:
    return sorted(home.folder.glob("*-before-*"))


async def test_what_is_changed_while_it_is_built_is_in_the_copy(home: Home) -> None:
    await home.start()
    writer = Writer(home, "build", times=1)
    over = await home.done(await home.backups.reset("thing"))
    assert home.live() == {"first": "the module's"}
    [only] = await home.listed()
    copy = await copy_of(home, over)
    assert (only.id, only.verified, only.reason) == (copy.id, Verified.VERIFIED, Reason.SAFETY)
    assert kept(home) == []
    await home.done(await home.backups.restore(copy.id))
    assert home.live() == {"a": "1", **writer.written}
    assert home.strays() == []


async def test_what_stays_beside_a_restore_stays_as_it_is_at_the_end(home: Home) -> None:
    made = await home.backup()
    await home.start()
    writer = Writer(home, "build", times=1)
    home.strategy().calls.clear()
    await home.done(await home.backups.restore(made, items=["a"]))
    assert home.live() == {"a": "1", **writer.written}


@pytest.mark.parametrize("step", ["hold", "build"])
async def test_a_writer_that_never_rests_loses_nothing(home: Home, step: str) -> None:
    await home.start()
    writer = Writer(home, step, times=100)
    over = await home.done(await home.backups.reset("thing"))
    home.strategy().meanwhile.clear()
    everything = {"a": "1", **writer.written}
    copy = await copy_of(home, over)
    [place] = kept(home)
    assert isinstance(over.result, dict)
    assert over.result["kept"] == [str(place)]
    assert copy.file.name in over.message
    assert str(place) in over.message
    assert {path.name: path.read_text() for path in place.iterdir()} == everything
    over = await home.done(await home.backups.restore(copy.id))
    assert home.live() == everything
    assert kept(home) == []
    # The undo can be undone, and the copy alone is there once more.
    await home.done(await home.backups.restore((await copy_of(home, over)).id))
    assert home.live() == {"first": "the module's"}
    await home.done(await home.backups.restore(copy.id))
    assert home.live().items() <= everything.items()
    assert home.strays() == []


async def test_an_undo_that_does_not_come_up_keeps_what_it_was_to_bring(home: Home) -> None:
    await home.start()
    writer = Writer(home, "hold", times=1)
    over = await home.done(await home.backups.reset("thing"))
    copy = await copy_of(home, over)
    home.strategy().failures["check_live"] = VceError("data-corrupt", "It does not serve.")
    ended = await home.ended(await home.backups.restore(copy.id))
    assert ended.state is OperationState.FAILED
    assert home.live() == {"first": "the module's"}
    del home.strategy().failures["check_live"]
    await home.done(await home.backups.restore(copy.id))
    assert home.live() == {"a": "1", **writer.written}


async def test_a_second_copy_that_fails_stops_nothing_and_loses_nothing(home: Home) -> None:
    await home.start()

    def write() -> None:
        (home.folder / "thing" / "later").write_text("later")
        home.strategy().failures["take"] = VceError("disk-full", "There is no room.")

    home.strategy().meanwhile["build"] = write
    over = await home.done(await home.backups.reset("thing"))
    assert home.live() == {"first": "the module's"}
    home.strategy().failures.clear()
    home.strategy().meanwhile.clear()
    await home.done(await home.backups.restore((await copy_of(home, over)).id))
    assert home.live() == {"a": "1", "later": "later"}


async def test_files_are_copied_again_as_they_lie_when_nothing_runs(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home.strategy(), "needs_running", False)
    await home.start()
    writer = Writer(home, "hold", times=1)
    over = await home.done(await home.backups.reset("thing"))
    assert kept(home) == []
    [only] = await home.listed()
    assert only.id == (await copy_of(home, over)).id
    await home.done(await home.backups.restore(only.id))
    assert home.live() == {"a": "1", **writer.written}


async def test_what_is_kept_goes_with_its_copy(home: Home) -> None:
    await home.start()
    Writer(home, "hold", times=1)
    over = await home.done(await home.backups.reset("thing"))
    assert len(kept(home)) == 1
    await home.backups.remove((await copy_of(home, over)).id)
    assert kept(home) == []


async def test_what_is_kept_goes_a_day_after_its_copy_went_to_the_bin(home: Home) -> None:
    await home.start()
    Writer(home, "hold", times=1)
    copy = (await copy_of(home, await home.done(await home.backups.reset("thing")))).file
    bin_ = copy.rename(home.folder / "bin")
    await home.backups.timetable.look_round()
    bin_.rename(copy)
    home.clock.time += MISSED.total_seconds()
    await home.backups.timetable.look_round()
    copy.unlink()
    await home.backups.timetable.look_round()
    assert len(kept(home)) == 1
    home.clock.time += MISSED.total_seconds()
    await home.backups.timetable.look_round()
    assert kept(home) == []


async def test_of_several_services_each_loses_nothing(tmp_path: Path) -> None:
    async with Home(tmp_path, "one", "two") as home:
        home.put("one", a="1")
        home.put("two", a="1")
        over = await home.done(await home.backups.back_up_everything([]))
        assert isinstance(over.result, dict)
        made = str(over.result["id"])
        for name in ("one", "two"):
            await home.start(name)
        writer = Writer(home, "hold", times=1, service="two")
        over = await home.done(await home.backups.restore(made))
        copy = await copy_of(home, over)
        assert [place.name.split("-")[0] for place in kept(home)] == ["two"]
        await home.done(await home.backups.restore(copy.id))
        assert home.live("one") == {"a": "1"}
        assert home.live("two") == {"a": "1", **writer.written}
        assert kept(home) == []

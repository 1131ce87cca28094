"""A real OpenRefine backed up, proven and brought back: equal, or told why not."""

from __future__ import annotations

import asyncio
import json
import os
import urllib.parse
from contextlib import suppress
from pathlib import Path

import pytest

from ou_vce_ext.backups import scratch
from ou_vce_ext.backups.openrefine import beside
from ou_vce_ext.backups.openrefine.strategy import OpenRefineStrategy
from ou_vce_ext.backups.strategy import Built, Layer
from ou_vce_ext.backups.watch import Watch
from ou_vce_ext.errors import BadRequestError, ConflictError, UnsuitableError, VceError
from ou_vce_ext.services.keepers import KeeperLauncher
from tests import backup_file
from tests.integration.openrefine_rig import OpenRefineClient, OpenRefineRig
from tests.integration.rich_projects import asked, change, make_rich, seen
from tests.integration.small_disk import mounted
from tests.integration.watching import until
from tests.openrefine_files import Made, packed, tar

pytestmark = [pytest.mark.integration, pytest.mark.slow]


async def back_up(strategy: OpenRefineStrategy, path: Path) -> Path:
    """As the manager does it."""
    await backup_file.back_up(strategy, path)
    return path


async def build(strategy: OpenRefineStrategy, *layers: Layer) -> Built:
    """A new workspace, to be kept."""
    built = await strategy.build(layers, Watch(), keep=True)
    assert built
    return built


def put_in_place(built: Built, aside: Path) -> None:
    """As a swap does it, with OpenRefine at rest."""
    built.live.rename(aside)
    built.folder.rename(built.live)


def left(rig: OpenRefineRig) -> list[Path]:
    """What is there and should not be."""
    around = [*rig.folder.parent.iterdir(), *rig.folder.iterdir()]
    with suppress(FileNotFoundError):
        around += rig.site.private_dir.iterdir()
    return [path for path in around if scratch.MARK in path.name]


async def test_projects_go_away_and_come_back_equal(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    rig = OpenRefineRig(short_dir, launcher, {"java_options": ["-Drefine.autosave=600"]})
    strategy = OpenRefineStrategy(rig.driver)
    await rig.start()
    client = rig.client()
    first = await make_rich(client, "Café › towns")
    second = await make_rich(client, "Second")
    before = {project: await seen(client, project) for project in (first, second)}

    # Nothing of it is on disk yet: a preview knows it all the same, and a backup has it saved.
    assert {item.name for item in await strategy.look()} == {"Café › towns", "Second"}
    running = await back_up(strategy, short_dir / "running.tar")
    backup = await strategy.open(running, running.name)
    assert {item.key: item.count for item in backup.contents} == {first: 40, second: 40}
    assert await strategy.build([Layer(backup)], Watch(), keep=False) is None
    assert left(rig) == []
    assert {project: await seen(client, project) for project in (first, second)} == before

    await _beside(rig, strategy, client, running, first, before[first])

    # What was done since is taken from the files, at rest.
    await client.edit(second, 0, 0, "after the backup")
    changed = await seen(client, second)
    await rig.stop()
    assert await strategy.moved_on(strategy.moment)
    resting = await back_up(strategy, short_dir / "resting.tar")
    newer = await strategy.open(resting, resting.name)

    # One project as it was, the others as they are.
    only_first = Layer(backup, frozenset({first}))
    others = frozenset(item.key for item in newer.contents) - {first}
    put_in_place(await build(strategy, Layer(newer, others), only_first), short_dir / "aside")
    await rig.start()
    await strategy.check_live()
    client = rig.client()
    assert await seen(client, first) == before[first]
    assert await seen(client, second) == changed
    # Each step can still be undone, and done again.
    await change(client, "undo-redo", project=first, lastDoneID="0")
    assert (await seen(client, first))["rows"] != before[first]["rows"]
    again = before[first]["history"]["past"][-1]["id"]
    await change(client, "undo-redo", project=first, lastDoneID=str(again))
    assert await seen(client, first) == before[first]
    await back_up(strategy, short_dir / "last.tar")
    await rig.stop()
    # Stopped with nothing done since, it has left its files as they were copied.
    assert not await strategy.moved_on(strategy.moment)
    assert left(rig) == []


async def _beside(
    rig: OpenRefineRig,
    strategy: OpenRefineStrategy,
    client: OpenRefineClient,
    running: Path,
    first: str,
    before: dict[str, object],
) -> None:
    """A project under another name; and what the app itself has exported."""
    backup = await strategy.open(running, running.name)
    there = set(await client.names())
    one = frozenset({first})
    with pytest.raises(ConflictError, match="Second"):
        await strategy.load_beside(backup, one, "Second", Watch())
    with pytest.raises(BadRequestError):
        await strategy.load_beside(backup, None, "Copy", Watch())
    with pytest.raises(BadRequestError):
        await strategy.load_beside(backup, one, " \n", Watch())
    await strategy.load_beside(backup, one, "Catching up", Watch())
    [copy] = set(await client.names()) - there
    assert await seen(client, copy) == {**before, "name": "Catching up"}

    form = urllib.parse.urlencode({"project": first}).encode()
    _, exported = await client.ask("/command/core/export-project", form)
    path = running.with_name("Café.openrefine.tar.gz")
    path.write_bytes(exported)
    theirs = await strategy.open(path, path.name)
    await strategy.load_beside(theirs, None, "From a file", Watch())
    [other] = set(await client.names()) - there - {copy}
    assert await seen(client, other) == {**before, "name": "From a file"}

    # Cut off at some moments, it leaves nothing; or it was too late, and all of it is there.
    named = set(await client.names())
    for delay in (0.0, 0.02, 0.06, 0.15):
        loading = asyncio.ensure_future(strategy.load_beside(backup, one, f"Cut {delay}", Watch()))
        await asyncio.wait({loading}, timeout=delay)
        loading.cancel()
        await asyncio.wait({loading})
        if undoing := set(beside._undoing):
            # What OpenRefine was long about is taken back when it is through with it.
            await asyncio.wait(undoing)
        if not loading.cancelled():
            await loading
            [whole] = set(await client.names()) - named
            assert await seen(client, whole) == {**before, "name": f"Cut {delay}"}
            named.add(whole)
        assert set(await client.names()) == named
    assert left(rig) == []
    assert await seen(client, first) == before


async def test_a_save_that_fails_is_no_backup(short_dir: Path, launcher: KeeperLauncher) -> None:
    """OpenRefine's own export goes on with what it had saved before, and says nothing."""
    rig = OpenRefineRig(short_dir, launcher, {"java_options": ["-Drefine.autosave=600"]})
    rig.folder.parent.mkdir()
    with mounted(short_dir / "disk", "tmpfs", "size=70000000") as (disk, _):
        rig.folder.symlink_to(disk)
        strategy = OpenRefineStrategy(rig.driver)
        await rig.start()
        # Whether anything is saved is decided here alone.
        saving = rig.driver._saving
        assert saving
        saving.cancel()
        client = rig.client()
        project = await make_rich(client, "Café")
        good = await back_up(strategy, short_dir / "good.tar")
        filler = disk / "film"
        await client.edit(project, 0, 0, "before the disk was full")
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))
        with pytest.raises(VceError, match="Café") as caught:
            await back_up(strategy, short_dir / "bad.tar")
        assert caught.value.code == "disk-full"
        assert list(short_dir.glob("bad.tar*")) == []
        assert [item.count for item in (await strategy.open(good, "")).contents] == [40]
        filler.unlink()
        path = await back_up(strategy, short_dir / "later.tar")
        source = await strategy.open(path, path.name)
        await strategy.build([Layer(source)], Watch(), keep=False)
        facts = source.archive.manifest.details["projects"]  # type: ignore[attr-defined]
        history = await asked(client, "get-history", project)
        assert facts[project]["past"] == len(history["past"])
        await rig.stop()


async def test_what_openrefine_cannot_open_is_refused_and_a_reset_sows_the_seed(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    seed = short_dir / "Towns.openrefine.tar.gz"
    seed.write_bytes(Made(name="Towns", past=(), future=()).archive())
    rig = OpenRefineRig(short_dir, launcher, seed={"projects": (str(seed),)})
    strategy = OpenRefineStrategy(rig.driver)
    rig.folder.mkdir(parents=True)
    Made().write(rig.folder)
    built = await strategy.build([], Watch(), keep=True)
    assert built
    assert seed.name in strategy.becomes()
    listed = json.loads((built.folder / "workspace.json").read_text())["projectIDs"]
    assert len(listed) == 1
    put_in_place(built, short_dir / "aside")
    [item] = await strategy.look()
    assert (item.name, item.count) == ("Towns", 2)

    # Nothing that can be seen in it is wrong; but OpenRefine stumbles over it.
    column = json.dumps({"name": "a", "cellIndex": "none"})
    text = f"3.6.2\ncolumnModel=\ncolumnCount=1\n{column}\n/e/\nrowCount=0\n"
    odd = dict(Made(name="Odd", past=(), future=()).files())
    odd["data.zip"] = packed({"data.txt": text, "pool.txt": "3.6.2\nreconCount=0\n"})
    path = short_dir / "odd.tar.gz"
    path.write_bytes(tar(odd, "gz"))
    source = await strategy.open(path, path.name)
    with pytest.raises(UnsuitableError, match="Odd"):
        await strategy.build([Layer(source)], Watch(), keep=True)
    assert left(rig) == []
    assert [each.name for each in await strategy.look()] == ["Towns"]


async def test_cut_off_at_any_moment_nothing_is_left(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    rig = OpenRefineRig(short_dir, launcher)
    strategy = OpenRefineStrategy(rig.driver)
    rig.folder.mkdir(parents=True)
    Made().write(rig.folder)
    path = await back_up(strategy, short_dir / "backup.tar")
    source = await strategy.open(path, path.name)
    for delay in (0.0, 0.05, 0.5, 1.5):
        building = asyncio.ensure_future(strategy.build([Layer(source)], Watch(), keep=True))
        await asyncio.wait({building}, timeout=delay)
        building.cancel()
        with pytest.raises(asyncio.CancelledError):
            await building
        assert left(rig) == []
        await until(lambda: not _javas(short_dir))


def _javas(folder: Path) -> list[str]:
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
            if b"com.google.refine.Refine" in line and os.fsencode(folder) in line:
                found.append(pid)
    return found

"""What no project archive can be made of is in a backup all the same, as its files."""

from __future__ import annotations

import json
import os
import tarfile
from pathlib import Path

import pytest

from ou_vce_ext.backups import scratch
from ou_vce_ext.backups.manifest import Manifest
from ou_vce_ext.backups.openrefine import strategy as strategies
from ou_vce_ext.backups.openrefine.project import Project
from ou_vce_ext.backups.openrefine.source import OwnBackup
from ou_vce_ext.backups.openrefine.strategy import OpenRefineStrategy
from ou_vce_ext.backups.strategy import Layer, Taken
from ou_vce_ext.backups.watch import Watch
from ou_vce_ext.backups.writer import ArchiveWriter
from ou_vce_ext.errors import BadRequestError, UnsuitableError
from ou_vce_ext.models_backup import Consistency, DataItem, ItemKind
from tests.backup_file import back_up, manifest_of
from tests.openrefine_files import Made
from tests.unit.openrefine_backup_rig import backed_up, strategy_in

WHOLE = Made()
CUT = Made("1700000000002", "Towns")
NAMELESS = Made("1700000000003", "Rivers")
WITHOUT_DATA = Made("1700000000004", "Roads")
PUT_ASIDE = "1700000000006.project.corrupted"
"""As OpenRefine does at a start with what it can read nothing of."""


def seen(folder: Path) -> dict[str, bytes]:
    """Each file below a folder that is somebody's work."""
    nobodys = ("workspace.json", ".openrefine.lock", "kept")
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in nobodys
    }


@pytest.fixture
def strategy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenRefineStrategy:
    """A workspace with one of each; whether projects open is for a real OpenRefine to say."""

    async def opened(_: object, projects: dict[str, Project], watch: Watch) -> None:
        assert projects.keys() == {WHOLE.id}

    monkeypatch.setattr(strategies, "try_out", opened)
    made = strategy_in(tmp_path)
    workspace = made.driver.site.data_dir
    WHOLE.write(workspace)
    (workspace / f"{WHOLE.id}.project" / "remarks.txt").write_text("about the whole one")
    cut = CUT.write(workspace) / "data.zip"
    cut.write_bytes(cut.read_bytes()[:-40])
    nameless = NAMELESS.write(workspace)
    (nameless / "metadata.json").write_bytes(b"{")
    (nameless / "data.zip").write_bytes(b"")
    (WITHOUT_DATA.write(workspace) / "data.zip").unlink()
    Made("1700000000006").write(workspace).rename(workspace / PUT_ASIDE)
    (workspace / "1700000000005.project" / "history").mkdir(parents=True)
    (workspace / "notes-before-1.txt").write_text("Zoë's")
    (workspace / f"{workspace.name}{scratch.BEFORE}2026").mkdir()
    (workspace / f"{workspace.name}{scratch.BEFORE}2026" / "kept").touch()
    (workspace / "old" / "deep").mkdir(parents=True)
    (workspace / "old" / "deep" / "data.csv").write_text("a,b\n")
    (workspace / "extensions").mkdir()
    (workspace / "extensions" / "module.js").write_text("runs")
    (workspace / "dbextension").mkdir()
    (workspace / "dbextension" / ".saved-db-connections.json").write_text('{"password": "x"}')
    (workspace / "1700000000007.project").write_text("no folder at all")
    (workspace / "line\nbreak").write_text("no archive can hold this name")
    (workspace / "workspace.json").write_text('{"projectIDs": []}')
    (workspace / ".openrefine.lock").touch()
    return made


async def test_all_of_it_is_told(strategy: OpenRefineStrategy, tmp_path: Path) -> None:
    told = {item.key: (item.name, item.count, item.damaged) for item in await strategy.look()}
    assert told == {
        WHOLE.id: ("Café", 2, False),
        CUT.id: ("Towns", None, True),
        NAMELESS.id: (f"Project {NAMELESS.id}", None, True),
        WITHOUT_DATA.id: ("Roads", None, True),
        PUT_ASIDE: ("Café", None, True),
    }
    assert "6 other files in the projects folder" in strategy.stays()

    taken = await back_up(strategy, tmp_path / "backup.tar")
    source = await strategy.open(tmp_path / "backup.tar", "")
    assert [item.key for item in source.contents] == [item.key for item in taken.contents]
    assert {
        item.key: item.damaged for item in source.contents if item.kind is ItemKind.PROJECT
    } == {key: damaged for key, (_, _, damaged) in told.items()}
    [others] = [item for item in source.contents if item.kind is ItemKind.FOLDER]
    assert (others.key, others.count, others.damaged) == ("files", 5, False)
    assert taken.details["as_files"]["files"]["left_out"] == ["line\nbreak"]  # type: ignore[index, call-overload]
    # Whoever has no more than the file finds all of it in there.
    with tarfile.open(tmp_path / "backup.tar") as archive:
        [name] = [each for each in archive.getnames() if CUT.id in each]
        with tarfile.open(fileobj=archive.extractfile(name)) as files:
            assert "data.zip" in files.getnames()
        # It holds passwords, and a backup may be handed on.
        with tarfile.open(fileobj=archive.extractfile("projects/other.files.tar")) as files:
            assert not [each for each in files.getnames() if "dbextension" in each]


async def test_a_reset_and_its_undo_lose_no_byte(
    strategy: OpenRefineStrategy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = strategy.driver.site.data_dir
    before = seen(workspace)
    safety = await backed_up(strategy, tmp_path / "safety.tar")
    assert not await strategy.moved_on(strategy.moment)
    source = await strategy.open(safety, "")
    assert await strategy.build([Layer(source)], Watch(), keep=False) is None

    fresh = await strategy.build([], Watch(), keep=True)
    assert fresh
    workspace.rename(tmp_path / "gone")
    fresh.folder.rename(workspace)
    # No project's stay as they are.
    stays = {
        name: content
        for name, content in before.items()
        if ".project/" not in name and ".corrupted" not in name
    }
    assert seen(workspace) == stays

    (workspace / "notes-before-1.txt").write_text("changed since")
    (workspace / "old" / "deep" / "data.csv").unlink()
    undone = await strategy.build([Layer(source)], Watch(), keep=True)
    assert undone
    found = seen(undone.folder)
    assert found.pop("notes-before-1.txt") == b"changed since", "nothing is put over what is there"
    assert found == {name: before[name] for name in before if name != "notes-before-1.txt"}
    assert (undone.folder / "old" / "deep" / "data.csv").exists()


async def test_what_runs_in_openrefine_comes_out_of_no_backup(
    strategy: OpenRefineStrategy, tmp_path: Path
) -> None:
    safety = await backed_up(strategy, tmp_path / "safety.tar")
    workspace = strategy.driver.site.data_dir
    workspace.rename(tmp_path / "gone")
    built = await strategy.build([Layer(await strategy.open(safety, ""))], Watch(), keep=True)
    assert built
    assert (built.folder / "notes-before-1.txt").exists()
    assert not (built.folder / "extensions" / "module.js").exists()


async def test_a_whole_one_takes_the_place_of_a_damaged_one(
    strategy: OpenRefineStrategy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restore of an older backup: what is live and not in it stays, damaged or not."""
    now = await strategy.open(await backed_up(strategy, tmp_path / "now.tar"), "")
    (tmp_path / "other").mkdir()
    other = strategy_in(tmp_path / "other")
    CUT.write(other.driver.site.data_dir)
    older = await strategy.open(await backed_up(other, tmp_path / "older.tar"), "")

    async def opened(_: object, projects: dict[str, Project], watch: Watch) -> None:
        assert projects.keys() == {WHOLE.id, CUT.id}

    monkeypatch.setattr(strategies, "try_out", opened)
    stays = frozenset(item.key for item in now.contents) - {CUT.id}
    built = await strategy.build([Layer(now, stays), Layer(older)], Watch(), keep=True)
    assert built
    place = built.folder / f"{CUT.id}.project"
    assert (place / "data.zip").read_bytes() == CUT.data()
    assert (built.folder / f"{NAMELESS.id}.project" / "metadata.json").read_bytes() == b"{"


async def test_a_change_to_any_of_it_is_seen(strategy: OpenRefineStrategy, tmp_path: Path) -> None:
    workspace = strategy.driver.site.data_dir
    places = (
        f"{NAMELESS.id}.project/more",
        "notes-before-1.txt",
        f"{WHOLE.id}.project/remarks.txt",
    )
    for number, place in enumerate(places):
        await backed_up(strategy, tmp_path / f"{number}.tar")
        assert not await strategy.moved_on(strategy.moment)
        (workspace / place).write_text("changed, and longer than it was before")
        assert await strategy.moved_on(strategy.moment), place


async def test_none_of_it_goes_under_another_name(
    strategy: OpenRefineStrategy, tmp_path: Path
) -> None:
    source = await strategy.open(await backed_up(strategy, tmp_path / "backup.tar"), "")
    for key in (CUT.id, "files"):
        with pytest.raises(BadRequestError, match="bare files"):
            await strategy.load_beside(source, frozenset({key}), "Another", Watch())


async def test_other_files_than_are_told_of_are_refused(
    strategy: OpenRefineStrategy, tmp_path: Path
) -> None:
    source = await strategy.open(await backed_up(strategy, tmp_path / "backup.tar"), "")
    assert isinstance(source, OwnBackup)
    told = source.archive.manifest.details["as_files"]
    assert isinstance(told, dict)
    for key in (CUT.id, "files"):
        before = told[key]
        assert isinstance(before, dict)
        told[key] = {**before, "digest": "0" * 64}
        with pytest.raises(UnsuitableError, match="not those it tells of"):
            await strategy.build([Layer(source)], Watch(), keep=False)
        told[key] = before
    assert [name for name in os.listdir(tmp_path / "home") if "scratch" in name] == []


def test_backups_that_were_made_before_tell_of_no_damage(tmp_path: Path) -> None:
    archive = ArchiveWriter(tmp_path / "backup.tar", Watch())
    item = DataItem("1", "openrefine", ItemKind.PROJECT, "Towns", damaged=True)
    body = json.loads(manifest_of(archive, Taken((item,), Consistency.QUIESCED)).to_bytes())
    archive.abandon()
    assert body["contents"][0].pop("damaged") is True
    [found] = Manifest.from_bytes(json.dumps(body).encode()).contents
    assert (found.name, found.damaged) == ("Towns", False)


async def test_one_of_many_steps_is_not_looked_at_to_find_other_files(
    strategy: OpenRefineStrategy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Projects may have thousands, and this is asked again and again."""
    asked: list[str] = []
    look = Path.lstat

    def remembered(path: Path) -> os.stat_result:
        asked.append(path.name)
        return look(path)

    monkeypatch.setattr(Path, "lstat", remembered)
    assert await strategy.estimate()
    assert "notes-before-1.txt" in asked
    assert not [name for name in asked if name.endswith(".change.zip")]

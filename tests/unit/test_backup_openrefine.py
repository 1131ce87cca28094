"""OpenRefine's files without OpenRefine: what is whole is taken, and nothing else is."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from ou_vce_ext.backups import places, scratch
from ou_vce_ext.backups.openrefine.facts import BrokenProjectError, facts_of, glance
from ou_vce_ext.backups.openrefine.preferences import preferences_in, workspace
from ou_vce_ext.backups.openrefine.project import prove
from ou_vce_ext.backups.openrefine.source import ForeignProjects, OwnBackup
from ou_vce_ext.backups.openrefine.strategy import OpenRefineStrategy
from ou_vce_ext.backups.watch import Watch
from tests.openrefine_files import Made, tar
from tests.unit.openrefine_backup_rig import backed_up, strategy_in, unpacked

FIRST = Made()
SECOND = Made("1700000000002", "Towns", past=(), future=())
PREFERENCES = {
    "scripting.starred-expressions": {
        "class": "com.google.refine.preference.TopList",
        "top": 2147483647,
        "list": ["grel:value.trim()"],
    },
    "userLang": "cy",
}


@pytest.fixture
def strategy(tmp_path: Path) -> OpenRefineStrategy:
    return strategy_in(tmp_path)


@pytest.fixture
def folder(strategy: OpenRefineStrategy) -> Path:
    return strategy.driver.site.data_dir


def test_all_that_is_in_a_project_is_read(tmp_path: Path) -> None:
    project = prove(FIRST.id, FIRST.write(tmp_path), Watch())
    assert project.name == "Café"
    assert project.metadata.tags == ("a", "b")
    facts = project.facts
    assert (facts.rows, facts.starred, facts.flagged) == (2, 1, 1)
    assert facts.columns == ("name", "town")
    assert (facts.past, facts.future) == ((11, 12), (13,))
    assert len(project.steps) == 3
    assert glance(project.data, Watch()).rows == 2


def test_rows_that_could_not_be_written_are_missed(tmp_path: Path) -> None:
    """OpenRefine goes on without them, and says nothing."""
    path = tmp_path / "data.zip"
    path.write_bytes(FIRST.data(rows=3))
    with pytest.raises(BrokenProjectError):
        facts_of(path, Watch())


def test_data_cut_short_or_changed_are_never_taken_for_whole(tmp_path: Path) -> None:
    path = tmp_path / "data.zip"
    whole = FIRST.data()
    path.write_bytes(whole)
    good = facts_of(path, Watch())
    for length in range(0, len(whole), 3):
        path.write_bytes(whole[:length])
        with pytest.raises(BrokenProjectError):
            facts_of(path, Watch())
    for bit in range(0, 8 * len(whole), 7):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        try:
            # A time, say, which nobody reads.
            assert facts_of(path, Watch()) == good
        except BrokenProjectError:
            continue


def test_a_step_that_is_lost_is_counted_and_no_reason_to_do_without_the_rest(
    tmp_path: Path,
) -> None:
    folder = FIRST.write(tmp_path)
    (folder / "history" / "11.change.zip").unlink()
    step = folder / "history" / "13.change.zip"
    step.write_bytes(step.read_bytes()[:-9])
    project = prove(FIRST.id, folder, Watch())
    assert [path.name for path in project.steps] == ["12.change.zip"]
    assert project.lost_steps == 2


def test_two_steps_may_share_an_id_and_their_file(tmp_path: Path) -> None:
    made = Made(past=(11, 12, 11), future=(13,))
    project = prove(made.id, made.write(tmp_path), Watch())
    assert [path.name[:2] for path in project.steps] == ["11", "12", "13"]
    assert project.lost_steps == 0


def test_what_openrefine_falls_back_on_is_fallen_back_on(tmp_path: Path) -> None:
    folder = FIRST.write(tmp_path)
    (folder / "data.zip").rename(folder / "data.old.zip")
    (folder / "data.zip").write_bytes(FIRST.data()[:-30])
    (folder / "metadata.json").rename(folder / "metadata.old.json")
    (folder / "metadata.json").write_bytes(b"")
    project = prove(FIRST.id, folder, Watch())
    assert project.data.name == "data.old.zip"
    assert project.name == "Café"


async def test_at_rest_projects_are_taken_from_their_files(
    strategy: OpenRefineStrategy, folder: Path, tmp_path: Path
) -> None:
    for made in (FIRST, SECOND):
        made.write(folder)
    (folder / "99.project").mkdir()
    (folder / "workspace.json").write_text(
        json.dumps({"projectIDs": [], "preferences": {"entries": PREFERENCES}})
    )
    items = await strategy.look()
    assert [(item.key, item.name, item.count) for item in items] == [
        (FIRST.id, "Café", 2),
        (SECOND.id, "Towns", 2),
    ]
    path = await backed_up(strategy, tmp_path / "backup.tar")
    source = await strategy.open(path, path.name)
    assert [item.key for item in source.contents] == [FIRST.id, SECOND.id]
    assert source.whole
    assert isinstance(source, OwnBackup)
    settings = source.preferences()
    assert settings
    assert settings.entries == PREFERENCES
    assert unpacked(source, tmp_path / "out") == {
        FIRST.id: FIRST.files(),
        SECOND.id: SECOND.files(),
    }
    assert sorted(entry.name for entry in folder.parent.iterdir()) == [folder.name]
    # Whoever has no more than the file: each project is one that OpenRefine can import.
    with tarfile.open(path) as archive:
        [name] = [each for each in archive.getnames() if "Café" in each]
        member = archive.extractfile(name)
        assert member
        with tarfile.open(fileobj=member, mode="r:gz") as project:
            assert set(project.getnames()) == set(FIRST.files())


async def test_with_no_folder_there_is_nothing_to_back_up(
    strategy: OpenRefineStrategy, tmp_path: Path
) -> None:
    assert await strategy.look() == ()
    path = await backed_up(strategy, tmp_path / "backup.tar")
    assert (await strategy.open(path, path.name)).contents == ()


async def test_files_that_others_made(
    strategy: OpenRefineStrategy, folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(FIRST.archive())
    one = await strategy.open(path, "Café.openrefine.tar.gz")
    assert [item.name for item in one.contents] == ["Café"]
    assert not one.whole
    again = await strategy.open(path, "Café.openrefine.tar.gz")
    assert again.contents == one.contents, "its key is the same whenever it is looked at"
    assert list(unpacked(one, tmp_path / "one").values()) == [FIRST.files()]

    path.write_bytes(tar(FIRST.files()))
    assert [item.name for item in (await strategy.open(path, "p.tar")).contents] == ["Café"]

    several = io.BytesIO()
    with zipfile.ZipFile(several, "w") as archive:
        archive.writestr("mine/first.openrefine.tar.gz", FIRST.archive())
        archive.writestr("mine/second.tar.gz", SECOND.archive())
        archive.writestr("mine/notes.txt", "not a project")
    path.write_bytes(several.getvalue())
    both = await strategy.open(path, "both.zip")
    assert sorted(item.name for item in both.contents) == ["Café", "Towns"]

    folders = {
        f"openrefine_projects/{made.id}.project/{name}": content
        for made in (FIRST, SECOND)
        for name, content in made.files().items()
    }
    listing = json.dumps({"projectIDs": [], "preferences": {"entries": PREFERENCES}})
    folders["openrefine_projects/workspace.json"] = listing.encode()
    path.write_bytes(tar(folders, "gz"))
    whole = await strategy.open(path, "workspace.tgz")
    assert {item.key for item in whole.contents} == {FIRST.id, SECOND.id}
    assert isinstance(whole, ForeignProjects)
    settings = whole.preferences()
    assert settings
    assert settings.entries == PREFERENCES
    assert unpacked(whole, tmp_path / "whole")[SECOND.id] == SECOND.files()
    assert list(folder.parent.iterdir()) == []


def test_no_class_is_named_that_openrefine_does_not_write_itself() -> None:
    entries = {
        **PREFERENCES,
        "evil": {"class": "org.example.Evil", "a": 1},
        "hidden": [{"class": "org.example.Evil"}],
        "within": {**PREFERENCES["scripting.starred-expressions"], "list": [{"class": "x"}]},  # type: ignore[dict-item]
    }
    found = preferences_in(json.dumps({"preferences": {"entries": entries}}).encode())
    assert found
    assert found.entries == PREFERENCES
    assert preferences_in(workspace(["1"], found)) == found
    assert preferences_in(b"[") is None


async def test_what_was_cut_off_is_removed(strategy: OpenRefineStrategy, folder: Path) -> None:
    FIRST.write(folder)
    half = SECOND.write(folder)
    (half / f"{scratch.MARK}import").touch()
    listed = {"projectIDs": [int(FIRST.id), int(SECOND.id)], "preferences": {}}
    (folder / "workspace.json").write_text(json.dumps(listed))
    left = places.make(places.new_place(folder))
    (left / "something").touch()
    site = scratch.scratch_site(strategy.driver.site, None)
    for trial in (site.private_dir, site.runtime_dir):
        trial.mkdir(parents=True)
    await strategy.clean()
    assert not any(each.exists() for each in (left, site.private_dir, site.runtime_dir))
    assert not half.exists()
    assert json.loads((folder / "workspace.json").read_text())["projectIDs"] == [int(FIRST.id)]
    assert [item.key for item in await strategy.look()] == [FIRST.id]


async def test_a_change_is_seen(strategy: OpenRefineStrategy, folder: Path) -> None:
    made = FIRST.write(folder)
    assert await strategy.changed() is None
    assert await strategy.changed() is False
    (made / "data.zip").rename(made / "data.old.zip")
    (made / "data.zip").write_bytes(FIRST.data())
    assert await strategy.changed() is True
    assert await strategy.changed() is False


async def test_what_has_moved_on_since_a_backup_is_known_from_the_files(
    strategy: OpenRefineStrategy, folder: Path, tmp_path: Path
) -> None:
    made = FIRST.write(folder)
    await backed_up(strategy, tmp_path / "one.tar")
    assert not await strategy.moved_on(strategy.moment)
    told = json.loads((made / "metadata.json").read_text())
    (made / "metadata.json").write_text(json.dumps({**told, "modified": "2026-01-01T00:00:00Z"}))
    assert not await strategy.moved_on(strategy.moment)
    (made / "metadata.json").write_text(json.dumps({**told, "name": "Another"}))
    assert await strategy.moved_on(strategy.moment)
    await backed_up(strategy, tmp_path / "two.tar")
    # As OpenRefine saves: aside, then renamed.
    (made / "data.temp.zip").write_bytes(FIRST.data())
    (made / "data.temp.zip").rename(made / "data.zip")
    assert await strategy.moved_on(strategy.moment)


async def test_settings_that_openrefine_adds_by_itself_are_no_change(
    strategy: OpenRefineStrategy, folder: Path, tmp_path: Path
) -> None:
    """What was restored without any has them once OpenRefine has stopped."""
    FIRST.write(folder)
    expressions: dict[str, object] = {"class": "com.google.refine.preference.TopList", "list": []}

    def set_to(entries: Mapping[str, object]) -> None:
        body = {"projectIDs": [], "preferences": {"entries": entries}}
        (folder / "workspace.json").write_text(json.dumps(body))

    (folder / "workspace.json").write_bytes(workspace([FIRST.id], None))
    await backed_up(strategy, tmp_path / "one.tar")
    set_to({"scripting.starred-expressions": expressions})
    assert not await strategy.moved_on(strategy.moment)
    set_to(PREFERENCES)
    assert await strategy.moved_on(strategy.moment)
    await backed_up(strategy, tmp_path / "two.tar")
    set_to({"scripting.starred-expressions": expressions})
    assert await strategy.moved_on(strategy.moment), "they were emptied"

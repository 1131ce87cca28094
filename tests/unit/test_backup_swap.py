"""Folders that change places, cut off before every single step: the old or the new, never a mix."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ou_vce_ext.backups import swap as swaps
from ou_vce_ext.backups import swap_inside
from ou_vce_ext.backups.scratch import MARK
from ou_vce_ext.backups.swap import JOURNAL, MARKER, Swap, begin, change_places, settle
from ou_vce_ext.backups.swap_inside import InsideSwap

OLD = {"base": "old", "only old": "1", "deep/er": "old"}
NEW = {"base": "new", "only new": "2", "deep/er": "new"}


class CutError(BaseException):
    """The machine is gone."""


def fill(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def read(folder: Path) -> dict[str, str]:
    """Everything in a folder but what is marked as ours."""
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file() and MARK not in str(path.relative_to(folder)) and path.name != MARKER
    }


def cut_before(monkeypatch: pytest.MonkeyPatch, step: int) -> Callable[[], int]:
    """Raise at the ``step``-th thing that changes or syncs the disk; tells how many there were."""
    count = 0

    def counting(real: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            nonlocal count
            if count == step:
                raise CutError
            count += 1
            return real(*args, **kwargs)

        return call

    for module in (swaps, swap_inside):
        for name in ("sync_folder", "write_private", "_exchange"):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, counting(getattr(module, name)))
    for name in ("rename", "unlink", "mkdir", "sync"):
        monkeypatch.setattr(os, name, counting(getattr(os, name)))
    return lambda: count


def not_moved(monkeypatch: pytest.MonkeyPatch, live: Path) -> None:
    """Have ``live`` and the folders in it be those of an image: only files can be renamed."""
    rename, exchange = os.rename, swaps._exchange
    from_image = {live, *(path for path in live.rglob("*") if path.is_dir())}
    inodes = {path.stat().st_ino for path in from_image}

    def refuse(*paths: os.PathLike[str] | str) -> None:
        for path in paths:
            if os.path.isdir(path) and os.stat(path).st_ino in inodes:
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(path))

    def renaming(source: Path, target: Path) -> None:
        refuse(source)
        rename(source, target)

    def exchanging(one: Path, other: Path) -> bool:
        refuse(one, other)
        return exchange(one, other)

    monkeypatch.setattr(os, "rename", renaming)
    monkeypatch.setattr(swaps, "_exchange", exchanging)


def whole_way(folder: Path, *, inside: bool, kept: bool, back: bool) -> None:
    """A swap from beginning to end."""
    live, new, journal = folder / "live", folder / f"live{MARK}1", folder / "private" / JOURNAL
    aside = folder / "live-before-now" if kept else None
    if inside:
        swap: Swap | InsideSwap = InsideSwap.prepare(journal, live, new, aside)
        swap.exchange()
    else:
        swap = change_places(journal, live, new, aside)
    if back:
        swap.put_back()
    swap.finish()


@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("how", ["at once", "by steps", "inside", "from an image"])
def test_cut_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, kept: bool, back: bool
) -> None:
    seen = set()
    for step in range(100):
        folder = tmp_path / str(step)
        fill(folder / "live", OLD)
        fill(folder / f"live{MARK}1", NEW)
        (folder / "private").mkdir()
        with monkeypatch.context() as patch:
            if how == "by steps":
                patch.setattr(swaps, "_exchange", lambda *_: False)
            if how == "from an image":
                not_moved(patch, folder / "live")
            steps = cut_before(patch, step)
            try:
                whole_way(folder, inside=how == "inside", kept=kept, back=back)
                over = True
            except CutError:
                over = False
            assert over or steps() == step
        settle(folder / "private" / JOURNAL)
        swap_inside.clear(folder / "live")
        found = read(folder / "live")
        beside = {f"live-before-now/{name}": text for name, text in OLD.items()}
        mix = f"a mix after a cut before step {step}: {found}"
        assert found in (OLD, NEW, OLD | beside, NEW | beside), mix
        is_new = found["base"] == "new"
        if is_new and kept:
            # Nothing else holds the old data.
            places = [folder / "live-before-now", folder / "live" / "live-before-now"]
            assert [read(place) for place in places if place.exists()] == [OLD]
        assert not settle(folder / "private" / JOURNAL)
        assert not list((folder / "live").glob(f"*{MARK}*"))
        assert not (folder / "live" / MARKER).exists()
        seen.add((is_new, over))
        if over:
            assert is_new is not back
            break
    else:
        raise AssertionError("it never came to its end")
    assert (False, False) in seen


def test_where_nothing_was_before(tmp_path: Path) -> None:
    new = fill(tmp_path / f"live{MARK}1", NEW)
    swap = begin(tmp_path / JOURNAL, tmp_path / "live", new, tmp_path / "kept")
    swap.exchange()
    assert read(tmp_path / "live") == NEW
    swap.put_back()
    assert not (tmp_path / "live").exists()
    swap.exchange()
    assert swap.finish() is None
    assert sorted(os.listdir(tmp_path)) == ["live"]


def test_a_journal_that_is_no_journal_is_not_believed(tmp_path: Path) -> None:
    for content in ("", "[]", "{}", '{"live": 1}', '{"inside": "/x"}'):
        (tmp_path / JOURNAL).write_text(content)
        with pytest.raises((ValueError, KeyError, TypeError, OSError)):
            settle(tmp_path / JOURNAL)


def test_this_system_exchanges_at_once(tmp_path: Path) -> None:
    fill(tmp_path / "a", OLD)
    fill(tmp_path / "b", NEW)
    assert swaps._exchange(tmp_path / "a", tmp_path / "b")
    assert read(tmp_path / "a") == NEW
    with pytest.raises(OSError, match="No such file"):
        swaps._exchange(tmp_path / "a", tmp_path / "nothing")
    shutil.rmtree(tmp_path / "a")

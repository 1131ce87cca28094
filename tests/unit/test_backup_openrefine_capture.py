"""Each project as OpenRefine has it in memory: it says here what a test tells it to."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from ou_vce_ext.backups.openrefine import capture
from ou_vce_ext.backups.openrefine.as_files import Damaged
from ou_vce_ext.backups.openrefine.live import CannotOpenError, Live, Steps
from ou_vce_ext.backups.openrefine.metadata import Metadata
from ou_vce_ext.backups.watch import Watch
from ou_vce_ext.errors import VceError
from tests.openrefine_files import Made

FIRST = Made()


class FakeLive:
    """An OpenRefine that says what a test tells it to."""

    def __init__(self, opens: bool) -> None:
        self.opens = opens
        self.touched = False

    async def projects(self) -> dict[str, Metadata]:
        return {FIRST.id: Metadata("Café")}

    async def save(self, project: str) -> bool:
        return self.opens

    async def touch(self, project: str, told: Metadata) -> None:
        self.touched = True

    async def steps(self, project: str) -> Steps:
        if not self.opens:
            raise CannotOpenError
        return (), ()


@pytest.mark.parametrize("opens", [True, False])
async def test_what_was_never_saved_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opens: bool
) -> None:
    """What OpenRefine itself has nothing of any more is taken as its files."""
    monkeypatch.setattr(capture, "_PAUSE", 0.0)
    folder = tmp_path / f"{FIRST.id}.project"
    folder.mkdir()
    (folder / "metadata.json").write_bytes(FIRST.metadata())
    live = cast("Live", FakeLive(opens))
    capturing = capture.Capture(tmp_path, live, tmp_path / "pictures", Watch())
    if not opens:
        [found] = [project async for project in capturing.projects()]
        assert isinstance(found, Damaged)
        assert (found.key, found.name) == (FIRST.id, "Café")
        return
    with pytest.raises(VceError, match="Café") as caught:
        [project async for project in capturing.projects()]
    assert caught.value.code in ("data-unwritable", "disk-full")


async def test_what_has_long_been_saved_is_not_loaded_for_a_backup(tmp_path: Path) -> None:
    FIRST.write(tmp_path)
    told = Metadata("Café", ("a", "b"), datetime(2026, 1, 1, tzinfo=UTC))

    class Idle(FakeLive):
        async def projects(self) -> dict[str, Metadata]:
            return {FIRST.id: told}

        async def save(self, project: str) -> bool:
            raise AssertionError("it would be loaded")

    live = cast("Live", Idle(opens=True))
    capturing = capture.Capture(tmp_path, live, tmp_path / "pictures", Watch())
    assert [project.name async for project in capturing.projects()] == ["Café"]


async def test_what_is_just_being_imported_is_not_taken_for_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenRefine lists it when all of it is there; one that lies there for long it never will."""
    monkeypatch.setattr(capture, "_PAUSE", 0.0)

    class Unaware:
        async def projects(self) -> dict[str, Metadata]:
            return {}

    (FIRST.write(tmp_path) / "data.zip").write_bytes(b"PK")
    live = cast("Live", Unaware())
    capturing = capture.Capture(tmp_path, live, tmp_path / "pictures", Watch())
    with pytest.raises(VceError, match="being written to"):
        [found async for found in capturing.projects()]
    monkeypatch.setattr(capture, "_JUST_NOW", -60.0)
    capturing = capture.Capture(tmp_path, live, tmp_path / "others", Watch())
    [found] = [found async for found in capturing.projects()]
    assert isinstance(found, Damaged)
    assert found.name == "Café"

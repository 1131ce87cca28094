"""When a changed project is saved: soon, but not in a student's way."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ou_vce_ext.drivers.http_probe import Answer
from ou_vce_ext.drivers.openrefine.saver import LONGEST, LOOK, QUIET, Saver

NOW = 1_800_000_000.0


class OpenRefine:
    """What one answers, and a clock. A save takes ``slowness`` seconds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.time = NOW
        self.projects: dict[str, float] = {}
        self.working: set[str] = set()
        self.exported: list[str] = []
        self.slowness = 0.0
        self.broken = False
        self.saver = Saver(self.ask, folder, now=self.now, monotonic=self.now)

    def now(self) -> float:
        return self.time

    def change(self, project: str) -> None:
        self.projects[project] = self.time

    async def ask(self, path: str, *, method: str = "GET", most: int = 0) -> Answer:
        if "metadata" in path:
            told = {
                project: {"modified": f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"}
                for project, at in self.projects.items()
            }
            return Answer(200, json.dumps({"projects": told}).encode())
        project = path.rpartition("=")[2]
        if "processes" in path:
            busy = [{"status": "running"}] if project in self.working else []
            return Answer(200, json.dumps({"processes": busy}).encode())
        assert method == "POST"
        assert most == 0
        if self.broken:
            return Answer(500, b"")
        self.time += self.slowness
        self.exported.append(project)
        data = self.folder / f"{project}.project" / "data.zip"
        data.parent.mkdir(exist_ok=True)
        data.touch()
        os.utime(data, (self.time, self.time))
        return Answer(200, b"")

    async def look(self, later: float = LOOK) -> list[str]:
        self.time += later
        return await self.saver.look()


@pytest.fixture
def refine(tmp_path: Path) -> OpenRefine:
    return OpenRefine(tmp_path)


async def test_a_change_is_saved_once_it_is_quiet(refine: OpenRefine) -> None:
    refine.change("1")
    assert await refine.look(QUIET - 2) == []
    assert await refine.look() == ["1"]
    assert await refine.look() == []
    assert await refine.look() == []


async def test_somebody_who_never_rests_is_saved_all_the_same(refine: OpenRefine) -> None:
    began = refine.time
    while not refine.exported:
        refine.change("1")
        await refine.look(1.0)
    assert refine.time - began <= LONGEST + 2
    assert LOOK + LONGEST + LOOK <= 30


async def test_what_is_on_disk_already_is_left_alone(refine: OpenRefine) -> None:
    refine.change("1")
    refine.time += 2
    await refine.ask("export?project=1", method="POST")
    refine.exported.clear()
    assert await refine.look(60) == []


async def test_a_change_in_the_second_of_a_save_is_not_lost(refine: OpenRefine) -> None:
    refine.time = NOW + 0.2
    await refine.ask("export?project=1", method="POST")
    refine.time = NOW + 0.7
    refine.change("1")
    refine.exported.clear()
    assert await refine.look() == ["1"]
    assert await refine.look() == []


async def test_while_something_long_runs_it_waits(refine: OpenRefine) -> None:
    refine.change("1")
    refine.working.add("1")
    assert await refine.look(60) == []
    refine.working.clear()
    assert await refine.look() == ["1"]


async def test_a_large_project_is_not_saved_all_the_time(refine: OpenRefine) -> None:
    refine.slowness = 4.0
    refine.change("1")
    assert await refine.look(60) == ["1"]
    saved = refine.time
    while len(refine.exported) < 2:
        refine.change("1")
        await refine.look(1.0)
    assert refine.time - saved >= 40


async def test_a_save_that_failed_is_tried_again(refine: OpenRefine) -> None:
    refine.change("1")
    refine.broken = True
    assert await refine.look(60) == []
    refine.broken = False
    assert await refine.look() == ["1"]


async def test_names_that_are_no_projects_are_never_asked_for(refine: OpenRefine) -> None:
    refine.projects = {"../1": NOW, "1&a=b": NOW}
    assert await refine.look(60) == []
    assert refine.exported == []


async def test_before_the_end_all_is_saved_at_once(refine: OpenRefine) -> None:
    refine.change("1")
    refine.change("2")
    refine.working.add("2")
    assert await refine.saver.look(everything=True) == ["1", "2"]
    assert await refine.saver.look(everything=True) == []

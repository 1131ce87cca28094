"""How much room there is, and that asking never holds anything up."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import pytest

from ou_vce_ext import disk
from ou_vce_ext.models_status import DiskUsage


def test_one_file_system_is_told_once(tmp_path: Path) -> None:
    places = [("Home folder", tmp_path), ("Data of A", tmp_path / "not" / "yet")]
    (usage,) = disk.measure(places)
    figures = os.statvfs(tmp_path)
    assert usage.label == "Home folder"
    assert usage.total_bytes == figures.f_blocks * figures.f_frsize
    assert 0 < usage.free_bytes <= usage.total_bytes


def test_another_file_system_says_what_lives_there(tmp_path: Path) -> None:
    places = [
        ("Home folder", tmp_path),
        ("Data of A", Path("/proc/self")),
        ("Data of B", Path("/proc")),
        ("Data of B", Path("/proc")),
    ]
    assert [usage.label for usage in disk.measure(places)] == [
        "Home folder",
        "Data of A, Data of B",
    ]


def test_what_cannot_be_looked_at_is_left_out(tmp_path: Path) -> None:
    too_long = tmp_path / ("x" * 300)
    told = disk.measure([("Too long", too_long), ("Home folder", tmp_path)])
    assert [usage.label for usage in told] == ["Home folder"]


async def test_a_disk_that_is_nearly_full_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    gigabyte = 1_000_000_000
    measured = [
        DiskUsage("Home folder", 100 * gigabyte, gigabyte),
        DiskUsage("Data of A", 4 * gigabyte, 150_000_000),
        # Small, and yet half of it is free.
        DiskUsage("Data of B", 20_000_000, 10_000_000),
    ]
    monkeypatch.setattr(disk, "measure", lambda _: measured)
    monkeypatch.setattr(disk, "FRESH_SECONDS", 0.0)
    watch = disk.DiskWatch()
    assert watch.problems() == []
    await watch.usage([])
    [problem] = watch.problems()
    assert (problem.service, problem.code) == (None, "disk-low")
    assert problem.message.startswith("Only 150 MB of 4.0 GB are left on a disk (Data of A).")
    await watch.usage([])
    assert watch.problems() == [problem], "since it was seen first"
    measured.pop(1)
    await watch.usage([])
    assert watch.problems() == []


async def test_a_file_system_that_hangs_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    let_go = threading.Event()
    calls = []

    def hang(places: object) -> list[DiskUsage]:
        calls.append(places)
        let_go.wait(120)
        return [DiskUsage("Home folder", 2, 1)]

    monkeypatch.setattr(disk, "measure", hang)
    monkeypatch.setattr(disk, "PATIENCE_SECONDS", 0.01)
    watch = disk.DiskWatch()
    try:
        assert await watch.usage([]) == []
        assert await watch.usage([]) == []
        assert len(calls) == 1, "one thread waits, however often it is asked"
    finally:
        let_go.set()
    monkeypatch.setattr(disk, "PATIENCE_SECONDS", 120)
    async with asyncio.timeout(120):
        assert await watch.usage([]) == [DiskUsage("Home folder", 2, 1)]
    assert await watch.usage([]) == [DiskUsage("Home folder", 2, 1)]
    assert len(calls) == 1, "what is fresh is not measured again"

"""Fault 15: a program that prints without end, as fast as it can, and no newline."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from .app_commands import app
from .bench import Bench
from .fault import Attempt, Fault, Figures, Measure
from .promises import expect

MB = 1e6
LOG_BYTES = 5_000_000


class LogFlood(Fault):
    """Memory and disk stay bounded, and the event loop is as quick as ever."""

    number = 15
    title = "a log flood without newlines, as fast as it is taken"
    measures = (
        Measure("taken", unit="MB/s"),
        Measure("log on disk", 2 * LOG_BYTES / MB, "MB"),
        Measure("keeper's memory (PSS)", 8.0, "MB"),
        Measure("the server's memory grows by", 16.0, "MB"),
        Measure("the event loop is late by", 0.5),
        Measure("log and figures are shown in"),
    )

    async def set_up(self, bench: Bench) -> None:
        # What a first start loads stays in memory, and is not the flood's.
        first = self.share(bench, "web", command=app("serves"))
        await first.start()
        first.lifecycle.service_log.tail()
        await first.registry.describe(first.name)
        await first.stop()

    async def try_once(self, attempt: Attempt) -> Figures:
        counted = attempt.folder / "counted"
        service = attempt.service("web", command=app("floods", counted), stop_timeout=2.0)
        before = resident()
        began = time.monotonic()
        await service.start()
        end = time.monotonic() + attempt.rng.uniform(1.0, 2.0)
        late = disk = memory = 0.0
        log = service.lifecycle.service_log
        while time.monotonic() < end:
            asked = time.monotonic()
            await asyncio.sleep(0.02)
            late = max(late, time.monotonic() - asked - 0.02)
            disk = max(disk, float(sum(_size(file) for file in _files(log.path))))
            memory = max(memory, pss(service.keeper))
        asked = time.monotonic()
        # What a person looks at: the last lines, and the service itself.
        lines = log.tail()
        described = await service.registry.describe(service.name)
        shown = time.monotonic() - asked
        expect(all(len(line) <= 2000 for line in lines), "an endless line is shown whole")
        expect(described.pid, "it is not shown with its process")
        seconds = time.monotonic() - began
        await service.stop()
        return {
            "taken": int(counted.read_text() or 0) / MB / seconds,
            "log on disk": disk / MB,
            "keeper's memory (PSS)": memory / MB,
            "the server's memory grows by": max(0, resident() - before) / MB,
            "the event loop is late by": late,
            "log and figures are shown in": shown,
        }


def _files(log: Path) -> list[Path]:
    return list(log.parent.glob(f"{log.name}*"))


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def resident() -> int:
    """Our own memory, in bytes."""
    return _kilobytes("/proc/self/status", "VmRSS:") * 1024


def pss(pid: int) -> float:
    """The memory of a process, shared pages by its share, in bytes."""
    return _kilobytes(f"/proc/{pid}/smaps_rollup", "Pss:") * 1024.0


def _kilobytes(file: str, field: str) -> int:
    try:
        with open(file) as opened:
            return next(int(line.split()[1]) for line in opened if line.startswith(field))
    except (OSError, StopIteration):
        return 0

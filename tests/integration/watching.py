"""Waiting for what real processes do, by looking at it; bounded, so that a test can fail."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

from ou_vce_ext.services import proc


async def until(condition: Callable[[], object], seconds: float = 120.0) -> None:
    """Return once ``condition`` holds; fails the test after ``seconds``."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.01)


def gone(pid: int) -> bool:
    """Whether no such process runs (a zombie has ended)."""
    found = proc.stat(pid)
    return found is None or found.state in "ZX"


def printed(path: Path, text: str) -> bool:
    """Whether a log file holds ``text``."""
    return path.exists() and text in path.read_text("utf-8", "replace")


def tree_of(pid: int) -> list[int]:
    """A process and all below it."""
    return [pid, *proc.descendants(pid)]


def unlink_quietly(path: Path) -> None:
    """Remove a file that may not be there."""
    if os.path.lexists(path):
        path.unlink()

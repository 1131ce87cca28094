"""Recognising a file that holds MongoDB data, whoever made it."""

from __future__ import annotations

from pathlib import Path

from ..reader import Archive
from ..watch import Watch
from .dump import Dump
from .own_dump import OwnDump


def open_dump(path: Path, filename: str, offset: int, length: int | None, watch: Watch) -> Dump:
    """Read what a file is and see that it is whole. Blocks; raises UnsuitableError or OSError."""
    archive = Archive(path, offset=offset, length=length)
    archive.check(watch)
    return OwnDump(archive)

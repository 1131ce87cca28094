"""Recognising a file that holds MongoDB data, whoever made it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ...sentences import say
from .. import manifest
from ..reader import Archive
from ..watch import Watch
from .archive_dump import MAGIC, ArchiveDump
from .documents import damaged
from .dump import Dump
from .entries import holds_files
from .exported import collection_of, format_of
from .files_dump import FilesDump
from .folder_dump import FolderDump
from .names import Namespace, database_name
from .own_dump import OwnDump
from .window import Window

_PLAIN_TAR: Final = slice(257, 262)
_PACKED: Final = (".tar.gz", ".tgz", ".tar", ".zip")


def open_dump(
    path: Path, filename: str, offset: int, length: int | None, database: str, watch: Watch
) -> Dump:
    """Read what a file is and see that it is whole.

    ``database`` is the service's first: collections are of it that come without one. Blocks; raises
    UnsuitableError, OSError or WorkCancelledError.
    """
    window = Window.of(path, offset, length)
    start = window.start()
    if not start:
        raise damaged(say("it is empty"))
    if start[_PLAIN_TAR] == b"ustar" and _is_ours(window):
        archive = Archive(path, offset=offset, length=window.length)
        archive.check(watch)
        return OwnDump(archive)
    with window.unpacked(watch) as file:
        unpacked = file.read(len(MAGIC))
    if unpacked == MAGIC:
        return ArchiveDump(window, watch)
    if holds_files(window, watch):
        return FolderDump(window, _called_after(filename) or database, watch)
    if format_of(filename):
        at = Namespace(database, collection_of(filename))
        return FilesDump(path, {at: (filename, window)}, watch)
    raise damaged(say("it is nothing that mongodump, mongoexport or this software makes"))


def _is_ours(window: Window) -> bool:
    """Whether a tar ends with a description: ours is the last member, near the end."""
    tail = min(window.length, manifest.LARGEST)
    with window.open() as file:
        file.seek(window.length - tail)
        while block := file.read(1 << 20):
            if manifest.NAME.encode() in block:
                return True
    return False


def _called_after(filename: str) -> str | None:
    """The database that a packed folder is called after, where that can be one."""
    for suffix in _PACKED:
        if filename.lower().endswith(suffix):
            return database_name(filename[: -len(suffix)])
    return None

"""The files in a zip or tar that somebody brought, one after the other, nothing extracted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final, cast

from ...sentences import say
from .. import tars, zips
from ..reader import check_name
from ..watch import Watch
from .documents import damaged
from .window import Readable, Unpacked, Window

MOST: Final = 20_000
"""Files that are looked at: two for each collection."""
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_ENTRY_BYTES: Final = 512
"""What a file takes in the table of a zip, at most on average: names are up to 255 bytes long."""
_TAR_MARK: Final = slice(257, 262)
_BROKEN: Final = (tars.BrokenTarError, zips.BrokenZipError)

Entry = tuple[str, int, Readable]
"""A file's path in the archive, its size (bytes), and what reads it, until the next one."""


def holds_files(window: Window, watch: Watch) -> bool:
    """Whether it is a zip or tar at all."""
    if window.start(4) in _ZIP:
        return True
    with window.unpacked(watch) as file:
        return file.read(512)[_TAR_MARK] == b"ustar"


def entries(window: Window, watch: Watch) -> Iterator[Entry]:
    """Each plain file in it. Raises UnsuitableError where it is hostile or broken."""
    found = _zipped(window, watch) if window.start(4) in _ZIP else _tarred(window, watch)
    try:
        for count, entry in enumerate(found):
            if count >= MOST:
                raise damaged(say("it holds far too many files"))
            watch.raise_if_cancelled()
            yield entry
    except _BROKEN as error:
        raise damaged(error.reason) from error


def _tarred(window: Window, watch: Watch) -> Iterator[Entry]:
    with window.unpacked(watch) as file:
        for entry in tars.entries(cast("BinaryIO", file)):
            yield entry.name, entry.bytes, _Member(entry.content, watch)


def _zipped(window: Window, watch: Watch) -> Iterator[Entry]:
    with window.open() as file, zips.opened(file, MOST, _ENTRY_BYTES) as archive:
        for info in archive.infolist():
            check_name(info.filename)
            if info.is_dir():
                continue
            if not zips.is_plain(info):
                raise damaged(say("{name} in it is no plain file", name=info.filename[:100]))
            with zips.member(archive, info) as content:
                yield info.filename, info.file_size, _Member(content, watch)


class _Member:
    """One file. What is broken in the archive is found out while it is read."""

    def __init__(self, content: Readable, watch: Watch) -> None:
        self._content = content
        self._watch = watch

    def read(self, size: int = -1, /) -> bytes:
        self._watch.raise_if_cancelled()
        try:
            return self._content.read(size)
        except (*_BROKEN, *tars.BROKEN, *zips.BROKEN) as error:
            raise damaged(say("it cannot be read to its end")) from error


def unzipped(name: str, size: int, reader: Readable, watch: Watch) -> tuple[str, Readable]:
    """An entry that mongodump packed with ``--gzip``, as it would be without."""
    if not name.endswith(".gz"):
        return name, reader
    return name.removesuffix(".gz"), Unpacked(reader, size, watch)

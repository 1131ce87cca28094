"""The files in a zip or tar that somebody brought, one after the other, nothing extracted."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final, cast

from ..reader import check_name
from ..watch import Watch
from .documents import damaged
from .window import GZIP, Readable, Unpacked, Window

MOST: Final = 20_000
"""Files that are looked at: two for each collection."""
_ZIP: Final = b"PK\x03\x04"
_EMPTY_ZIP: Final = b"PK\x05\x06"
_ZIP_TABLE_BYTES: Final = 8 * 1024 * 1024
_TAR_MARK: Final = slice(257, 262)
_MOST_TIMES: Final = 200
_UNPACKED_FREELY: Final = 512 * 1024 * 1024

Entry = tuple[str, int, Readable]
"""A file's path in the archive, its size (bytes), and what reads it, until the next one."""


def holds_files(window: Window, watch: Watch) -> bool:
    """Whether it is a zip or tar at all."""
    if window.start(4) in (_ZIP, _EMPTY_ZIP):
        return True
    with window.unpacked(watch) as file:
        return file.read(512)[_TAR_MARK] == b"ustar"


def entries(window: Window, watch: Watch) -> Iterator[Entry]:
    """Each plain file in it. Raises UnsuitableError where it is hostile or broken."""
    found = _zipped(window, watch) if window.start(4) in (_ZIP, _EMPTY_ZIP) else None
    for count, (name, size, reader) in enumerate(found or _tarred(window, watch)):
        check_name(name)
        if count >= MOST:
            raise damaged("it holds far too many files")
        watch.raise_if_cancelled()
        yield name, size, reader


def _tarred(window: Window, watch: Watch) -> Iterator[Entry]:
    try:
        with (
            window.unpacked(watch) as file,
            tarfile.open(
                fileobj=cast("BinaryIO", file), mode="r|", encoding="utf-8", bufsize=1 << 20
            ) as archive,
        ):
            while (info := archive.next()) is not None:
                # tarfile keeps all it has seen.
                archive.members = []  # type: ignore[attr-defined]
                check_name(info.name)
                if info.isdir():
                    continue
                if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or info.issparse():
                    raise damaged(f"{info.name} in it is no plain file")
                member = archive.extractfile(info)
                if member is not None:
                    yield info.name, info.size, _Whole(member, info.size)
    except (tarfile.TarError, EOFError, ValueError, OverflowError, RecursionError) as error:
        raise damaged("it cannot be read to its end") from error


class _Whole:
    """A member that must have as many bytes as its header says."""

    def __init__(self, member: Readable, size: int) -> None:
        self._member = member
        self._left = size

    def read(self, size: int = -1, /) -> bytes:
        try:
            block = self._member.read(size)
        except (tarfile.TarError, EOFError, ValueError) as error:
            raise damaged("it ends too early") from error
        self._left -= len(block)
        if not block and self._left > 0 and size != 0:
            raise damaged("it ends too early")
        return block


def _zipped(window: Window, watch: Watch) -> Iterator[Entry]:
    with window.open() as file:
        _check_table(file, window.length)
        try:
            archive = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error) as error:
            raise damaged("its table of files cannot be read") from error
        with archive:
            for info in archive.infolist():
                if info.is_dir():
                    continue
                kind = info.external_attr >> 28
                if kind not in (0, 8) or info.flag_bits & 1:
                    raise damaged(f"{info.filename[:100]} in it is no plain file")
                allowed = max(_UNPACKED_FREELY, info.compress_size * _MOST_TIMES)
                if info.file_size > allowed or info.header_offset < 0:
                    raise damaged("it unpacks to far more than data would")
                try:
                    with archive.open(info) as member:
                        yield info.filename, info.file_size, _Zipped(member, watch)
                except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError) as error:
                    raise damaged(f"{info.filename[:100]} in it cannot be read") from error


class _Zipped:
    """A member of a zip, whose checksum is compared at its end."""

    def __init__(self, member: Readable, watch: Watch) -> None:
        self._member = member
        self._watch = watch

    def read(self, size: int = -1, /) -> bytes:
        self._watch.raise_if_cancelled()
        try:
            return self._member.read(size)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
            raise damaged("what is packed in it is not what was packed") from error


def _check_table(file: BinaryIO, length: int) -> None:
    """Refuse a zip with a huge table before all of it is read into memory."""
    tail = min(length, 66_000)
    file.seek(-tail, io.SEEK_END)
    end = file.read(tail)
    at = end.rfind(b"PK\x05\x06")
    if at < 0 or len(end) < at + 20:
        raise damaged("its table of files is missing")
    (size,) = struct.unpack_from("<I", end, at + 12)
    if size == 0xFFFF_FFFF:
        wide = end.rfind(b"PK\x06\x06")
        if wide < 0 or len(end) < wide + 56:
            raise damaged("its table of files is missing")
        (size,) = struct.unpack_from("<Q", end, wide + 40)
    if size > _ZIP_TABLE_BYTES:
        raise damaged("it holds far too many files")
    file.seek(0)


def unzipped(name: str, size: int, reader: Readable, watch: Watch) -> tuple[str, Readable]:
    """An entry that mongodump packed with ``--gzip``, as it would be without."""
    if not name.endswith(".gz"):
        return name, reader
    return name.removesuffix(".gz"), Unpacked(reader, size, watch)


__all__ = ["GZIP", "MOST", "Entry", "entries", "holds_files", "unzipped"]

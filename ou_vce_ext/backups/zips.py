"""Small zip files that anybody may have made, read to their end at constant memory."""

from __future__ import annotations

import errno
import io
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final, cast

from ..sentences import say
from .watch import Watch
from .writer import BLOCK

_END: Final = b"PK\x05\x06"
_END_BYTES: Final = 22
_END64_LOCATOR: Final = b"PK\x06\x07"
_LONGEST_COMMENT: Final = 65_535
_LARGEST_ENTRY: Final = 256
"""Bytes that an entry of the directory takes at most, among files whose names are as short."""
_MOST_SWELLING: Final = 300
_ALWAYS_FINE: Final = 1_000_000_000
"""Bytes: up to here a member may be packed as tightly as it likes."""
BROKEN: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    struct.error,
    ValueError,
    OverflowError,
)
"""What the standard library raises for a zip that is none, or is broken."""


class BrokenZipError(Exception):
    """A zip file cannot be read, or is not to be: ``reason`` says why, within a sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def check_directory(file: BinaryIO, most: int, entry_bytes: int = _LARGEST_ENTRY) -> None:
    """Raise BrokenZipError unless the table of contents is that of ``most`` members or fewer.

    The standard library reads all of that table before anything can be asked.
    """
    length = file.seek(0, os.SEEK_END)
    tail = min(length, _END_BYTES + _LONGEST_COMMENT)
    file.seek(length - tail)
    end = file.read(tail)
    at = end.rfind(_END)
    if at < 0 or len(end) - at < _END_BYTES:
        raise BrokenZipError(say("it has no end"))
    count, size = struct.unpack("<HI", end[at + 10 : at + 16])
    # The larger form is for more members than any of these has, or for files of four gigabytes.
    if _END64_LOCATOR in end[max(0, at - 20) : at]:
        count, size = _larger_form(file, length - tail + at - 20)
    if count > most or size > most * entry_bytes:
        raise BrokenZipError(say("it names far too many files"))
    file.seek(0)


def _larger_form(file: BinaryIO, locator: int) -> tuple[int, int]:
    # It lies before its locator, which the standard library expects as well.
    file.seek(max(0, locator - 56))
    record = file.read(56)
    if len(record) < 56 or record[:4] != b"PK\x06\x06":
        raise BrokenZipError(say("its end cannot be read"))
    count, size = struct.unpack("<QQ", record[32:48])
    return int(count), int(size)


@contextmanager
def opened(
    file: BinaryIO, most: int, entry_bytes: int = _LARGEST_ENTRY
) -> Iterator[zipfile.ZipFile]:
    """Open a zip of ``most`` members or fewer. Raises BrokenZipError, also for what is read."""
    check_directory(file, most, entry_bytes)
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except BROKEN as error:
        raise BrokenZipError(say("it cannot be read to its end")) from error
    except OSError as error:
        # It points to before its own beginning.
        if error.errno == errno.EINVAL:
            raise BrokenZipError(say("it cannot be read")) from error
        raise


@contextmanager
def member(archive: zipfile.ZipFile, name: str | zipfile.ZipInfo) -> Iterator[BinaryIO]:
    """Read one member; what is read to its end is what was written. Raises BrokenZipError."""
    try:
        info = archive.getinfo(name) if isinstance(name, str) else name
    except KeyError as error:
        raise BrokenZipError(say("it has no {name}", name=name)) from error
    if info.file_size > max(_ALWAYS_FINE, _MOST_SWELLING * info.compress_size):
        raise BrokenZipError(say("it would swell to an absurd size"))
    if info.flag_bits & 1:
        raise BrokenZipError(say("it is locked by a password"))
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise BrokenZipError(say("it is packed in a way that Java does not know"))
    try:
        with archive.open(info) as raw:
            # Its own reading of lines is slow.
            yield cast("BinaryIO", io.BufferedReader(cast("io.RawIOBase", raw), BLOCK))
    except BROKEN as error:
        raise BrokenZipError(say("it cannot be read to its end")) from error


def read_to_end(reader: BinaryIO, watch: Watch) -> None:
    """Read what is left of a member, so that its checksum is compared."""
    while reader.read(BLOCK):
        watch.raise_if_cancelled()


def is_plain(info: zipfile.ZipInfo) -> bool:
    """Whether a member is a plain file, as against a link, say."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    return kind in (0, stat.S_IFREG)

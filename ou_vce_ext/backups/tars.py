"""Tar archives that anybody may have made, gone through once, at constant memory.

The standard library's reader keeps what an archive says of itself in memory, however much that is.
"""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, cast

from ..sentences import say
from .reader import LONGEST_NAME, MOST_MEMBERS, check_name
from .watch import Watch
from .writer import BLOCK

_RECORD: Final = tarfile.BLOCKSIZE
_LARGEST_NOTE: Final = 64 * 1024
"""Bytes that a longer name, or another note on the next member, may take."""
_NOTES: Final = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
)
BROKEN: Final = (tarfile.TarError, zlib.error, EOFError, ValueError, OverflowError)


class BrokenTarError(Exception):
    """An archive cannot be read, or is not to be: ``reason`` says why, within a sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Entry:
    """A plain file in an archive: its name, its size in bytes, and where to read it, once.

    With a ``link`` it is a symbolic one, to that; a ``folder`` has no content either.
    """

    name: str
    bytes: int
    content: BinaryIO
    mode: int = 0o644
    link: str | None = None
    folder: bool = False


class Budget:
    """How many bytes a file may come to, unpacked, with all that is packed inside it."""

    def __init__(self, most: int, watch: Watch) -> None:
        self._left = most
        self._watch = watch

    def afford(self, count: int) -> None:
        """Raises BrokenTarError where what is about to come is too much already."""
        if count > self._left:
            raise BrokenTarError(say("it would swell to an absurd size"))

    def spend(self, count: int) -> None:
        """Raises BrokenTarError once it has become too much, WorkCancelledError."""
        self._watch.raise_if_cancelled()
        self._left -= count
        if self._left < 0:
            raise BrokenTarError(say("it would swell to an absurd size"))


class Bounded(io.RawIOBase):
    """A stream whose bytes come out of a budget."""

    def __init__(self, stream: BinaryIO, budget: Budget) -> None:
        self._stream = stream
        self._budget = budget

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """As files do. Raises BrokenTarError once it has become too long."""
        block = self._stream.read(min(len(buffer), BLOCK))
        self._budget.spend(len(block))
        buffer[: len(block)] = block
        return len(block)


def entries(stream: BinaryIO, *, everything: bool = False) -> Iterator[Entry]:
    """Each plain file in a tar archive; folders are passed over. Each is read before the next.

    With ``everything`` folders and symbolic links are given as well. Raises BrokenTarError for
    whatever else is in it, and for what is broken or too short; UnsuitableError for names that
    lead outside.
    """
    try:
        yield from _entries(stream, everything)
    except BROKEN as error:
        raise BrokenTarError(say("it cannot be read to its end")) from error
    except OSError as error:
        # gzip's own word for what is not its own; an error of the disk has a number.
        if error.errno is None:
            raise BrokenTarError(say("it cannot be read to its end")) from error
        raise


def _entries(stream: BinaryIO, everything: bool) -> Iterator[Entry]:
    longer: str | None = None
    further: str | None = None
    size: int | None = None
    for _ in range(MOST_MEMBERS):
        header = _exactly(stream, _RECORD)
        if header == bytes(_RECORD):
            _to_its_end(stream)
            return
        info = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
        if info.type in _NOTES:
            note = _note(stream, info.size)
            if info.type == tarfile.GNUTYPE_LONGNAME:
                longer = note.split(b"\0")[0].decode("utf-8", "surrogateescape")
            elif info.type == tarfile.GNUTYPE_LONGLINK:
                further = note.split(b"\0")[0].decode("utf-8", "surrogateescape")
            elif info.type == tarfile.XHDTYPE:
                longer, further, size = _pax(note)
            continue
        name, longer = longer or info.name, None
        link, further = further or info.linkname, None
        length, size = info.size if size is None else size, None
        check_name(name)
        nothing = cast("BinaryIO", io.BytesIO())
        if info.type == tarfile.DIRTYPE:
            if everything:
                yield Entry(name, 0, nothing, info.mode, folder=True)
            continue
        if info.type == tarfile.SYMTYPE and everything:
            yield Entry(name, 0, nothing, info.mode, link=link)
            continue
        if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or length < 0:
            raise BrokenTarError(say("{found} in it is no plain file", found=name[:80]))
        content = _Content(stream, length)
        yield Entry(name, length, cast("BinaryIO", io.BufferedReader(content, 65_536)), info.mode)
        content.finish()
    raise BrokenTarError(say("it names far too many files"))


class _Content(io.RawIOBase):
    def __init__(self, stream: BinaryIO, length: int) -> None:
        self._stream = stream
        self._left = length
        self._padding = -length % _RECORD

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        wanted = min(len(buffer), self._left)
        block = self._stream.read(wanted) if wanted else b""
        if wanted and not block:
            raise EOFError
        self._left -= len(block)
        buffer[: len(block)] = block
        return len(block)

    def finish(self) -> None:
        left = self._left + self._padding
        self._left = 0
        while left:
            left -= len(_exactly(self._stream, min(left, BLOCK)))


def _exactly(stream: BinaryIO, count: int) -> bytes:
    block = b""
    while len(block) < count:
        more = stream.read(count - len(block))
        if not more:
            raise EOFError
        block += more
    return block


def _to_its_end(stream: BinaryIO) -> None:
    """What follows is of no matter; but a packed stream compares its checksum there."""
    while stream.read(BLOCK):
        pass


def _note(stream: BinaryIO, length: int) -> bytes:
    if not 0 <= length <= _LARGEST_NOTE:
        raise BrokenTarError(say("a name in it is absurdly long"))
    note = _exactly(stream, length)
    _exactly(stream, -length % _RECORD)
    return note


def _pax(note: bytes) -> tuple[str | None, str | None, int | None]:
    """The name, the link's target and the size that the next member has instead of its own."""
    found: dict[bytes, bytes] = {}
    while note:
        digits, _, rest = note.partition(b" ")
        length = int(digits)
        record = rest[: length - len(digits) - 1]
        if length <= len(digits) or not record.endswith(b"\n"):
            raise ValueError("no note of this kind")
        key, _, value = record[:-1].partition(b"=")
        found[key] = value
        note = note[length:]
    path, link = found.get(b"path"), found.get(b"linkpath")
    if max(len(path or b""), len(link or b"")) > 4 * LONGEST_NAME:
        raise BrokenTarError(say("a name in it is absurdly long"))
    size = found.get(b"size")
    return (
        None if path is None else path.decode("utf-8", "surrogateescape"),
        None if link is None else link.decode("utf-8", "surrogateescape"),
        None if size is None else int(size),
    )

"""Tar archives that anybody may have made, gone through once, at constant memory.

The standard library's reader keeps what an archive says of itself in memory, however much that is.
"""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple, cast

from ..sentences import say
from .headers import RECORD, exactly, headers
from .headers import BrokenTarError as BrokenTarError
from .reader import check_name
from .watch import Watch
from .writer import BLOCK

NOTHING: Final = cast("BinaryIO", io.BufferedReader(cast("io.RawIOBase", io.BytesIO()), 1))
"""The content of whatever has none."""
BROKEN: Final = (tarfile.TarError, zlib.error, EOFError, ValueError, OverflowError)


class Entry(NamedTuple):
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


def entries(
    stream: BinaryIO, *, everything: bool = False, most: int | None = None
) -> Iterator[Entry]:
    """Each plain file in a tar archive; folders are passed over. Each is read before the next.

    With ``everything`` folders and symbolic links are given as well; ``most`` is how many headers
    there may be (None: as many as an archive of files may have). Raises BrokenTarError for
    whatever else is in it, and for what is broken or too short; UnsuitableError for names that
    lead outside.
    """
    try:
        yield from _entries(stream, everything, most)
    except BROKEN as error:
        raise BrokenTarError(say("it cannot be read to its end")) from error
    except OSError as error:
        # gzip's own word for what is not its own; an error of the disk has a number.
        if error.errno is None:
            raise BrokenTarError(say("it cannot be read to its end")) from error
        raise


def _entries(stream: BinaryIO, everything: bool, most: int | None) -> Iterator[Entry]:
    for header in headers(stream, most):
        name = header.name
        check_name(name)
        if header.kind == tarfile.DIRTYPE:
            if everything:
                yield Entry(name, 0, NOTHING, header.mode, folder=True)
            continue
        if header.kind == tarfile.SYMTYPE and everything:
            yield Entry(name, 0, NOTHING, header.mode, link=header.link)
            continue
        if not header.plain:
            raise BrokenTarError(say("{name} in it is no plain file", name=name[:80]))
        if not header.bytes:
            yield Entry(name, 0, NOTHING, header.mode)
            continue
        content = _Content(stream, header.bytes)
        reader = io.BufferedReader(content, min(65_536, max(RECORD, header.bytes)))
        yield Entry(name, header.bytes, cast("BinaryIO", reader), header.mode)
        content.finish()
    _to_its_end(stream)


class _Content(io.RawIOBase):
    def __init__(self, stream: BinaryIO, length: int) -> None:
        self._stream = stream
        self._left = length
        self._padding = -length % RECORD

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
            left -= len(exactly(self._stream, min(left, BLOCK)))


def _to_its_end(stream: BinaryIO) -> None:
    """What follows is of no matter; but a packed stream compares its checksum there."""
    while stream.read(BLOCK):
        pass

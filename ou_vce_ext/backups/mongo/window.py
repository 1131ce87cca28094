"""A file that somebody brought, or a part of one, read and unpacked within limits."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from ...sentences import say
from ..reader import View
from ..watch import Watch
from .documents import BLOCK, damaged

GZIP: Final = b"\x1f\x8b"
_UNPACKED_FREELY: Final = 512 * 1024 * 1024
_MOST_TIMES: Final = 200
"""How many times its packed size data may have: more than documents ever come to."""


class Readable(Protocol):
    """What can be read from."""

    def read(self, size: int = -1, /) -> bytes:
        """Up to ``size`` bytes; none at the end."""


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a file: where it starts and how long it is, in bytes."""

    path: Path
    offset: int
    length: int

    @classmethod
    def of(cls, path: Path, offset: int, length: int | None) -> Window:
        """The part from ``offset`` on, to the end where there is no ``length``. Raises OSError."""
        whole = path.stat().st_size
        return cls(path, offset, whole - offset if length is None else length)

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Read it as if it were a file of its own. Raises OSError."""
        with self.path.open("rb") as file:
            yield io.BufferedReader(View(file, self.offset, self.length), BLOCK)

    def start(self, count: int = 512) -> bytes:
        """Its first bytes."""
        with self.open() as file:
            return file.read(count)

    @contextmanager
    def unpacked(self, watch: Watch) -> Iterator[Readable]:
        """Read it, unpacked where it is packed by gzip. Raises UnsuitableError as it is read."""
        with self.open() as file:
            if self.start(2) == GZIP:
                yield Unpacked(file, self.length, watch)
            else:
                yield file


class Unpacked:
    """What gzip packed, as it was. Its checksum is compared, and a bomb does not go off."""

    def __init__(self, packed: BinaryIO | Readable, packed_bytes: int, watch: Watch) -> None:
        self._file = gzip.GzipFile(fileobj=packed, mode="rb")  # type: ignore[arg-type]
        self._limit = max(_UNPACKED_FREELY, packed_bytes * _MOST_TIMES)
        self._watch = watch

    def read(self, size: int = -1, /) -> bytes:
        """Up to ``size`` bytes. Raises UnsuitableError, WorkCancelledError."""
        self._watch.raise_if_cancelled()
        try:
            block = self._file.read(BLOCK if size < 0 else min(size, BLOCK))
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise damaged(say("what is packed in it cannot be unpacked to its end")) from error
        self._limit -= len(block)
        if self._limit < 0:
            raise damaged(say("it unpacks to far more than data would"))
        return block


def read_exactly(source: Readable, count: int) -> bytes:
    """``count`` bytes, or fewer where there are no more."""
    blocks: list[bytes] = []
    while count > 0 and (block := source.read(count)):
        blocks.append(block)
        count -= len(block)
    return b"".join(blocks)


def read_limited(source: Readable, most: int, what: str) -> bytes:
    """All of a small file. Raises UnsuitableError where it is larger than ``most`` bytes."""
    content = read_exactly(source, most + 1)
    if len(content) > most:
        raise damaged(say("{what} in it is far too large", what=what))
    return content

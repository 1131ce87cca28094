"""Reading a backup that anybody may have made: nothing is trusted, and nothing is extracted.

Members are read by name through a limited view of the file; names, kinds, numbers and sizes are
checked first, each against the file's own length. All of it blocks: use it from threads.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from ..errors import UnsuitableError
from ..sentences import say
from . import manifest as manifests
from .headers import LONGEST_NAME, BrokenTarError, headers
from .headers import MOST_MEMBERS as MOST_MEMBERS
from .manifest import Manifest
from .watch import Watch
from .writer import BLOCK

MOST_OF_SERVICES: Final = 50_000
"""Members that all but folders of files may have: two for each collection or database."""
_MOST_HEADERS: Final = 2 * MOST_MEMBERS + 2
"""Each member may have a header of its own for a long name."""
_FILES: Final = "folders/"
"""Where files of a student's lie, of which there may be many."""
_UNFIT: Final = re.compile(r"[\x00-\x1f\\\\]")


@dataclass(frozen=True, slots=True)
class _Place:
    start: int
    bytes: int


class View(io.RawIOBase):
    """A part of an open file, read as if it were a file of its own."""

    def __init__(self, file: BinaryIO, start: int, length: int) -> None:
        self._file = file
        self._start = start
        self._length = length
        self._at = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As files do."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        """As files do."""
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """As files do."""
        wanted = max(0, min(len(buffer), self._length - self._at))
        self._file.seek(self._start + self._at)
        block = self._file.read(wanted)
        buffer[: len(block)] = block
        self._at += len(block)
        return len(block)


class Archive:
    """An opened backup of ours. ``offset`` and ``length`` (bytes) name a part of a larger file."""

    def __init__(self, path: Path, *, offset: int = 0, length: int | None = None) -> None:
        """Read its table and manifest. Raises UnsuitableError, or OSError."""
        self.path = path
        self._offset = offset
        self._length = path.stat().st_size - offset if length is None else length
        with self._opened() as whole:
            self._places: Mapping[str, _Place] = dict(_table(whole, self._length))
        place = self._places.get(manifests.NAME)
        if place is None or place.bytes > manifests.LARGEST:
            raise UnsuitableError(
                say("This file has no description of a backup in it. Nothing was changed."),
                say(
                    "Use a backup that this software made, or one made by the service's own tools."
                ),
            )
        with self.open(manifests.NAME) as member:
            self.manifest: Manifest = Manifest.from_bytes(member.read())
        self._compare_tables()

    @property
    def names(self) -> list[str]:
        """Its members' names, without the manifest, as they lie in the file."""
        return [name for name in self._places if name != manifests.NAME]

    def bytes_of(self, name: str) -> int:
        """A member's size in bytes. Raises KeyError."""
        return self._places[name].bytes

    def place_of(self, name: str) -> tuple[int, int]:
        """Where a member begins in the file, and its size, in bytes. Raises KeyError."""
        place = self._places[name]
        return self._offset + place.start, place.bytes

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Read one member. Raises KeyError, or OSError."""
        place = self._places[name]
        with self.path.open("rb") as file:
            view = View(file, self._offset + place.start, place.bytes)
            yield io.BufferedReader(view, BLOCK)

    def part(self, name: str) -> Archive:
        """A backup that is a member of this one. Raises KeyError, UnsuitableError or OSError."""
        place = self._places[name]
        return Archive(self.path, offset=self._offset + place.start, length=place.bytes)

    def check(self, watch: Watch, *, only: str = "") -> None:
        """Compare each member with its checksum; ``only`` those whose names begin so.

        Raises UnsuitableError, WorkCancelledError or OSError.
        """
        for member in self.manifest.members:
            if not member.name.startswith(only):
                continue
            checksum = hashlib.sha256()
            with self.open(member.name) as file:
                while block := file.read(BLOCK):
                    watch.did(len(block))
                    checksum.update(block)
            if checksum.hexdigest() != member.sha256:
                raise _damaged(say("{name} is not what was written", name=member.name))

    @contextmanager
    def _opened(self) -> Iterator[BinaryIO]:
        with self.path.open("rb") as file:
            view = View(file, self._offset, self._length)
            yield io.BufferedReader(view, 64 * 1024)

    def _compare_tables(self) -> None:
        told = {member.name: member.bytes for member in self.manifest.members}
        found = {name: self._places[name].bytes for name in self.names}
        if told != found or len(told) != len(self.manifest.members):
            raise _damaged(say("its contents are not those it describes"))


def _table(file: BinaryIO, length: int) -> Iterator[tuple[str, _Place]]:
    """Each member's name and place, in the order of the file. Raises UnsuitableError."""
    seen: set[str] = set()
    others = 0
    try:
        for header in headers(file, _MOST_HEADERS):
            name = header.name
            check_name(name)
            if not header.plain:
                raise _damaged(say("{name} in it is no plain file", name=name))
            others += not name.startswith(_FILES)
            if name in seen or others > MOST_OF_SERVICES or len(seen) > MOST_MEMBERS:
                raise _damaged(say("it names a file twice, or far too many"))
            if header.start + header.bytes > length:
                raise _damaged(say("it ends too early"))
            seen.add(name)
            yield name, _Place(header.start, header.bytes)
            if header.bytes:
                file.seek(header.end)
    except BrokenTarError as error:
        raise _damaged(error.reason) from error
    except (ValueError, EOFError, OverflowError) as error:
        raise _damaged(say("it is no archive, or cannot be read to its end")) from error
    if not seen:
        raise _damaged(say("it is empty"))


def check_name(name: str) -> None:
    """Raise UnsuitableError unless a member's name stays inside, whoever extracts it."""
    if (
        not name
        or len(name) > LONGEST_NAME
        or name.startswith("/")
        or (".." in name and ".." in name.split("/"))
        or _UNFIT.search(name)
    ):
        raise _damaged(say("a name in it leads outside of it"))


def _damaged(reason: str) -> UnsuitableError:
    return UnsuitableError(
        say("This file is no backup, or is damaged: {reason}. Nothing was changed.", reason=reason),
        say("Use another backup. Those you have are listed with whether they were proven."),
    )


def checksum(path: Path) -> str:
    """A file's SHA-256 in hexadecimal. Blocks; raises OSError."""
    total = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            total.update(block)
    return total.hexdigest()

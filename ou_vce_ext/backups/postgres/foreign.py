"""Files that pg_dump and pg_dumpall made, by hand or elsewhere: in any format, packed or not."""

from __future__ import annotations

import gzip
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, Literal

from ...errors import UnsuitableError
from ...models_backup import Consistency, DataItem, ItemKind
from ...sentences import say
from ..watch import Watch
from .loading import blocks, connects_to, left_out
from .script import Command, Rows, statements, without_comments
from .sources import VERSION

Format = Literal["custom", "tar", "sql"]
_CUSTOM: Final = b"PGDMP"
_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = b"PK\x03\x04"
_TOC: Final = "toc.dat"
_LAST: Final = "restore.sql"
_MOST_TABLES: Final = 1_000_000
_MOST_MEMBERS: Final = 1000
_LARGEST_RATIO: Final = 200
_BLOCK: Final = 1024 * 1024
_HEADER: Final = re.compile(rb"^-- Dumped from database version (\d+)\S*", re.M)
_DUMP: Final = re.compile(rb"^-- PostgreSQL database (cluster )?dump\s*$", re.M)
_COMPLETE: Final = re.compile(rb"^-- PostgreSQL database (cluster )?dump complete\s*$", re.M)
_MAKES: Final = re.compile(
    rb"(?:CREATE|INSERT|COPY|ALTER|COMMENT|SELECT\s+pg_catalog\.setval)\b", re.I
)
_NOT_A_NAME: Final = re.compile(r"[^\w.-]+")
_SUFFIXES: Final = re.compile(
    r"(\.(sql|dump|backup|custom|pgdump|tar|tgz|gz|zip|bak|out|txt))+$", re.I
)


@dataclass(frozen=True, slots=True)
class Packed:
    """Where in a file the dump is: in itself, in gzip, or a member of a zip or tar."""

    path: Path
    wrapping: Literal["none", "gzip", "zip", "tar"] = "none"
    member: str = ""

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Read it, unpacked. Raises OSError, and what the formats raise for broken files."""
        if self.wrapping == "zip":
            with zipfile.ZipFile(self.path) as archive, archive.open(self.member) as file:
                yield file  # type: ignore[misc]
        elif self.wrapping == "tar":
            with tarfile.open(self.path, "r|*") as tar:
                for info in tar:
                    if info.name == self.member and (inner := tar.extractfile(info)):
                        yield inner  # type: ignore[misc]
                        return
                raise _no_dump(say("it changed while it was read"))
        elif self.wrapping == "gzip":
            with gzip.open(self.path) as unpacked:
                yield unpacked  # type: ignore[misc]
        else:
            with self.path.open("rb") as plain:
                yield plain


@dataclass(frozen=True, slots=True)
class ForeignDump:
    """A dump that was not made by us. ``databases`` are the names it says, or is called by.

    Its statements start in the first of them.
    """

    path: Path
    packed: Packed
    format: Format
    databases: tuple[str, ...]
    begins_in: str
    major: int

    @property
    def contents(self) -> tuple[DataItem, ...]:
        """Its databases."""
        return tuple(
            DataItem(key=name, service=None, kind=ItemKind.DATABASE, name=name)
            for name in self.databases
        )

    @property
    def versions(self) -> Mapping[str, str]:
        """The release it was dumped from, where it says so."""
        return {VERSION: str(self.major)} if self.major else {}

    @property
    def consistency(self) -> Consistency:
        """pg_dump copies each database as of one moment."""
        one = len(self.databases) <= 1
        return Consistency.SNAPSHOT if one else Consistency.PER_DATABASE

    @property
    def whole(self) -> bool:
        """It is some of a server."""
        return False


def find_dump(path: Path) -> tuple[Packed, Format]:
    """Where the dump is in a file, and in which format. Raises UnsuitableError."""
    with understood():
        packed = Packed(path)
        start = _start(packed)
        if start.startswith(_ZIP):
            return _in_zip(path)
        if start.startswith(_GZIP):
            packed = Packed(path, "gzip")
            start = _start(packed)
            if _is_tar(start):
                with packed.open() as file, tarfile.open(fileobj=file, mode="r|") as archive:
                    first = archive.next()
                if first and first.name == _TOC:
                    _check_tar(packed)
                    return packed, "tar"
                return _in_tar(path)
        elif _is_tar(start):
            with tarfile.open(path, "r:") as archive:
                first = archive.next()
            if first and first.name == _TOC:
                _check_tar(packed)
                return packed, "tar"
            return _in_tar(path)
        return packed, _format(start)


def _start(packed: Packed) -> bytes:
    with packed.open() as file:
        return file.read(4096)


def _is_tar(start: bytes) -> bool:
    return start[257:262] == b"ustar"


def _format(start: bytes) -> Format:
    if start.startswith(_CUSTOM):
        return "custom"
    if _is_tar(start):
        return "tar"
    if not start.strip() or b"\0" in start:
        raise _no_dump(say("it is neither a script nor an archive of PostgreSQL"))
    return "sql"


def _in_zip(path: Path) -> tuple[Packed, Format]:
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        if len(infos) > _MOST_MEMBERS:
            raise _no_dump(say("it has far too many files in it"))
        members = [(info.filename, info.file_size) for info in infos if not info.is_dir()]
    total = sum(size for _, size in members)
    if total > _LARGEST_RATIO * max(path.stat().st_size, _BLOCK):
        raise _no_dump(say("unpacked it would be out of all proportion"))
    return _only(Packed(path, "zip"), [name for name, _ in members])


def _in_tar(path: Path) -> tuple[Packed, Format]:
    names: list[str] = []
    with tarfile.open(path, "r|*") as archive:
        for count, info in enumerate(archive, 1):
            if info.isreg():
                names.append(info.name)
            if count > _MOST_MEMBERS:
                raise _no_dump(say("it has far too many files in it"))
            archive.members = []  # type: ignore[attr-defined]
    return _only(Packed(path, "tar"), names)


def _check_tar(packed: Packed) -> None:
    """See that nothing of pg_dump's tar format is missing: pg_restore would pass over it, or hang.

    It ends with a file that says how to do without pg_restore, and then with two empty blocks.
    """
    last, count = "", 0
    with packed.open() as file, tarfile.open(fileobj=file, mode="r|") as archive:
        for info in archive:
            last, count = info.name, count + 1
            archive.members = []  # type: ignore[attr-defined]
            if count > _MOST_TABLES or not info.isreg():
                raise _no_dump(say("it has something in it that pg_dump does not write"))
    odd = packed.wrapping == "none" and packed.path.stat().st_size % tarfile.BLOCKSIZE
    with packed.open() as file:
        if odd or last != _LAST or _tail(file)[-1024:].strip(b"\0"):
            raise _no_dump(say("it breaks off before its end"))


def _only(packed: Packed, names: list[str]) -> tuple[Packed, Format]:
    """The one file among ``names`` that counts."""
    found = [name for name in names if not _aside(name)]
    if any(PurePosixPath(name).name == _TOC for name in found):
        raise _no_dump(say("it holds a dump in the directory format, which cannot be read here"))
    if len(found) != 1:
        raise _no_dump(say("a packed file is to hold one dump and nothing else"))
    inner = Packed(packed.path, packed.wrapping, found[0])
    start = _start(inner)
    if start.startswith((_GZIP, _ZIP)):
        raise _no_dump(say("it is packed more than once"))
    kind = _format(start)
    if kind == "tar":
        _check_tar(inner)
    return inner, kind


def _aside(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return not parts or parts[0] == "__MACOSX" or parts[-1].startswith(".")


def read_script(packed: Packed, filename: str, watch: Watch) -> ForeignDump:
    """Read a script from beginning to end, without running any of it. Raises UnsuitableError."""
    first = name_of(filename)
    current, filled, major = first, dict[str, bool](), 0
    with understood(), packed.open() as file:
        for part in statements(_limited(blocks(file, watch), packed.path)):
            if isinstance(part, Rows):
                continue
            if isinstance(part, Command):
                current = connects_to(part) or current
                continue
            if told := _HEADER.search(part.text):
                major = max(major, int(told[1]))
            text = without_comments(part.text)
            if _MAKES.match(text) and not left_out(text):
                filled[current] = True
    with understood(), packed.open() as file:
        tail = _tail(file)
    # Each part of a dump says that it is complete; the last of it comes after all statements.
    if _DUMP.search(_start(packed)) and not _COMPLETE.search(tail):
        raise _no_dump(say("it breaks off before its end"))
    if not filled:
        raise _no_dump(say("there is nothing in it that makes a table or fills one"))
    return ForeignDump(packed.path, packed, "sql", tuple(filled), first, major)


def _tail(file: BinaryIO) -> bytes:
    tail = b""
    while block := file.read(_BLOCK):
        tail = (tail + block)[-4096:]
    return tail


def _limited(source: Iterator[bytes], path: Path) -> Iterator[bytes]:
    """Stop reading what grows out of all proportion."""
    left = _LARGEST_RATIO * max(path.stat().st_size, _BLOCK)
    for block in source:
        left -= len(block)
        if left < 0:
            raise _no_dump(say("unpacked it would be out of all proportion"))
        yield block


def unpack(packed: Packed, folder: Path, watch: Watch) -> Packed:
    """An archive of PostgreSQL as a file of its own in ``folder``; one that is packed is copied."""
    if packed.wrapping == "none":
        return packed
    plain = folder / "dump"
    with understood(), packed.open() as source, plain.open("wb") as target:
        for block in _limited(blocks(source, watch), packed.path):
            target.write(block)
    return Packed(plain)


_TOLD: Final = re.compile(r"^;\s+dbname: (.*)$", re.M)
_FROM: Final = re.compile(r"^;\s+Dumped from database version: (\d+)", re.M)


def from_listing(packed: Packed, kind: Format, listing: str, filename: str) -> ForeignDump:
    """What ``pg_restore --list`` says of an archive."""
    told, version = _TOLD.search(listing), _FROM.search(listing)
    name = told[1].strip() if told else name_of(filename)
    major = int(version[1]) if version else 0
    return ForeignDump(packed.path, packed, kind, (name,), name, major)


def name_of(filename: str) -> str:
    """A name for a database that does not say its own: that of its file."""
    stem = _SUFFIXES.sub("", PurePosixPath(filename).name)
    return _NOT_A_NAME.sub("_", stem).strip("._-")[:40] or "restored"


@contextmanager
def understood() -> Iterator[None]:
    """What broken files make the readers of their formats raise, as a refusal."""
    try:
        yield
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        zlib.error,
        gzip.BadGzipFile,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
        KeyError,
    ) as error:
        raise _no_dump(say("it is damaged ({error})", error=str(error))) from error


def _no_dump(reason: str) -> UnsuitableError:
    return UnsuitableError(
        say(
            "This file is not a dump of PostgreSQL, or is damaged: {reason}. Nothing was changed.",
            reason=reason,
        ),
        say(
            "Use a backup that this software made, or a file from pg_dump: its custom or "
            "tar format, or a script (.sql), which may be packed with gzip or zip."
        ),
    )

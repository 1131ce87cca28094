"""Where in a file a dump of PostgreSQL's tools is: in itself, or packed by gzip, zip or tar."""

from __future__ import annotations

import gzip
import re
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, Literal

from ...errors import UnsuitableError
from ...sentences import say
from ..watch import Watch
from .loading import blocks

Format = Literal["custom", "tar", "directory", "sql"]
_CUSTOM: Final = b"PGDMP"
_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = b"PK\x03\x04"
_TOC: Final = "toc.dat"
_LAST: Final = "restore.sql"
_OF_A_DIRECTORY: Final = re.compile(r"(?:toc|\d+|blob_\d+)\.dat(?:\.\w+)?|blobs\w*\.toc")
_MOST_TABLES: Final = 1_000_000
_MOST_MEMBERS: Final = 1000
_LARGEST_RATIO: Final = 200
_BLOCK: Final = 1024 * 1024
_LOCKED: Final = 1
"""The bit of a zip's member that needs a password."""


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
                raise no_dump(say("it changed while it was read"))
        elif self.wrapping == "gzip":
            with gzip.open(self.path) as unpacked:
                yield unpacked  # type: ignore[misc]
        else:
            with self.path.open("rb") as plain:
                yield plain


def find_dump(path: Path) -> tuple[Packed, Format]:
    """Where the dump is in a file, and in which format. Raises UnsuitableError."""
    with understood():
        packed = Packed(path)
        start = start_of(packed)
        if start.startswith(_ZIP):
            return _in_zip(path)
        if start.startswith(_GZIP):
            packed = Packed(path, "gzip")
            start = start_of(packed)
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


def start_of(packed: Packed) -> bytes:
    """The first bytes of a dump. Raises as :meth:`Packed.open` does."""
    with packed.open() as file:
        return file.read(4096)


def _is_tar(start: bytes) -> bool:
    return start[257:262] == b"ustar"


def _format(start: bytes) -> Format:
    if start.startswith(_CUSTOM):
        return "custom"
    if _is_tar(start):
        return "tar"
    if not start.strip():
        raise no_dump(say("it is empty"))
    if b"\0" in start:
        raise no_dump(say("it is neither a script nor an archive of PostgreSQL"))
    return "sql"


def _in_zip(path: Path) -> tuple[Packed, Format]:
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        if len(infos) > _MOST_MEMBERS:
            raise no_dump(say("it has far too many files in it"))
        members = [(info.filename, info.file_size) for info in infos if not info.is_dir()]
    if any(info.flag_bits & _LOCKED for info in infos):
        raise no_dump(say("it is locked by a password"))
    total = sum(size for _, size in members)
    if total > _LARGEST_RATIO * max(path.stat().st_size, _BLOCK):
        raise no_dump(say("unpacked it would be out of all proportion"))
    return _only(Packed(path, "zip"), [name for name, _ in members])


def _in_tar(path: Path) -> tuple[Packed, Format]:
    names: list[str] = []
    with tarfile.open(path, "r|*") as archive:
        for count, info in enumerate(archive, 1):
            if info.isreg():
                names.append(info.name)
            if count > _MOST_MEMBERS:
                raise no_dump(say("it has far too many files in it"))
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
                raise no_dump(say("it has something in it that pg_dump does not write"))
    odd = packed.wrapping == "none" and packed.path.stat().st_size % tarfile.BLOCKSIZE
    with packed.open() as file:
        if odd or last != _LAST or tail(file)[-1024:].strip(b"\0"):
            raise no_dump(say("it breaks off before its end"))


def _only(packed: Packed, names: list[str]) -> tuple[Packed, Format]:
    """The one file among ``names`` that counts."""
    found = [name for name in names if not _aside(name)]
    for name in found:
        if PurePosixPath(name).name == _TOC:
            return Packed(packed.path, packed.wrapping, name), "directory"
    if len(found) != 1:
        raise no_dump(say("a packed file is to hold one dump and nothing else"))
    inner = Packed(packed.path, packed.wrapping, found[0])
    start = start_of(inner)
    if start.startswith((_GZIP, _ZIP)):
        raise no_dump(say("it is packed more than once"))
    kind = _format(start)
    if kind == "tar":
        _check_tar(inner)
    return inner, kind


def _aside(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return not parts or parts[0] == "__MACOSX" or parts[-1].startswith(".")


def tail(file: BinaryIO) -> bytes:
    """The end of a file."""
    found = b""
    while block := file.read(_BLOCK):
        found = (found + block)[-4096:]
    return found


def limited(source: Iterator[bytes], path: Path) -> Iterator[bytes]:
    """Stop reading what grows out of all proportion."""
    left = _LARGEST_RATIO * max(path.stat().st_size, _BLOCK)
    for block in source:
        left -= len(block)
        if left < 0:
            raise no_dump(say("unpacked it would be out of all proportion"))
        yield block


def unpack(packed: Packed, folder: Path, watch: Watch) -> Packed:
    """An archive of PostgreSQL as a file of its own in ``folder``; one that is packed is copied.

    That of the directory format becomes a folder there. ``discard`` it afterwards.
    """
    if packed.wrapping == "none":
        return packed
    plain = folder / "dump"
    if PurePosixPath(packed.member).name == _TOC:
        plain.mkdir()
        with understood():
            for name, source in _beside(packed):
                with (plain / name).open("wb") as target:
                    for block in blocks(source, watch):
                        target.write(block)
        return Packed(plain)
    with understood(), packed.open() as source, plain.open("wb") as target:
        for block in limited(blocks(source, watch), packed.path):
            target.write(block)
    return Packed(plain)


def discard(plain: Packed, packed: Packed) -> None:
    """Remove what :func:`unpack` has made of ``packed``. Blocks."""
    if plain is packed:
        return
    if plain.path.is_dir():
        shutil.rmtree(plain.path, ignore_errors=True)
    else:
        plain.path.unlink(missing_ok=True)


def _beside(packed: Packed) -> Iterator[tuple[str, BinaryIO]]:
    """Each file of a dump in the directory format, with its name in that."""
    folder = PurePosixPath(packed.member).parent
    left = _LARGEST_RATIO * max(packed.path.stat().st_size, _BLOCK)
    for path, size, file in _members(packed):
        if path.parent != folder or not _OF_A_DIRECTORY.fullmatch(path.name):
            continue
        left -= size
        if left < 0:
            raise no_dump(say("unpacked it would be out of all proportion"))
        yield path.name, file


def _members(packed: Packed) -> Iterator[tuple[PurePosixPath, int, BinaryIO]]:
    if packed.wrapping == "zip":
        with zipfile.ZipFile(packed.path) as archive:
            for each in archive.infolist():
                with archive.open(each) as file:
                    yield PurePosixPath(each.filename), each.file_size, file  # type: ignore[misc]
        return
    with tarfile.open(packed.path, "r|*") as tar:
        for info in tar:
            if info.isreg() and (inner := tar.extractfile(info)):
                yield PurePosixPath(info.name), info.size, inner  # type: ignore[misc]


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
        raise no_dump(say("it is damaged ({error})", error=str(error))) from error


def no_dump(reason: str) -> UnsuitableError:
    """A file is refused; ``reason`` says why, within a sentence."""
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

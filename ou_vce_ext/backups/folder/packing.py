"""A folder into one tar, and out of any archive into a folder: nothing trusted on the way back."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, cast

from ...errors import ConflictError, UnsuitableError
from ...sentences import say
from .. import tars, zips
from ..reader import MOST_MEMBERS, check_name
from ..tars import Bounded, BrokenTarError, Budget, Entry
from ..watch import Watch
from ..writer import BLOCK, MemberWriter
from .tree import EXECUTABLE, Sum, Thing, stays_inside, things

_SWELLING: Final = 1_100
"""Zeros pack a thousand to one: no more than that can be honest."""
_ALWAYS_FINE: Final = 64 * 1024 * 1024
_MOST: Final = 200 * 1024**3
_ENTRY_BYTES: Final = 1_200
_AS_IT_IS: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")


def pack(folder: Path, to: MemberWriter, watch: Watch) -> Sum:
    """Write all of ``folder`` as a tar. Raises ConflictError where a file kept moving; OSError."""
    found = Sum()
    pack_things(things(folder, found.left_out.append), to, watch, found)
    return found


def pack_things(some: Iterable[Thing], to: MemberWriter, watch: Watch, found: Sum) -> None:
    """Write some things of a folder as a tar; they count in ``found``. Raises as :func:`pack`."""
    for thing in some:
        watch.raise_if_cancelled()
        if thing.kind == "file":
            try:
                descriptor = os.open(thing.path, _AS_IT_IS)
            except FileNotFoundError:
                # Deleted meanwhile.
                continue
            with open(descriptor, "rb") as file:
                _pack_file(thing, file, to, found)
        else:
            to.write(_header(thing, 0))
            found.add(thing)
    to.write(bytes(2 * tarfile.BLOCKSIZE))


def _pack_file(thing: Thing, file: BinaryIO, to: MemberWriter, found: Sum) -> None:
    size = os.fstat(file.fileno()).st_size
    thing = Thing(thing.name, thing.path, "file", size, thing.executable, thing.changed)
    to.write(_header(thing, size))
    digest = hashlib.sha256()
    left = size
    while left:
        block = file.read(min(BLOCK, left))
        if not block:
            raise ConflictError(
                say(
                    "{name} became shorter while it was read, so there is no backup of this "
                    "moment. The backups you have are as they were.",
                    name=thing.name,
                ),
                say("Stop the program that writes there, then back up once more."),
            )
        digest.update(block)
        to.write(block)
        left -= len(block)
    to.write(bytes(-size % tarfile.BLOCKSIZE))
    found.add(thing, digest.hexdigest())


def _header(thing: Thing, size: int) -> bytes:
    info = tarfile.TarInfo(thing.name)
    info.size = size
    info.mtime = int(thing.changed)
    info.mode = 0o755 if thing.executable or thing.kind == "folder" else 0o644
    if thing.kind == "folder":
        info.type = tarfile.DIRTYPE
    elif thing.kind == "link":
        info.type, info.linkname = tarfile.SYMTYPE, thing.target
    return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


def damaged(reason: str) -> UnsuitableError:
    """For a file that cannot be used; ``reason`` is the end of a sentence."""
    return UnsuitableError(
        say(
            "This file cannot be used for the folder: {reason}. Nothing was changed.", reason=reason
        ),
        say("Use another backup, or a zip or tar of a folder."),
    )


def unpack(
    file: BinaryIO, length: int, into: Path | None, top: str, watch: Watch, *, empty: bool = False
) -> Sum:
    """Put what ``file`` (a zip or tar of ``length`` bytes) holds into the empty folder ``into``.

    Without ``into`` it is only read. A folder called ``top`` that holds all else is taken for the
    folder itself. One with nothing in it is refused, unless it may be ``empty``. Raises
    UnsuitableError, OSError, WorkCancelledError.
    """
    most = min(_MOST, max(_ALWAYS_FINE, _SWELLING * length))
    try:
        found, count = _unpack(file, most, into, top, watch)
    except (BrokenTarError, zips.BrokenZipError) as error:
        raise damaged(error.reason) from error
    except (*tars.BROKEN, *zips.BROKEN) as error:
        raise damaged(say("it cannot be read to its end")) from error
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise damaged(say("it names a file twice")) from error
    except OSError as error:
        # gzip's own word for what is not its own; an error of the disk has a number.
        if error.errno is None:
            raise damaged(say("it cannot be read to its end")) from error
        raise
    if not count and not empty:
        raise damaged(say("there is nothing in it"))
    return found


def _unpack(
    file: BinaryIO, most: int, into: Path | None, top: str, watch: Watch
) -> tuple[Sum, int]:
    found = Sum()
    budget = Budget(2 * most, watch)
    links: list[tuple[Path, str]] = []
    count = 0
    for entry in _entries(file, most, budget, watch):
        count += 1
        if into is None and entry.link is None:
            if not entry.folder:
                _count(entry, None, budget, found, watch)
            continue
        place = PurePosixPath(entry.name)
        if top and place.parts[:1] == (top,):
            place = PurePosixPath(*place.parts[1:])
        if not place.parts:
            continue
        target = into / place if into else None
        if entry.link is not None:
            if not stays_inside(str(place), entry.link):
                raise damaged(say("a link in it ({place}) leads outside", place=str(place)[:80]))
            if target:
                links.append((target, entry.link))
            continue
        if entry.folder:
            if target:
                target.mkdir(parents=True, exist_ok=True)
            continue
        _count(entry, target, budget, found, watch)
    # After all files: nothing was written through one.
    for path, link in links:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(link)
    return found, count


def _count(entry: Entry, target: Path | None, budget: Budget, found: Sum, watch: Watch) -> None:
    """Take in a file: read it, or write it where there is a ``target``."""
    budget.afford(entry.bytes)
    _write(entry, target, watch)
    found.files += 1
    found.bytes += entry.bytes


def _write(entry: Entry, target: Path | None, watch: Watch) -> None:
    if target is None:
        while block := entry.content.read(BLOCK):
            watch.did(len(block))
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as file:
        while block := entry.content.read(BLOCK):
            watch.did(len(block))
            file.write(block)
        if file.tell() != entry.bytes:
            raise damaged(say("it ends too early"))
        if entry.mode & EXECUTABLE:
            os.fchmod(file.fileno(), os.fstat(file.fileno()).st_mode | 0o100)
        file.flush()
        os.fsync(file.fileno())


def _entries(file: BinaryIO, most: int, budget: Budget, watch: Watch) -> Iterator[Entry]:
    head = file.read(4)
    file.seek(0)
    if head.startswith(_ZIP):
        yield from _zipped(file, most, watch)
        return
    packed = head.startswith(_GZIP)
    plain = cast("BinaryIO", gzip.GzipFile(fileobj=file, mode="rb")) if packed else file
    bounded = cast("BinaryIO", io.BufferedReader(Bounded(plain, budget), 65_536))
    yield from tars.entries(bounded, everything=True)


def _zipped(file: BinaryIO, most: int, watch: Watch) -> Iterator[Entry]:
    nothing = cast("BinaryIO", io.BytesIO())
    with zips.opened(file, MOST_MEMBERS, _ENTRY_BYTES) as archive:
        infos = archive.infolist()
        if sum(info.file_size for info in infos) > most:
            raise damaged(say("it would swell to an absurd size"))
        for info in infos:
            check_name(info.filename)
            watch.raise_if_cancelled()
            if info.is_dir():
                yield Entry(info.filename, 0, nothing, folder=True)
                continue
            if not zips.is_plain(info):
                raise damaged(say("{name} in it is no plain file", name=info.filename[:80]))
            with zips.member(archive, info) as content:
                yield Entry(info.filename, info.file_size, content, info.external_attr >> 16)

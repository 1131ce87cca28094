"""Folders of files in a backup of everything: taken along, and put beside what is there."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Final

from ..errors import BadRequestError, UnsuitableError
from ..models_backup import DataItem, ItemKind
from ..sentences import say
from ..services.private_files import make_folder
from .names import FOLDER
from .parts import BETWEEN
from .reader import Archive, check_name
from .scratch import MARK
from .watch import Watch
from .writer import BLOCK, PARTIAL, ArchiveWriter

INSIDE: Final = "folders/"
"""Where folders lie in a file of everything."""


def chosen(root: Path, folders: Sequence[str]) -> tuple[str, ...]:
    """``folders`` relative to ``root``, tidied. Blocks; raises BadRequestError."""
    found = []
    for given in folders:
        path = PurePosixPath(given)
        plain = not path.is_absolute() and ".." not in path.parts and path.parts
        if not plain or "\0" in given or path.parts[0] == FOLDER or not _is_inside(root, path):
            raise BadRequestError(
                say(
                    "{folder!r} is no folder that can be taken along. Nothing was done.",
                    folder=given[:200],
                ),
                say(
                    "Name folders by their path from the folder Jupyter shows; the backups "
                    "themselves, links and folders elsewhere are not taken."
                ),
            )
        found.append(path.as_posix())
    for one in found:
        if any(one != other and one.startswith(f"{other}/") for other in found):
            raise BadRequestError(
                say("{folder!r} is in another of the folders. Nothing was done.", folder=one)
            )
    return tuple(found)


def _is_inside(root: Path, path: PurePosixPath) -> bool:
    """Whether it is a folder that no link leads to."""
    place = root
    for name in path.parts:
        place = place / name
        try:
            if not stat.S_ISDIR(place.lstat().st_mode):
                return False
        except OSError:
            return False
    return True


def size_of(root: Path, folders: Sequence[str]) -> int:
    """Bytes of the files in them. Blocks."""
    return sum(size for folder in folders for _, _, size in _files(root, folder))


def _files(root: Path, folder: str) -> Iterator[tuple[str, Path, int]]:
    """Each plain file that can be named in an archive: its name there, path and size."""
    for place, inside, files in os.walk(root / folder):
        inside[:] = sorted(
            name
            for name in inside
            if MARK not in name and not os.path.islink(os.path.join(place, name))
        )
        for name in sorted(files):
            path = Path(place, name)
            try:
                status = path.lstat()
                named = INSIDE + path.relative_to(root).as_posix()
                named.encode("utf-8")
                check_name(named)
            except (OSError, UnicodeEncodeError, UnsuitableError):
                continue
            if stat.S_ISREG(status.st_mode) and not name.endswith(PARTIAL):
                yield named, path, status.st_size


def pack(archive: ArchiveWriter, root: Path, folder: str) -> tuple[DataItem, int]:
    """Add a folder's files; tells how many could not be read. Blocks; raises OSError of writing.

    What vanishes or cannot be read is left out: one odd file must not cost all the others.
    """
    count = size = left_out = 0
    for name, path, probably in _files(root, folder):
        try:
            flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
            file = os.fdopen(os.open(path, flags), "rb")
        except OSError:
            left_out += 1
            continue
        with file, archive.member(name, probably) as member:
            while block := _read(file):
                member.write(block)
            size += member.bytes
            count += 1
    item = DataItem(f"{BETWEEN}{folder}", None, ItemKind.FOLDER, folder, count=count, bytes=size)
    return item, left_out


def _read(file: object) -> bytes:
    try:
        return file.read(BLOCK)  # type: ignore[attr-defined, no-any-return]
    except OSError:
        return b""


def unpack(
    archive: Archive, root: Path, wanted: frozenset[str] | None, now: datetime, watch: Watch
) -> Path | None:
    """Put folders of a backup into a new folder, over nothing that is there; tells where.

    ``wanted`` are folders, None: all. None is given where there are none. Blocks; raises OSError
    or WorkCancelledError, and has removed what it made then.
    """
    names = [
        name
        for name in archive.names
        if name.startswith(INSIDE) and (wanted is None or _is_in(name, wanted))
    ]
    if not names:
        return None
    when = now.astimezone().strftime("%Y-%m-%d-%H%M%S")
    into = root / f"restored-{when}"
    into.mkdir()
    try:
        for name in names:
            path = into / name.removeprefix(INSIDE)
            make_folder(path.parent)
            with archive.open(name) as member, path.open("xb") as file:
                while block := member.read(BLOCK):
                    watch.did(len(block))
                    file.write(block)
    except BaseException:
        shutil.rmtree(into, ignore_errors=True)
        raise
    return into


def _is_in(name: str, folders: frozenset[str]) -> bool:
    inside = name.removeprefix(INSIDE)
    return any(inside == folder or inside.startswith(f"{folder}/") for folder in folders)

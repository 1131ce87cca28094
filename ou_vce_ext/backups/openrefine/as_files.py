"""What no project archive can be made of, taken as bare files and compared by their checksum.

That is a project which OpenRefine cannot open, and whatever else somebody has put into the projects
folder. OpenRefine's own archives leave both out without a word.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from ...errors import UnsuitableError
from ...models import Json
from ...models_backup import DataItem, ItemKind
from ...sentences import say
from .. import scratch
from ..folder.packing import pack_things, unpack
from ..folder.tree import Sum, Thing, read_things, stays_inside
from ..places import link_or_copy
from ..reader import Archive, check_name
from ..scratch import is_kept
from ..swap import MARKER
from ..watch import Watch
from ..writer import ArchiveWriter
from .project import CHANGE, DATA, DESCRIPTIONS, FOLDER, GIVEN_UP, HISTORY, IMPORTING
from .unpacking import WORKSPACES, damaged

OTHERS: Final = "files"
"""The key of all that is no project."""
SUFFIX: Final = ".files.tar"
MEMBER: Final = f"projects/other{SUFFIX}"
PART: Final = f"{scratch.MARK}files"
"""Where what is no project lies in a new workspace until the projects are there."""
DETAILS: Final = "as_files"
"""Where a manifest tells of them, by their key."""
CODE: Final = "extensions"
"""What lies there OpenRefine runs: it stays where it is, and never comes out of a backup."""
SETTINGS: Final = "dbextension"
"""Where OpenRefine keeps how it reaches databases, with their passwords. It makes it by itself; it
stays where it is, and is in no backup, which may be handed on."""
_NOBODYS: Final = frozenset({*WORKSPACES, ".openrefine.lock", MARKER, "lost+found"})
"""Names at the top that are OpenRefine's, ours or the file system's."""
_PROJECTS_OWN: Final = frozenset({*DATA, *DESCRIPTIONS, IMPORTING})
_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Damaged:
    """A project that cannot be opened: ``reason`` says why, within a sentence.

    ``key`` is its id, or the name of the folder that OpenRefine has put aside.
    """

    key: str
    name: str
    folder: Path
    reason: str

    def item(self, service: str | None, found: Sum) -> DataItem:
        """For people to choose from."""
        return DataItem(
            key=self.key,
            service=service,
            kind=ItemKind.PROJECT,
            name=self.name or unnamed(self.key),
            bytes=found.bytes,
            changed=found.moment,
            damaged=True,
        )


def unnamed(key: str) -> str:
    """What a project is called that has no name any more."""
    return say("Project {id}", id=key.partition(".")[0])


def others_item(service: str | None, found: Sum) -> DataItem:
    """All that is no project, for people to choose."""
    name = say("Other files in the projects folder")
    changed = found.moment
    return DataItem(OTHERS, service, ItemKind.FOLDER, name, None, found.files, found.bytes, changed)


# -- what there is ---------------------------------------------------------------------------------


def of_project(folder: Path, left_out: Callable[[str], object]) -> Iterator[Thing]:
    """All that is in a project's folder. Raises OSError."""
    yield from _things(folder, PurePosixPath(), lambda _: True, left_out)


def others(
    workspace: Path,
    as_files: Collection[str],
    left_out: Callable[[str], object],
    *,
    packed: bool = True,
    settings: bool = False,
) -> Iterator[Thing]:
    """All in a workspace that is neither a project's nor OpenRefine's. Raises OSError.

    The projects in ``as_files`` are taken whole already. Unless it is to be ``packed``, what no
    archive may hold is among it; ``settings`` of OpenRefine's only where they are asked for.
    """

    def wanted(place: PurePosixPath) -> bool:
        top, *below = place.parts
        if top == SETTINGS and not settings:
            return False
        if not below and FOLDER.fullmatch(top) and (workspace / top).is_symlink():
            # What it leads to is a project, if anything.
            return False
        # Old data that are kept in a mount point, which nothing can be put beside.
        return not is_kept(top, workspace) and _is_other(top, below, as_files)

    try:
        yield from _things(workspace, PurePosixPath(), wanted, left_out, packed)
    except FileNotFoundError:
        return


def _is_other(top: str, below: Sequence[str], as_files: Collection[str]) -> bool:
    project = FOLDER.fullmatch(top)
    if GIVEN_UP.fullmatch(top):
        # It is a project all the same.
        return False
    if project is None:
        return top not in _NOBODYS and scratch.MARK not in top
    if project[1] in as_files:
        return False
    if not below:
        return True
    if below[0] == HISTORY:
        return len(below) == 1 or not CHANGE.fullmatch(below[1])
    return below[0] not in _PROJECTS_OWN


def _things(
    folder: Path,
    at: PurePosixPath,
    wanted: Callable[[PurePosixPath], bool],
    left_out: Callable[[str], object],
    packed: bool = True,
) -> Iterator[Thing]:
    """Folders before what is in them, in one order; those of projects are not told themselves."""
    for name in sorted(os.listdir(folder)):
        path, place = folder / name, at / name
        if not wanted(place):
            continue
        try:
            status = path.lstat()
            target = os.readlink(path) if stat.S_ISLNK(status.st_mode) else ""
        except FileNotFoundError:
            continue
        if not _can_be_read(path, status.st_mode) or (
            packed and not _can_be_packed(str(place), target)
        ):
            left_out(str(place))
        elif stat.S_ISDIR(status.st_mode):
            if not FOLDER.fullmatch(place.parts[0]):
                yield Thing(str(place), path, "folder")
            yield from _things(path, place, wanted, left_out, packed)
        elif target:
            yield Thing(str(place), path, "link", target=target)
        else:
            runs = bool(status.st_mode & 0o111)
            yield Thing(str(place), path, "file", status.st_size, runs, status.st_mtime)


def _can_be_read(path: Path, mode: int) -> bool:
    if stat.S_ISDIR(mode):
        return os.access(path, os.R_OK | os.X_OK)
    return stat.S_ISLNK(mode) or (stat.S_ISREG(mode) and os.access(path, os.R_OK))


def _can_be_packed(name: str, target: str) -> bool:
    try:
        check_name(name)
    except UnsuitableError:
        return False
    return not target or stays_inside(name, target)


# -- into a backup and out of one ------------------------------------------------------------------


def pack(
    archive: ArchiveWriter, member: str, some: Iterator[Thing], found: Sum, watch: Watch
) -> dict[str, Json]:
    """Write things as one member, a tar; gives what its manifest is to tell of it.

    Raises ConflictError where a file kept moving, OSError, WorkCancelledError.
    """
    with archive.member(member) as writer:
        pack_things(some, writer, watch, found)
    told: dict[str, Json] = {"member": member, **found.to_json()}
    if found.left_out:
        told["left_out"] = list(found.left_out[:_SHOWN])
    return told


def unpack_into(archive: Archive, key: str, told: object, place: Path, watch: Watch) -> None:
    """Put a member's files into ``place``, which is made, and compare them with what is told.

    Raises UnsuitableError, OSError, WorkCancelledError.
    """
    name = told.get("member") if isinstance(told, dict) else None
    if not isinstance(name, str) or name not in archive.names or not isinstance(told, dict):
        raise damaged(say("a project that it tells of is not in it"))
    place.mkdir()
    with archive.open(name) as file:
        unpack(file, archive.bytes_of(name), place, "", watch, empty=True)
    some = others(place, (), _pass) if key == OTHERS else of_project(place, _pass)
    found = read_things(some, watch, Sum()).to_json()
    if any(told.get(each) != value for each, value in found.items()):
        raise damaged(say("its files are not those it tells of"))


# -- beside what is built --------------------------------------------------------------------------


def put_in_place(place: Path, watch: Watch) -> None:
    """Have what a backup held of no project's files in ``place``. Raises OSError."""
    part = place / PART
    if part.is_dir():
        carry_over(part, place, watch, own=False)
        shutil.rmtree(part)


def carry_over(source: Path, place: Path, watch: Watch, *, own: bool) -> None:
    """Have all that is no project in ``source`` in ``place`` too, where nothing is in its way.

    What belongs to a project comes along with it. ``own``: it is the student's own, with
    extensions and settings of OpenRefine's, and whatever no backup can hold. Raises OSError,
    WorkCancelledError.
    """
    for thing in others(source, (), _pass, packed=not own, settings=own):
        watch.raise_if_cancelled()
        top = PurePosixPath(thing.name).parts[0]
        homeless = FOLDER.fullmatch(top) and thing.name != top and not (place / top).is_dir()
        if homeless or (top == CODE and not own):
            continue
        target = place / thing.name
        if os.path.lexists(target) or not _can_hold(place, target.parent):
            continue
        if thing.kind == "folder":
            target.mkdir()
        elif thing.kind == "link":
            target.symlink_to(thing.target)
        else:
            link_or_copy(thing.path, target)


def _can_hold(place: Path, folder: Path) -> bool:
    """Whether ``folder`` is one in ``place``, by no link; it is made where it is missing."""
    if folder == place:
        return True
    if not _can_hold(place, folder.parent):
        return False
    if not os.path.lexists(folder):
        folder.mkdir()
    return folder.is_dir() and not folder.is_symlink()


def _pass(_: str) -> None:
    """Nobody is told."""

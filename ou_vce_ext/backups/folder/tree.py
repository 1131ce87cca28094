"""A folder gone through in one order, so that two can be compared by one checksum."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, Final

from ...models import Json
from ..scratch import is_kept
from ..swap import MARKER
from ..watch import Watch
from ..writer import BLOCK

EXECUTABLE: Final = 0o111
_OURS: Final = frozenset({MARKER})
"""Names at the top of a folder that are no data of anybody's."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One file, folder or link; ``name`` is its path in the folder, ``bytes`` a file's size."""

    name: str
    path: Path
    kind: str
    bytes: int = 0
    executable: bool = False
    changed: float = 0.0
    target: str = ""


@dataclass(slots=True)
class Sum:
    """What a folder comes to. ``left_out`` names what is neither file, folder nor link inside."""

    files: int = 0
    bytes: int = 0
    changed: float = 0.0
    left_out: list[str] = field(default_factory=list)
    _digest: Any = field(default_factory=hashlib.sha256)

    def add(self, thing: Thing, content: str = "") -> None:
        """Count ``thing``; ``content`` is the checksum of what is in it."""
        told = (thing.kind, thing.name, thing.executable, thing.target, content)
        self._digest.update(repr(told).encode("utf-8", "surrogateescape"))
        self.files += thing.kind == "file"
        self.bytes += thing.bytes
        self.changed = max(self.changed, thing.changed)

    @property
    def moment(self) -> datetime | None:
        """When a file in it was last changed."""
        return datetime.fromtimestamp(self.changed, UTC) if self.changed else None

    def to_json(self) -> dict[str, Json]:
        """For a manifest, to be compared."""
        return {"files": self.files, "bytes": self.bytes, "digest": self._digest.hexdigest()}


def things(folder: Path, left_out: Callable[[str], None]) -> Iterator[Thing]:
    """Each thing in ``folder``, folders before what is in them. Raises OSError."""
    yield from _things(folder, PurePosixPath(), left_out)


def _things(folder: Path, at: PurePosixPath, left_out: Callable[[str], None]) -> Iterator[Thing]:
    for name in sorted(os.listdir(folder)):
        path, place = folder / name, at / name
        if at == PurePosixPath() and (name in _OURS or is_kept(name, folder)):
            continue
        try:
            status = path.lstat()
            target = os.readlink(path) if stat.S_ISLNK(status.st_mode) else ""
        except FileNotFoundError:
            # Gone since.
            continue
        executable = bool(status.st_mode & EXECUTABLE)
        if stat.S_ISDIR(status.st_mode):
            yield Thing(str(place), path, "folder")
            yield from _things(path, place, left_out)
        elif stat.S_ISREG(status.st_mode):
            size, changed = status.st_size, status.st_mtime
            yield Thing(str(place), path, "file", size, executable, changed)
        elif target and stays_inside(str(place), target):
            yield Thing(str(place), path, "link", target=target)
        else:
            left_out(str(place))


def stays_inside(name: str, target: str) -> bool:
    """Whether a link called ``name`` leads to something in the same folder."""
    if target.startswith("/"):
        return False
    depth = len(PurePosixPath(name).parts) - 1
    for part in target.split("/"):
        depth += {"..": -1, "": 0, ".": 0}.get(part, 1)
        if depth < 0:
            return False
    return True


def quick_sum(folder: Path) -> Sum:
    """Count what is in a folder without reading any file. Raises OSError."""
    found = Sum()
    for thing in things(folder, found.left_out.append):
        found.add(thing, f"{thing.bytes} {thing.changed}")
    return found


def moment_of(folder: Path) -> str:
    """A text that is another once anything in a folder was changed. Raises OSError.

    No file is read: nothing can be written to one without the system noting when.
    """
    found = hashlib.sha256()
    for thing in things(folder, lambda _: None):
        status = thing.path.lstat()
        noted = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        told = (thing.name, noted if thing.kind == "file" else thing.target)
        found.update(repr(told).encode("utf-8", "surrogateescape"))
    return found.hexdigest()


def read_sum(folder: Path, watch: Watch) -> Sum:
    """What a folder comes to, each file read. Raises OSError, WorkCancelledError."""
    found = Sum()
    return read_things(things(folder, found.left_out.append), watch, found)


def read_things(some: Iterable[Thing], watch: Watch, found: Sum) -> Sum:
    """Add what some things of a folder come to. Raises OSError, WorkCancelledError."""
    for thing in some:
        digest = hashlib.sha256()
        if thing.kind == "file":
            with thing.path.open("rb") as file:
                while block := file.read(BLOCK):
                    watch.raise_if_cancelled()
                    digest.update(block)
        found.add(thing, digest.hexdigest() if thing.kind == "file" else "")
    return found

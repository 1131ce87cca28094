"""Project archives and whole workspaces unpacked by us, into a folder of ours, nothing trusted.

Only files that belong to a project are written, under names of our own making; links, devices,
names that lead outside and files that swell are refused.
"""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, cast

from ...errors import UnsuitableError
from ...sentences import say
from .. import tars, zips
from ..reader import check_name
from ..tars import Bounded, BrokenTarError, Budget, Entry, entries
from ..watch import Watch
from ..writer import BLOCK
from ..zips import BrokenZipError, member, opened
from .metadata import LARGEST
from .project import CHANGE, DATA, DESCRIPTIONS, HISTORY

WORKSPACES: Final = ("workspace.json", "workspace.temp.json", "workspace.old.json")
_SWELLING: Final = 30
_ALWAYS_FINE: Final = 256 * 1024 * 1024
"""Bytes that any file may hold; what OpenRefine keeps is packed already and hardly swells."""
_MOST_FILES: Final = 50_000
"""In an archive: a project, and one for each step that was ever taken in it."""
_MOST_PROJECTS: Final = 2_000
_ENTRY_BYTES: Final = 1_200
_PACKED: Final = re.compile(r"\.(tar\.gz|tgz|tar)$", re.IGNORECASE)
_GZIP: Final = b"\x1f\x8b"
_TAR: Final = b"ustar"
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")


def damaged(reason: str) -> UnsuitableError:
    """For a file of OpenRefine's that cannot be used; ``reason`` is the end of a sentence."""
    return UnsuitableError(
        say(
            "This file holds no OpenRefine project that can be used: {reason}. Nothing was "
            "changed.",
            reason=reason,
        ),
        say("Use another backup, or export the project from OpenRefine once more."),
    )


def _no_archive(head: bytes) -> UnsuitableError:
    if not head:
        return damaged(say("it is empty"))
    return UnsuitableError(
        say("This file holds no OpenRefine project: it is no archive. Nothing was changed."),
        say(
            "To make a project of a table, start OpenRefine and open the file there. What can be "
            "restored is what OpenRefine exports as a project archive."
        ),
    )


@dataclass(slots=True)
class Found:
    """What lies in an unpacked file: folders of projects, and workspaces, by where they lay."""

    projects: dict[str, Path] = field(default_factory=dict)
    workspaces: dict[str, Path] = field(default_factory=dict)


class Unpacker:
    """Unpacks one file into ``into``, which is empty and ours."""

    def __init__(self, into: Path, watch: Watch) -> None:
        self._into = into
        self._watch = watch
        self._found = Found()
        self._files = 0
        self._budget = Budget(0, watch)

    def unpack(self, file: BinaryIO, length: int) -> Found:
        """Unpack what ``file`` holds, whatever kind of archive it is; ``length`` is its bytes.

        Raises UnsuitableError, OSError, WorkCancelledError.
        """
        most = max(_ALWAYS_FINE, _SWELLING * length)
        self._budget = Budget(2 * most, self._watch)
        head = file.read(512)
        file.seek(0)
        if not head.startswith((*_ZIP, _GZIP)) and head[257:262] != _TAR:
            raise _no_archive(head)
        try:
            if head.startswith(_ZIP):
                found = self._zip(file, most)
            else:
                found = self._tar(file, packed=head.startswith(_GZIP))
            for each in found:
                self._take(each)
        except (BrokenTarError, BrokenZipError) as error:
            raise damaged(error.reason) from error
        except (*tars.BROKEN, *zips.BROKEN) as error:
            raise damaged(say("it cannot be read to its end")) from error
        except OSError as error:
            # gzip's own word for what is not its own; an error of the disk has a number.
            if error.errno is None:
                raise damaged(say("it cannot be read to its end")) from error
            raise
        return self._found

    def _tar(self, stream: BinaryIO, *, packed: bool) -> Iterator[Entry]:
        plain = cast("BinaryIO", gzip.GzipFile(fileobj=stream, mode="rb")) if packed else stream
        bounded = io.BufferedReader(Bounded(plain, self._budget), 64 * 1024)
        return entries(cast("BinaryIO", bounded), most=_MOST_FILES)

    def _zip(self, file: BinaryIO, most: int) -> Iterator[Entry]:
        with opened(file, _MOST_FILES, _ENTRY_BYTES) as archive:
            infos = archive.infolist()
            if sum(info.file_size for info in infos) > most:
                raise damaged(say("it would swell to an absurd size"))
            for info in infos:
                check_name(info.filename)
                self._watch.raise_if_cancelled()
                if info.is_dir():
                    continue
                if not zips.is_plain(info):
                    raise damaged(say("{name} in it is no plain file", name=info.filename[:80]))
                with member(archive, info) as content:
                    yield Entry(info.filename, info.file_size, content)

    def _take(self, entry: Entry) -> None:
        place = PurePosixPath(entry.name)
        if place.name in WORKSPACES:
            self._found.workspaces[str(place)] = self._write(
                entry, self._into / f"w{len(self._found.workspaces)}.json"
            )
        elif _PACKED.search(place.name):
            head = entry.content.peek(2)[:2]  # type: ignore[attr-defined]
            for inner in self._tar(entry.content, packed=head == _GZIP):
                self._project_file(entry.name, PurePosixPath(inner.name), inner)
        else:
            self._project_file("", place, entry)

    def _project_file(self, outside: str, place: PurePosixPath, entry: Entry) -> None:
        """Write a file where its name is one that OpenRefine gives; pass over any other."""
        if place.name in (*DATA, *DESCRIPTIONS):
            folder, name = place.parent, place.name
        elif place.parent.name == HISTORY and CHANGE.fullmatch(place.name):
            folder, name = place.parent.parent, f"{HISTORY}/{place.name}"
        else:
            return
        key = f"{outside}/{folder}" if outside else str(folder)
        if key not in self._found.projects:
            if len(self._found.projects) >= _MOST_PROJECTS:
                raise damaged(say("it holds far too many projects"))
            made = self._into / f"p{len(self._found.projects)}"
            (made / HISTORY).mkdir(parents=True)
            self._found.projects[key] = made
        if name in DESCRIPTIONS and entry.bytes > LARGEST:
            raise damaged(say("what it says of a project is absurdly long"))
        self._write(entry, self._found.projects[key] / name)

    def _write(self, entry: Entry, path: Path) -> Path:
        self._budget.afford(entry.bytes)
        self._files += 1
        if self._files > _MOST_FILES:
            raise damaged(say("it names far too many files"))
        try:
            with path.open("xb") as file:
                written = 0
                while block := entry.content.read(BLOCK):
                    self._watch.did(len(block))
                    file.write(block)
                    written += len(block)
        except FileExistsError as error:
            raise damaged(say("it names a file twice")) from error
        if written != entry.bytes:
            raise damaged(say("it ends too early"))
        return path


def refuse_empty(found: Found) -> None:
    """Raise UnsuitableError where no project is in what was unpacked."""
    if not found.projects:
        raise UnsuitableError(
            say("There is no OpenRefine project in this file. Nothing was changed."),
            say(
                "Use a backup made here, a file that OpenRefine's Export › OpenRefine project "
                "archive has made, or a zip of such files."
            ),
        )

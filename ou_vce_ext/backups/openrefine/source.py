"""Files that projects can be taken from: backups of ours, and what OpenRefine itself exports."""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, cast

from ...errors import UnsuitableError
from ...models import Json
from ...models_backup import Consistency, DataItem
from ...sentences import say
from ..reader import Archive, View
from ..watch import Watch
from . import as_files
from . import metadata as metadatas
from .facts import BrokenProjectError, told_of
from .preferences import Preferences, preferences_in
from .project import FOLDER, GIVEN_UP, HISTORY, Project, folder_in, prove
from .unpacking import Found, Unpacker, damaged, refuse_empty

KIND: Final = "openrefine"
WORKSPACE: Final = "workspace.json"
PROJECTS: Final = "projects"
"""Where the members of a backup of ours lie, and where its manifest tells of projects."""
SETTINGS: Final = f"{PROJECTS}/{WORKSPACE}"
"""The same in a backup of ours."""
_FIRST_ID: Final = 1_000_000_000_000
_SPAN: Final = 1_000_000_000_000
"""OpenRefine's own ids are of this size: a time in milliseconds, and a random number."""


@dataclass(frozen=True)
class OwnBackup:
    """A backup of ours."""

    archive: Archive

    whole: bool = True

    @property
    def path(self) -> Path:
        """The file."""
        return self.archive.path

    @property
    def contents(self) -> tuple[DataItem, ...]:
        """Its projects."""
        return self.archive.manifest.contents

    @property
    def versions(self) -> Mapping[str, str]:
        """The OpenRefine that made it."""
        return self.archive.manifest.versions

    @property
    def consistency(self) -> Consistency:
        """What in it is of one moment."""
        return self.archive.manifest.consistency

    def unpack(self, items: Iterable[str], into: Path, watch: Watch) -> dict[str, Project]:
        """Put ``items`` into a workspace's folder, and compare each with what is told of it.

        Gives those that are projects. What is no project lies in :data:`as_files.PART` then.
        """
        bare = _table(self.archive.manifest.details.get(as_files.DETAILS))
        projects: dict[str, Project] = {}
        for item in items:
            if item in bare:
                self._put_files(item, bare[item], into, watch)
            else:
                projects[item] = self._unpack(item, into, watch)
        return projects

    def _put_files(self, item: str, told: Json, into: Path, watch: Watch) -> None:
        if item == as_files.OTHERS:
            place = into / as_files.PART
        elif _is_id(item) or GIVEN_UP.fullmatch(item):
            place = into / item if GIVEN_UP.fullmatch(item) else folder_in(into, item)
        else:
            raise damaged(say("a project that it tells of is not in it"))
        as_files.unpack_into(self.archive, item, told, place, watch)

    @property
    def bare(self) -> frozenset[str]:
        """The keys of what is in it as bare files."""
        return frozenset(_table(self.archive.manifest.details.get(as_files.DETAILS)))

    def _unpack(self, item: str, into: Path, watch: Watch) -> Project:
        told = _table(self.archive.manifest.details.get(PROJECTS)).get(item)
        name = _table(told).get("member")
        if not isinstance(name, str) or name not in self.archive.names or not _is_id(item):
            raise damaged(say("a project that it tells of is not in it"))
        part = into / f"part-{item}"
        part.mkdir()
        with self.archive.open(name) as file:
            found = Unpacker(part, watch).unpack(file, self.archive.bytes_of(name))
        if list(found.projects) != ["."]:
            raise damaged(say("a project in it is not packed as OpenRefine does it"))
        project = _settle(item, found.projects["."], into, watch)
        _clear(part)
        differing = _differences(_table(told), project.to_json())
        if differing:
            raise damaged(
                say(
                    "the project {name} has other {differing} than it tells of",
                    name=project.name,
                    differing=differing,
                )
            )
        return project

    def preferences(self) -> Preferences | None:
        """OpenRefine's settings, as they were."""
        if SETTINGS not in self.archive.names:
            return None
        if self.archive.bytes_of(SETTINGS) > metadatas.LARGEST:
            raise damaged(say("its settings are absurdly long"))
        with self.archive.open(SETTINGS) as file:
            return preferences_in(file.read())


@dataclass(frozen=True)
class ForeignProjects:
    """One or more project archives, or a whole workspace, that somebody has packed."""

    path: Path
    offset: int
    length: int
    contents: tuple[DataItem, ...]
    found_preferences: Preferences | None
    versions: Mapping[str, str] = field(default_factory=dict)
    consistency: Consistency = Consistency.QUIESCED
    whole: bool = False

    def unpack(self, items: Iterable[str], into: Path, watch: Watch) -> dict[str, Project]:
        """Put ``items`` into a workspace's folder."""
        wanted = set(items)
        part = into / "part"
        part.mkdir()
        with self.path.open("rb") as file:
            projects, _ = _unpack_all(file, self.offset, self.length, part, watch)
        kept = {
            item: _settle(item, project.data.parent, into, watch)
            for item, project in projects.items()
            if item in wanted
        }
        if kept.keys() != wanted:
            raise damaged(say("it is not the file any more that it was"))
        _clear(part)
        return kept

    def preferences(self) -> Preferences | None:
        """A workspace's settings."""
        return self.found_preferences


def open_foreign(
    path: Path, offset: int, length: int, into: Path, service: str, watch: Watch
) -> ForeignProjects:
    """See what is in a file, by unpacking all of it into ``into`` and reading each project.

    Raises UnsuitableError, OSError, WorkCancelledError.
    """
    with path.open("rb") as file:
        projects, found = _unpack_all(file, offset, length, into, watch)
    written_by = sorted({project.facts.written_by for project in projects.values()})
    settings = [preferences_in(path.read_bytes()) for path in found.workspaces.values()]
    return ForeignProjects(
        path,
        offset,
        length,
        tuple(project.item(service) for project in projects.values()),
        next((each for each in settings if each is not None), None),
        {"OpenRefine": ", ".join(written_by)},
    )


def _unpack_all(
    file: BinaryIO, offset: int, length: int, into: Path, watch: Watch
) -> tuple[dict[str, Project], Found]:
    view = cast("BinaryIO", io.BufferedReader(View(file, offset, length), 1 << 16))
    found = Unpacker(into, watch).unpack(view, length)
    refuse_empty(found)
    projects: dict[str, Project] = {}
    for place, folder in found.projects.items():
        item = _id_for(place, folder)
        if item in projects:
            raise damaged(say("it holds a project twice"))
        projects[item] = _prove(item, folder, watch)
    return projects, found


def _id_for(place: str, folder: Path) -> str:
    """A workspace's folders are called after their projects' ids; an archive tells none."""
    named = FOLDER.fullmatch(PurePosixPath(place).name)
    if named:
        return named[1]
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*")):
        if path.is_file():
            digest.update(path.name.encode() + b"\0" + _sum(path))
    return str(_FIRST_ID + int.from_bytes(digest.digest()[:8], "big") % _SPAN)


def _sum(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _prove(item: str, folder: Path, watch: Watch) -> Project:
    try:
        return prove(item, folder, watch)
    except BrokenProjectError as error:
        described = metadatas.read(folder / "metadata.json")
        if described and described.name:
            where = say("in the project {name}, {reason}", name=described.name, reason=error.reason)
        else:
            where = say("in the project, {reason}", reason=error.reason)
        raise damaged(where) from error


def _settle(item: str, folder: Path, workspace: Path, watch: Watch) -> Project:
    """Move a folder to where OpenRefine looks for the project, and prove it there."""
    place = folder_in(workspace, item)
    _sync(folder)
    folder.rename(place)
    return _prove(item, place, watch)


def _sync(folder: Path) -> None:
    for path in (*folder.glob("*"), *folder.glob(f"{HISTORY}/*"), folder / HISTORY, folder):
        if path.is_file() or path.is_dir():
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _clear(folder: Path) -> None:
    shutil.rmtree(folder)


def _differences(told: Mapping[str, Json], found: Mapping[str, Json]) -> str:
    """What is not as the manifest says, in words."""
    return told_of(key for key, value in found.items() if told.get(key) != value)


def _table(value: object) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def _is_id(item: str) -> bool:
    return re.fullmatch(r"[1-9]\d{0,18}", item) is not None


def wanted_items(contents: Iterable[DataItem], items: frozenset[str] | None) -> list[str]:
    """The ids to take of ``contents``. Raises UnsuitableError for those that are not there."""
    keys = [item.key for item in contents]
    if items is None:
        return keys
    unknown = sorted(items - set(keys))
    if unknown:
        raise UnsuitableError(
            say("There is no project {key} in this backup. Nothing was changed.", key=unknown[0]),
            say("Choose among the projects that it lists."),
        )
    return [key for key in keys if key in items]

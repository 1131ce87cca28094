"""A project as it lies in a folder, with all that belongs to it proven readable."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from ...models import Json
from ...models_backup import DataItem, ItemKind
from ...sentences import say
from .. import scratch
from ..watch import Watch
from ..zips import BROKEN, BrokenZipError, member, opened, read_to_end
from . import metadata as metadatas
from .facts import BrokenProjectError, Facts, facts_of
from .metadata import Metadata

FOLDER: Final = re.compile(r"([1-9]\d{0,18})\.project")
GIVEN_UP: Final = re.compile(r"([1-9]\d{0,18})\.project\.corrupted")
"""What OpenRefine calls a project's folder at its start where it can read nothing of it at all."""
DATA: Final = ("data.zip", "data.temp.zip", "data.old.zip")
"""In the order in which OpenRefine tries them."""
DESCRIPTIONS: Final = ("metadata.json", "metadata.temp.json", "metadata.old.json")
HISTORY: Final = "history"
IMPORTING: Final = f"{scratch.MARK}import"
"""Marks what is only being imported: OpenRefine unpacks it with the rest, and never exports it."""
CHANGE: Final = re.compile(r"\d{1,20}\.change\.zip")
_MOST_MEMBERS: Final = 16


@dataclass(frozen=True, slots=True)
class Project:
    """One project's files. ``steps`` are the changes its history speaks of, those that are whole.

    ``lost_steps`` counts those that are missing or broken: they cannot be undone or redone any
    more, in OpenRefine neither.
    """

    id: str
    metadata: Metadata
    facts: Facts
    data: Path
    description: Path | None
    steps: tuple[Path, ...]
    lost_steps: int
    bytes: int

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self.metadata.name or say("Project {id}", id=self.id)

    def item(self, service: str | None) -> DataItem:
        """For people to choose from."""
        return DataItem(
            key=self.id,
            service=service,
            kind=ItemKind.PROJECT,
            name=self.name,
            count=self.facts.rows,
            bytes=self.bytes,
            changed=self.metadata.modified or _written(self.data),
        )

    def to_json(self) -> dict[str, Json]:
        """For a manifest, to be compared with what comes out of the backup."""
        return {
            **self.facts.to_json(),
            "name": self.metadata.name,
            "tags": list(self.metadata.tags),
            "lost_steps": self.lost_steps,
        }


def ids_in(workspace: Path) -> list[str]:
    """The ids of all project folders in a workspace, oldest first. Raises OSError."""
    found = (FOLDER.fullmatch(entry.name) for entry in workspace.iterdir() if entry.is_dir())
    return sorted((match[1] for match in found if match), key=int)


def ids_there(workspace: Path) -> list[str]:
    """As :func:`ids_in`; none where there is no such folder. Raises OSError."""
    try:
        return ids_in(workspace)
    except FileNotFoundError:
        return []


def given_up_in(workspace: Path) -> list[str]:
    """The names of the folders that OpenRefine has put aside, with files in. Raises OSError."""
    try:
        names = [entry.name for entry in workspace.iterdir() if GIVEN_UP.fullmatch(entry.name)]
    except FileNotFoundError:
        return []
    return sorted(name for name in names if not is_nobodys(workspace / name))


def folder_in(workspace: Path, project: str) -> Path:
    """Where a project lies in a workspace."""
    return workspace / f"{project}.project"


def is_empty(folder: Path) -> bool:
    """Whether a folder has no data in it at all (OpenRefine makes one for any id it is asked)."""
    return not any((folder / name).exists() for name in DATA)


def is_nobodys(folder: Path) -> bool:
    """Whether no file is in a project's folder, or only what an import that was cut off left."""
    return not any(files for _, _, files in os.walk(folder)) or (folder / IMPORTING).exists()


def described(folder: Path) -> Metadata | None:
    """What can be read of a project in its folder, be its data what they may. Never raises."""
    return next(filter(None, (metadatas.read(folder / name) for name in DESCRIPTIONS)), None)


def prove(project: str, folder: Path, watch: Watch) -> Project:
    """Read all of a project, as OpenRefine would.

    Raises BrokenProjectError where none of its data can be read; OSError, WorkCancelledError.
    """
    data, facts = _data(folder, watch)
    steps, lost = _steps(folder, facts, watch)
    told = next(
        (
            (path, found)
            for path in (folder / name for name in DESCRIPTIONS)
            if (found := metadatas.read(path)) is not None
        ),
        None,
    )
    files = [data, *steps, *([told[0]] if told else [])]
    return Project(
        id=project,
        metadata=told[1] if told else Metadata(""),
        facts=facts,
        data=data,
        description=told[0] if told else None,
        steps=tuple(steps),
        lost_steps=lost,
        bytes=sum(path.stat().st_size for path in files),
    )


def _data(folder: Path, watch: Watch) -> tuple[Path, Facts]:
    broken: BrokenProjectError | None = None
    for path in (folder / name for name in DATA):
        try:
            return path, facts_of(path, watch)
        except FileNotFoundError:
            continue
        except BrokenProjectError as error:
            broken = broken or error
    raise broken or BrokenProjectError(say("it has no data"))


def _steps(folder: Path, facts: Facts, watch: Watch) -> tuple[list[Path], int]:
    steps: list[Path] = []
    lost = 0
    # OpenRefine draws their ids by chance: after a thousand edits, two may well share one, and so
    # their file.
    for step in dict.fromkeys((*facts.past, *facts.future)):
        path = folder / HISTORY / f"{step}.change.zip"
        if _is_whole(path, watch):
            steps.append(path)
        else:
            lost += 1
    return steps, lost


def _is_whole(path: Path, watch: Watch) -> bool:
    try:
        with path.open("rb") as file, opened(file, _MOST_MEMBERS) as archive:
            if "change.txt" not in archive.namelist():
                return False
            for info in archive.infolist():
                with member(archive, info) as reader:
                    read_to_end(reader, watch)
            return True
    except (FileNotFoundError, BrokenZipError, *BROKEN):
        return False


def _written(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)

"""When projects are sure to be what they were: by their files, which OpenRefine only replaces."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ..folder.tree import Thing
from . import as_files, survey
from .metadata import read_json
from .preferences import Preferences
from .project import DATA, DESCRIPTIONS, folder_in, given_up_in

_TOUCHED: Final = "modified"
"""Goes with the data, which are looked at themselves."""


@dataclass(slots=True)
class Moment:
    """How all of a workspace was: each project, those ``as_files`` file by file, and the rest."""

    projects: dict[str, object] = field(default_factory=dict)
    as_files: dict[str, object] = field(default_factory=dict)
    others: object = ()
    settings: dict[str, Any] = field(default_factory=dict)


def of_project(folder: Path) -> object:
    """What is another thing once the project in ``folder``, or a picture of it, was changed."""
    try:
        status = (folder / DATA[0]).stat()
        data = (status.st_ino, status.st_size, status.st_mtime_ns)
    except FileNotFoundError:
        data = None
    told = read_json(folder / DESCRIPTIONS[0]) or {}
    return data, {key: value for key, value in told.items() if key != _TOUCHED}


def of_files(some: Iterable[Thing]) -> object:
    """What is another thing once any of these was changed. Raises OSError."""
    found = []
    for thing in some:
        status = thing.path.lstat()
        noted = (status.st_ino, status.st_size, status.st_mtime_ns)
        found.append((thing.name, noted if thing.kind == "file" else thing.target))
    return tuple(found)


def of_settings(settings: Preferences | None) -> dict[str, Any]:
    """What in them anybody has set: OpenRefine adds lists with nothing in them by itself."""
    entries = settings.entries if settings else {}
    return {name: value for name, value in entries.items() if not _says_nothing(value)}


def at_rest(workspace: Path, taken: Moment) -> Moment:
    """How all of it is while nothing has it open, looked at as ``taken`` was. Raises OSError."""
    projects = survey.ids_with_files(workspace)
    bare = projects & taken.as_files.keys()
    aside = given_up_in(workspace)
    return Moment(
        {each: of_project(folder_in(workspace, each)) for each in projects - bare},
        {
            **{each: of_damaged(folder_in(workspace, each)) for each in bare},
            **{name: of_damaged(workspace / name) for name in aside},
        },
        of_files(as_files.others(workspace, bare, _pass)),
        of_settings(survey.preferences(workspace)),
    )


def of_damaged(folder: Path) -> object:
    """What is another thing once any file of a project that cannot be opened was changed.

    But for its description, which OpenRefine writes anew for having been asked. Raises OSError.
    """
    some = as_files.of_project(folder, _pass)
    return of_project(folder), of_files(each for each in some if each.name not in DESCRIPTIONS)


def _says_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, dict) and value.get("list") == [])


def _pass(_: str) -> None:
    """Nobody is told."""

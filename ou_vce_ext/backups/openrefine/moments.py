"""When projects are sure to be what they were: by their files, which OpenRefine only replaces."""

from __future__ import annotations

from pathlib import Path

from . import survey
from .metadata import read_json
from .preferences import Preferences
from .project import DATA, DESCRIPTIONS, folder_in

Moment = tuple[dict[str, object], Preferences | None]
_TOUCHED = "modified"
"""Goes with the data, which are looked at themselves."""


def of_project(folder: Path) -> object:
    """What is another thing once the project in ``folder``, or a picture of it, was changed."""
    try:
        status = (folder / DATA[0]).stat()
        data = (status.st_ino, status.st_size, status.st_mtime_ns)
    except FileNotFoundError:
        data = None
    told = read_json(folder / DESCRIPTIONS[0]) or {}
    return data, {key: value for key, value in told.items() if key != _TOUCHED}


def at_rest(workspace: Path) -> Moment:
    """How all of it is while nothing has it open. Raises OSError."""
    projects = survey.ids_with_data(workspace)
    return (
        {each: of_project(folder_in(workspace, each)) for each in projects},
        survey.preferences(workspace),
    )

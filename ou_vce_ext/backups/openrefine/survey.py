"""What lies in the projects folder, seen quickly: for previews, estimates and warnings."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from ...models_backup import DataItem, ItemKind
from ...sentences import say
from ..watch import Watch
from . import metadata as metadatas
from .facts import BrokenProjectError, glance
from .metadata import Metadata
from .preferences import Preferences, preferences_in
from .project import DATA, DESCRIPTIONS, HISTORY, folder_in, ids_in, is_empty
from .unpacking import WORKSPACES


def look(workspace: Path, service: str, watch: Watch) -> tuple[DataItem, ...]:
    """Each project with its rows and bytes; an unreadable one as well, without them."""
    return tuple(
        _item(project, folder_in(workspace, project), service, watch)
        for project in sorted(ids_with_data(workspace), key=int)
    )


def with_told(
    items: Iterable[DataItem], told: Mapping[str, Metadata], service: str
) -> tuple[DataItem, ...]:
    """Items with what OpenRefine tells and may not be on disk yet: names, times, new projects."""
    on_disk = {item.key: item for item in items}
    new = (
        DataItem(project, service, ItemKind.PROJECT, told[project].name)
        for project in sorted(told.keys() - on_disk.keys(), key=int)
    )
    return tuple(
        dataclasses.replace(
            item,
            name=told[item.key].name or item.name,
            changed=told[item.key].modified or item.changed,
        )
        if item.key in told
        else item
        for item in (*on_disk.values(), *new)
    )


def size(workspace: Path) -> int | None:
    """Bytes of all projects' files, or None where they cannot be looked at."""
    try:
        return sum(_bytes(folder_in(workspace, project)) for project in _ids(workspace))
    except OSError:
        return None


def state(workspace: Path) -> object:
    """Something that is another thing once any project was saved, made or deleted."""
    try:
        return tuple(
            (project, _moment(folder_in(workspace, project))) for project in _ids(workspace)
        )
    except OSError:
        return None


def ids_with_data(workspace: Path) -> set[str]:
    """The ids of the projects of which there is more than an empty folder."""
    return {each for each in _ids(workspace) if not is_empty(folder_in(workspace, each))}


def preferences(workspace: Path) -> Preferences | None:
    """OpenRefine's settings, from the first file that can be read, as OpenRefine does it."""
    for name in WORKSPACES:
        try:
            found = preferences_in((workspace / name).read_bytes())
        except OSError:
            continue
        if found is not None:
            return found
    return None


def _ids(workspace: Path) -> list[str]:
    try:
        return ids_in(workspace)
    except FileNotFoundError:
        return []


def _item(project: str, folder: Path, service: str, watch: Watch) -> DataItem:
    told = next(filter(None, (metadatas.read(folder / name) for name in DESCRIPTIONS)), None)
    rows: int | None = None
    for name in DATA:
        try:
            rows = glance(folder / name, watch).rows
            break
        except (BrokenProjectError, FileNotFoundError):
            continue
    return DataItem(
        key=project,
        service=service,
        kind=ItemKind.PROJECT,
        name=(told.name if told else "") or say("Project {id}", id=project),
        count=rows,
        bytes=_bytes(folder),
        changed=(told.modified if told else None) or _saved(folder),
    )


def _saved(folder: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp((folder / DATA[0]).stat().st_mtime, UTC)
    except OSError:
        return None


def _moment(folder: Path) -> tuple[int, ...]:
    times = []
    for name in (DATA[0], DESCRIPTIONS[0]):
        try:
            status = (folder / name).stat()
            times += [status.st_ino, status.st_mtime_ns]
        except FileNotFoundError:
            times.append(0)
    return tuple(times)


def _bytes(folder: Path) -> int:
    total = 0
    for path in (*folder.glob("*"), *(folder / HISTORY).glob("*")):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            # Replaced while we looked.
            continue
    return total

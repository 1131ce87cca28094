"""What lies in the projects folder, seen quickly: for previews, estimates and warnings."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Set
from datetime import UTC, datetime
from pathlib import Path

from ...models_backup import DataItem, ItemKind
from ..watch import Watch
from . import as_files
from .facts import BrokenProjectError, glance
from .metadata import Metadata
from .preferences import Preferences, preferences_in
from .project import (
    DATA,
    DESCRIPTIONS,
    GIVEN_UP,
    HISTORY,
    described,
    folder_in,
    given_up_in,
    ids_there,
    is_empty,
    is_nobodys,
    prove,
)
from .unpacking import WORKSPACES


def look(workspace: Path, service: str, watch: Watch) -> tuple[DataItem, ...]:
    """Each project with its rows and bytes; one that cannot be read as well, as damaged."""
    projects = sorted(ids_with_files(workspace), key=int)
    folders = {each: folder_in(workspace, each) for each in projects}
    folders |= {name: workspace / name for name in given_up_in(workspace)}
    return tuple(_item(key, folder, service, watch) for key, folder in folders.items())


def count_others(workspace: Path) -> int:
    """How many files there are that are no project's. Raises OSError."""
    others = as_files.others(workspace, (), lambda _: None, packed=False)
    return sum(thing.kind != "folder" for thing in others)


def with_told(
    items: Iterable[DataItem], told: Mapping[str, Metadata], in_memory: Set[str], service: str
) -> tuple[DataItem, ...]:
    """Items with what OpenRefine tells and may not be on disk yet: names, times, new projects.

    The data of those ``in_memory`` are there, whatever is on the disk.
    """
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
            damaged=item.damaged and item.key not in in_memory,
        )
        if item.key in told
        else item
        for item in (*on_disk.values(), *new)
    )


def size(workspace: Path) -> int | None:
    """Bytes of all files, or None where they cannot be looked at."""
    try:
        projects = sum(_bytes(folder_in(workspace, each)) for each in ids_there(workspace))
        others = as_files.others(workspace, (), lambda _: None)
        return projects + sum(thing.bytes for thing in others)
    except OSError:
        return None


def state(workspace: Path) -> object:
    """Something that is another thing once any project was saved, made or deleted."""
    try:
        return tuple(
            (project, _moment(folder_in(workspace, project))) for project in ids_there(workspace)
        )
    except OSError:
        return None


def ids_with_data(workspace: Path) -> set[str]:
    """The ids of the projects of which there is more than an empty folder."""
    return {each for each in ids_there(workspace) if not is_empty(folder_in(workspace, each))}


def ids_with_files(workspace: Path) -> set[str]:
    """The ids of the projects of which there is anything. Raises OSError."""
    return {each for each in ids_there(workspace) if not is_nobodys(folder_in(workspace, each))}


def whole_but_for(workspace: Path, listed: Set[str]) -> set[str]:
    """The projects that are whole, without those ``listed``. Raises OSError."""
    return {each for each in ids_with_data(workspace) - listed if _is_whole(workspace, each)}


def _is_whole(workspace: Path, project: str) -> bool:
    try:
        prove(project, folder_in(workspace, project), Watch())
    except BrokenProjectError:
        return False
    return True


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


def _item(project: str, folder: Path, service: str, watch: Watch) -> DataItem:
    told = described(folder)
    rows: int | None = None
    for name in DATA if not GIVEN_UP.fullmatch(folder.name) else ():
        try:
            rows = glance(folder / name, watch).rows
            break
        except (BrokenProjectError, FileNotFoundError):
            continue
    return DataItem(
        key=project,
        service=service,
        kind=ItemKind.PROJECT,
        name=(told.name if told else "") or as_files.unnamed(project),
        count=rows,
        bytes=_bytes(folder),
        changed=(told.modified if told else None) or _saved(folder),
        damaged=rows is None,
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

"""A project put beside those that are there, under a name of its own, by OpenRefine's own import.

What is imported has a mark in it until all is well, by which a half import is known after any cut.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

from ...errors import BadRequestError, ConflictError, UnsuitableError, VceError
from ...sentences import say
from ...services.private_files import write_private
from .. import places, room
from ..job import to_the_end
from ..strategy import Source
from ..threads import in_thread, to_its_end
from ..watch import Watch
from .live import CannotOpenError, Live
from .metadata import read_json
from .packing import pack
from .project import IMPORTING, Project, folder_in, ids_in
from .source import WORKSPACE, ForeignProjects, OwnBackup, wanted_items

_LONGEST_NAME: Final = 200
_A_MOMENT: Final = 1.5
"""Seconds that whoever cancels an import waits for OpenRefine to come to its end."""
_TRIES: Final = 3
_HARDLY_ANY: Final = 1024 * 1024
"""Bytes: with less than this free it is the disk that is at fault, and not the file."""
_undoing: Final[set[asyncio.Task[None]]] = set()


def choose(source: Source, items: frozenset[str] | None) -> str:
    """The one project that is to be loaded. Raises BadRequestError where it is not one."""
    wanted = wanted_items(source.contents, items)
    bare = source.bare if isinstance(source, OwnBackup) else frozenset()
    if items is None:
        wanted = [item for item in wanted if item not in bare] or wanted
    if len(wanted) != 1:
        raise BadRequestError(
            say(
                "One project can have one new name, and {count} were chosen. Nothing was done.",
                count=len(wanted),
            ),
            say("Choose one project of this backup."),
        )
    if wanted[0] in bare:
        raise BadRequestError(
            say(
                "OpenRefine could not open this when it was backed up, so that it is in the backup "
                "as bare files, which cannot go under a new name. Nothing was done."
            ),
            say("Restore it in its old place, or take it out of the backup's file: that is a tar."),
        )
    return wanted[0]


def check_name(name: str) -> str:
    """The name without blanks around it. Raises BadRequestError where it cannot be one."""
    tidy = name.strip()
    if not tidy or len(tidy) > _LONGEST_NAME or not tidy.isprintable():
        raise BadRequestError(
            say("This cannot be the name of a project. Nothing was done."),
            say("Use one line of 1 to {most} characters.", most=_LONGEST_NAME),
        )
    return tidy


async def load(
    live: Live,
    workspace: Path,
    source: OwnBackup | ForeignProjects,
    item: str,
    name: str,
    watch: Watch,
) -> None:
    """Import ``item`` as ``name``. Raises VceError, with everything as it was before."""
    # Nobody else works on this service now: whatever has the mark is left over.
    await _undone(workspace)
    await take_back(live, workspace)
    if name in {told.name for told in (await live.projects()).values()}:
        raise ConflictError(
            say("There is a project called {name} already. Nothing was changed.", name=name),
            say("Choose another name for it."),
        )
    place = places.new_place(workspace)
    try:
        watch.step(say("Unpacking the project"))
        await in_thread(watch, places.make, place)
        project = (await in_thread(watch, source.unpack, [item], place, watch))[item]
        archive = place / "project.tar.gz"
        await in_thread(watch, _pack, project, name, archive, watch)
        watch.step(say("OpenRefine imports it as {name}", name=name))
        await _import(live, workspace, project, name, archive)
    finally:
        # Who cancels only now has come too late: it is there, whole.
        await to_the_end(asyncio.to_thread(places.remove, place))


async def _import(live: Live, workspace: Path, project: Project, name: str, archive: Path) -> None:
    importing = asyncio.ensure_future(live.import_archive(archive))
    try:
        made = await asyncio.shield(importing)
    except CannotOpenError as error:
        full = await asyncio.to_thread(_full, workspace)
        await take_back(live, workspace)
        raise full or _refused(project) from error
    except BaseException:
        await _break_off(live, workspace, importing)
        raise
    try:
        listed = (await live.projects()).get(made)
        if listed is None or listed.name != name or await live.compare(made, project.facts):
            raise await asyncio.to_thread(_full, workspace) or _refused(project)
        await to_its_end((folder_in(workspace, made) / IMPORTING).unlink)
    except CannotOpenError as error:
        full = await asyncio.to_thread(_full, workspace)
        await take_back(live, workspace, made)
        raise full or _refused(project) from error
    except BaseException:
        # The mark may be gone by now: who cancels a moment too late has it undone all the same.
        await take_back(live, workspace, made)
        raise


async def _break_off(live: Live, workspace: Path, importing: asyncio.Future[str]) -> None:
    """Have nothing of an import there that is on its way.

    What has been sent whole OpenRefine goes on with, even when nobody waits for the answer. So the
    end of it is waited for, and then it is deleted: if need be when the work is over.
    """

    async def undo() -> None:
        made = None
        with suppress(Exception):
            made = await importing
        await take_back(live, workspace, made)

    undoing = asyncio.create_task(undo(), name=str(workspace))
    _undoing.add(undoing)
    undoing.add_done_callback(_undoing.discard)
    await asyncio.wait({undoing}, timeout=_A_MOMENT)


async def _undone(workspace: Path) -> None:
    """Wait for what is still to be undone in a workspace."""
    if going_on := {task for task in _undoing if task.get_name() == str(workspace)}:
        await asyncio.wait(going_on)


async def take_back(live: Live | None, workspace: Path, made: str | None = None) -> None:
    """Delete ``made``, and each project whose import was cut off: it still has the mark."""
    marked = await asyncio.to_thread(_marked, workspace)
    for project in {*marked, made} if made else marked:
        if live is not None and not await _deleted(live, project):
            # Without its folder it would go on being listed: it is found again by its mark.
            with suppress(OSError):
                await asyncio.to_thread((folder_in(workspace, project) / IMPORTING).touch)
            continue
        await asyncio.to_thread(_delete, workspace, project, live is None)


async def _deleted(live: Live, project: str) -> bool:
    for _ in range(_TRIES):
        with suppress(VceError):
            await live.delete(project)
            return True
    # What it does not know, having broken off itself, it cannot delete either.
    with suppress(VceError):
        return project not in await live.projects()
    return False


def _full(workspace: Path) -> VceError | None:
    """That the disk is full, where OpenRefine may have failed for that."""
    try:
        if room.free_bytes(workspace) >= _HARDLY_ANY:
            return None
    except OSError:
        return None
    return room.explained(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), say("the data"))


def _marked(workspace: Path) -> list[str]:
    try:
        return [
            each for each in ids_in(workspace) if (folder_in(workspace, each) / IMPORTING).exists()
        ]
    except OSError:
        return []


def _delete(workspace: Path, project: str, at_rest: bool) -> None:
    """What of it OpenRefine has not deleted itself."""
    if at_rest:
        with suppress(OSError):
            _unlist(workspace / WORKSPACE, project)
    folder = folder_in(workspace, project)
    if folder.exists():
        doomed = places.new_place(workspace)
        with suppress(OSError):
            folder.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)


def _unlist(listing: Path, project: str) -> None:
    """OpenRefine would go on listing a project without a name."""
    listed = read_json(listing)
    ids = (listed or {}).get("projectIDs")
    if listed and isinstance(ids, list) and int(project) in ids:
        listed["projectIDs"] = [each for each in ids if each != int(project)]
        write_private(listing, json.dumps(listed, ensure_ascii=False).encode())


def _pack(project: Project, name: str, archive: Path, watch: Watch) -> None:
    described = read_json(project.description) if project.description else None
    description = json.dumps({**(described or {}), "name": name}, ensure_ascii=False).encode()
    with archive.open("xb") as file:
        pack(project, file, watch, description, mark=IMPORTING)


def _refused(project: Project) -> UnsuitableError:
    return UnsuitableError(
        say(
            "OpenRefine cannot import the project {name} as it is. Your projects are as they were.",
            name=project.name,
        ),
        say(
            "If it was made by a newer OpenRefine, ask for an update of this environment; "
            "else use another backup."
        ),
    )

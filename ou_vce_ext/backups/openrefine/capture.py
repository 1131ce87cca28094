"""Each project, proven to be on disk as OpenRefine has it in memory.

OpenRefine hides that it could not save. So what its files say is compared with what it says itself.
It is silent as well about a project whose files it cannot read: that is found by its folder.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from ...errors import VceError
from ...sentences import say
from ...sizes import in_words
from ..threads import in_thread
from ..watch import Watch
from .as_files import Damaged
from .facts import BrokenProjectError
from .live import CannotOpenError, Live, Steps
from .metadata import Metadata
from .project import DATA, Project, described, folder_in, given_up_in, ids_there, is_nobodys, prove
from .snapshot import take_picture

_TRIES: Final = 8
_PAUSE: Final = 0.25
_INSISTS_AFTER: Final = 3
"""Tries. Where the disk was full for a moment during a save, OpenRefine has left out what it could
not write, and takes the project for saved: it saves again only what counts as changed."""
_FORGETS_AFTER: Final = 1_200.0
"""Seconds: a project that nothing was done with for so long OpenRefine has put out of memory."""
_SURELY_LATER: Final = 2.0
_NEARLY_FULL: Final = 20_000_000
_JUST_NOW: Final = 10.0
"""Seconds."""


Seen = tuple[Steps, ...]


class Capture:
    """Goes through the projects of a workspace; each is a picture in ``into`` until the next.

    ``live`` is None where OpenRefine does not run.
    """

    def __init__(self, workspace: Path, live: Live | None, into: Path, watch: Watch) -> None:
        self._workspace = workspace
        self._live = live
        self._into = into
        self._watch = watch

    async def projects(self) -> AsyncIterator[Project | Damaged]:
        """Each project, also those that OpenRefine does not list for what is wrong with them.

        Raises VceError where one is not saved; OSError.
        """
        ids = set(await asyncio.to_thread(ids_there, self._workspace))
        if self._live is not None:
            ids |= (await self._live.projects()).keys()
        for project in sorted(ids, key=int):
            picture = folder_in(self._into, project)
            captured = await self._capture(project, picture)
            if captured is not None:
                yield captured
            await in_thread(self._watch, shutil.rmtree, picture, ignore_errors=True)
        for name in await asyncio.to_thread(given_up_in, self._workspace):
            folder = self._workspace / name
            told = await asyncio.to_thread(described, folder)
            called = told.name if told else ""
            yield Damaged(name, called, folder, say("OpenRefine has put it aside"))

    async def _capture(self, project: str, picture: Path) -> Project | Damaged | None:
        last: VceError | Damaged = _moving(project, None)
        for count in range(_TRIES):
            if count:
                await asyncio.sleep(count * _PAUSE)
                await in_thread(self._watch, shutil.rmtree, picture, ignore_errors=True)
            found = await self._try(project, picture, count)
            if found is None or isinstance(found, Project):
                return found
            last = found
            # What OpenRefine is just making is whole a moment later; at rest nothing changes.
            if isinstance(found, Damaged) and (self._live is None or count >= _INSISTS_AFTER):
                return found
        if isinstance(last, VceError):
            raise last
        return last

    async def _try(
        self, project: str, picture: Path, count: int
    ) -> Project | Damaged | VceError | None:
        """The project, or its files; None where there is none; else why it is to be tried again."""
        watch, folder = self._watch, folder_in(self._workspace, project)
        told: Metadata | None = None
        steps: Seen | None = None
        trouble: VceError | None = None
        if self._live is not None:
            told = (await self._live.projects()).get(project)
        if told is not None and self._live is not None:
            try:
                if count >= _INSISTS_AFTER and self._has_room():
                    await self._live.touch(project, told)
                steps = await self._saved_steps(self._live, project, told)
            except CannotOpenError:
                trouble = _cannot_open(told)
        lost = told is None or (trouble is not None and count > 0)
        if lost and await asyncio.to_thread(is_nobodys, folder):
            # What is in memory is never lost, however empty its folder is.
            return None
        running = told is not None
        if not await in_thread(watch, take_picture, folder, picture, watch, running=running):
            return _moving(project, told)
        try:
            found = await in_thread(watch, prove, project, picture, watch)
        except BrokenProjectError as error:
            if told and self._live and trouble is None and await opens(self._live, project):
                # In memory it is whole.
                return self._not_saved(told)
            if told is None and self._live and await asyncio.to_thread(_is_fresh, folder):
                # An import that is unpacked just now is not listed before all of it is there.
                return _moving(project, None)
            known = told or await asyncio.to_thread(described, folder)
            return Damaged(project, known.name if known else "", folder, error.reason)
        if trouble is None and told and not _is_as_told(found, told, steps):
            trouble = self._not_saved(told)
        return trouble or found

    async def _saved_steps(self, live: Live, project: str, told: Metadata) -> Seen | None:
        """Have it saved; its history in memory before and after. None: its files alone will do.

        What was last changed long ago, and is on disk since, is not loaded into memory for this.
        """
        data = folder_in(self._workspace, project) / DATA[0]
        if await asyncio.to_thread(_is_settled, data, told):
            return None
        before = await live.steps(project)
        await live.save(project)
        return (before, await live.steps(project))

    def _has_room(self) -> bool:
        return self._free() >= _NEARLY_FULL

    def _free(self) -> int:
        try:
            return shutil.disk_usage(self._workspace).free
        except OSError:
            return 0

    def _not_saved(self, told: Metadata) -> VceError:
        free = self._free()
        if free < _NEARLY_FULL:
            return VceError(
                "disk-full",
                say(
                    "OpenRefine could not save the project {name}: the disk is full ({size} are "
                    "free). There is no backup of this moment; the backups you have are as they "
                    "were.",
                    name=told.name,
                    size=in_words(free),
                ),
                say(
                    "Do not stop OpenRefine now. Delete large files you do not need, empty the "
                    "bin, then back up once more."
                ),
            )
        return VceError(
            "data-unwritable",
            say(
                "OpenRefine has not saved the last changes to the project {name}, though it "
                "was asked to. There is no backup of this moment; the backups you have are as "
                "they were.",
                name=told.name,
            ),
            say(
                "Make any small change to that project in OpenRefine, wait a minute, then back "
                "up once more."
            ),
        )


async def opens(live: Live, project: str) -> bool:
    """Whether OpenRefine can open a project. Raises VceError."""
    try:
        await live.steps(project)
    except CannotOpenError:
        return False
    return True


def _is_fresh(folder: Path) -> bool:
    """Whether anything was written into a folder just now. Blocks; never raises."""
    since = time.time() - _JUST_NOW
    with suppress(OSError):
        return any(path.lstat().st_ctime > since for path in folder.rglob("*"))
    return True


def _is_settled(data: Path, told: Metadata) -> bool:
    if told.modified is None:
        return False
    modified = told.modified.timestamp()
    try:
        written = data.stat().st_mtime
    except OSError:
        return False
    return written > modified + _SURELY_LATER and time.time() > modified + _FORGETS_AFTER


def _is_as_told(found: Project, told: Metadata, steps: Seen | None) -> bool:
    """Whether what is on disk is what was in memory at one moment since the backup began."""
    if steps is not None and (found.facts.past, found.facts.future) not in steps:
        return False
    return (found.metadata.name, found.metadata.tags) == (told.name, told.tags)


def _moving(project: str, told: Metadata | None) -> VceError:
    return VceError(
        "conflict",
        say(
            "The project {name} was being written to all the time, so that no backup of "
            "it could be taken. The backups you have are as they were.",
            name=told.name if told else project,
        ),
        say("Wait until OpenRefine has finished what it is doing, then back up once more."),
    )


def _cannot_open(told: Metadata) -> VceError:
    return VceError(
        "data-corrupt",
        say(
            "OpenRefine cannot open the project {name}. There is no backup of this moment; "
            "your other projects and the backups you have are as they were.",
            name=told.name,
        ),
        say(
            "See in OpenRefine whether {name} opens. If it is too large for the memory "
            "that OpenRefine may use, have `memory` raised in this service's declaration; "
            "else delete the project, and back up once more.",
            name=told.name,
        ),
    )

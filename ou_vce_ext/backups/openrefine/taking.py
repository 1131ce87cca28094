"""Taking a backup of OpenRefine: what it opens as its own archives, all else as bare files."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ...models import Json
from ...models_backup import Consistency, DataItem
from ..folder.tree import Sum, Thing
from ..strategy import Taken
from ..threads import in_thread
from ..watch import Watch
from ..writer import ArchiveWriter
from . import as_files, moments, survey
from .as_files import Damaged
from .capture import Capture
from .live import Live
from .packing import SUFFIX, pack
from .preferences import workspace as listing
from .project import Project, folder_in
from .source import PROJECTS, SETTINGS

_LONGEST_NAME: Final = 50


class Taking:
    """One backup of ``workspace`` on its way into ``archive``; pictures are made in ``place``."""

    def __init__(
        self, service: str, workspace: Path, place: Path, archive: ArchiveWriter, watch: Watch
    ) -> None:
        self._service = service
        self._workspace = workspace
        self._place = place
        self._archive = archive
        self._watch = watch
        self._contents: list[DataItem] = []
        self._told: dict[str, Json] = {}
        self._bare: dict[str, Json] = {}
        self.moment = moments.Moment()
        """How the data were when they were taken."""

    async def take(self, live: Live | None) -> Taken:
        """Write all of it. Raises VceError, OSError."""
        watch, capture = self._watch, Capture(self._workspace, live, self._place, self._watch)
        async for found in capture.projects():
            if isinstance(found, Damaged):
                await in_thread(watch, self._damaged, found)
            else:
                picture = folder_in(self._place, found.id)
                seen = await asyncio.to_thread(moments.of_project, picture)
                self.moment.projects[found.id] = seen
                await in_thread(watch, self._project, found)
        await in_thread(watch, self._others)
        settings = await asyncio.to_thread(survey.preferences, self._workspace)
        if settings is not None:
            await in_thread(watch, self._archive.add, SETTINGS, listing(self._told, settings))
        self.moment.settings = moments.of_settings(settings)
        details: dict[str, Json] = {PROJECTS: self._told}
        if self._bare:
            details[as_files.DETAILS] = self._bare
        return Taken(tuple(self._contents), Consistency.QUIESCED, details=details)

    def _project(self, project: Project) -> None:
        name = member_name(project.name, project.id, SUFFIX)
        with self._archive.member(name) as member:
            pack(project, member, self._watch)
        self._contents.append(project.item(self._service))
        self._told[project.id] = {**project.to_json(), "member": name}

    def _damaged(self, project: Damaged) -> None:
        found = Sum()
        seen = moments.of_damaged(project.folder)
        some = as_files.of_project(project.folder, found.left_out.append)
        name = member_name(project.name, project.key, as_files.SUFFIX)
        self._bare[project.key] = {**self._pack(name, some, found), "reason": str(project.reason)}
        self._contents.append(project.item(self._service, found))
        self.moment.as_files[project.key] = seen

    def _others(self) -> None:
        found, bare = Sum(), self._bare.keys()

        def all_others() -> Iterator[Thing]:
            return as_files.others(self._workspace, bare, found.left_out.append)

        self.moment.others = moments.of_files(all_others())
        if all(thing.kind == "folder" for thing in all_others()):
            return
        found.left_out.clear()
        self._bare[as_files.OTHERS] = self._pack(as_files.MEMBER, all_others(), found)
        self._contents.append(as_files.others_item(self._service, found))

    def _pack(self, name: str, some: Iterator[Thing], found: Sum) -> dict[str, Json]:
        return as_files.pack(self._archive, name, some, found, self._watch)


def member_name(name: str, project: str, suffix: str) -> str:
    """What a project is called in a backup, for people who open it without us."""
    readable = re.sub(r"[^\w.-]+", "-", name).strip(".-")
    # So that it fits into the header of a tar, which is what shows whose the file is.
    while len(readable.encode()) > _LONGEST_NAME:
        readable = readable[:-1]
    return f"{PROJECTS}/{readable or 'project'}-{project}{suffix}"

"""OpenRefine's backups: its projects, each as OpenRefine's own project archive."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final

from ...drivers.base import Driver
from ...drivers.lock_file import lock_is_free
from ...drivers.openrefine.driver import OpenRefineDriver
from ...drivers.openrefine.folder import lock_file_for
from ...errors import UnsuitableError, VceError
from ...models import Json
from ...models_backup import Consistency, DataItem
from ...sentences import say
from ...services.private_files import sync_folder, write_private
from .. import places, scratch
from ..manifest import NAME as MANIFEST
from ..reader import Archive
from ..strategy import Built, Layer, Source, Strategy, Taken
from ..threads import in_thread, to_its_end
from ..watch import Watch
from ..writer import ArchiveWriter
from . import beside, moments, seeds, survey
from .capture import Capture
from .live import Live
from .packing import SUFFIX, pack
from .preferences import Preferences, workspace
from .project import Project, folder_in
from .source import (
    KIND,
    SETTINGS,
    WORKSPACE,
    ForeignProjects,
    OwnBackup,
    open_foreign,
    wanted_items,
)
from .trial import try_out

_PROJECTS: Final = "projects"
_LONGEST_NAME: Final = 50


class OpenRefineStrategy(Strategy):
    """One OpenRefine's projects. Its files are what counts, whether it runs or not."""

    kind: ClassVar[str] = KIND
    needs_running: ClassVar[bool] = False

    def __init__(self, driver: Driver) -> None:
        super().__init__(driver)
        if not isinstance(driver, OpenRefineDriver):
            raise TypeError("this is for OpenRefine alone")
        self._openrefine: OpenRefineDriver = driver
        self._seen: object = None

    @property
    def _workspace(self) -> Path:
        return self.driver.site.data_dir

    async def _live(self) -> Live | None:
        """The OpenRefine that has the projects open, or None where none has."""
        free = await asyncio.to_thread(lock_is_free, lock_file_for(self._workspace))
        return None if free else Live(self._openrefine)

    # -- looking ---------------------------------------------------------------------------------

    async def look(self) -> tuple[DataItem, ...]:
        """Each project, from its files; the name from OpenRefine, where it runs."""
        watch = Watch()
        items = await in_thread(watch, survey.look, self._workspace, self.driver.spec.name, watch)
        live = await self._live()
        told = await live.projects() if live else {}
        return survey.with_told(items, told, self.driver.spec.name)

    async def estimate(self) -> int | None:
        """The bytes of the projects' files: they are packed already."""
        return await asyncio.to_thread(survey.size, self._workspace)

    def becomes(self) -> str:
        """What a reset leads to."""
        return seeds.in_words(self.driver.spec)

    async def changed(self) -> bool | None:
        """Whether any project was saved, made or deleted since this was asked before."""
        before, self._seen = self._seen, await asyncio.to_thread(survey.state, self._workspace)
        if before is None or self._seen is None:
            return None
        return before != self._seen

    # -- backing up ------------------------------------------------------------------------------

    async def take(self, archive: ArchiveWriter, watch: Watch) -> Taken:
        """Each project, proven saved, and the settings."""
        live = await self._live()
        watch.step(say("Saving and packing projects"), await self.estimate())
        contents: list[DataItem] = []
        told: dict[str, Json] = {}
        details: dict[str, Json] = {_PROJECTS: told}
        seen: dict[str, object] = {}
        settings: Preferences | None = None
        place = places.new_place(self._workspace)
        try:
            if await asyncio.to_thread(self._workspace.is_dir):
                await asyncio.to_thread(places.make, place)
                capture = Capture(self._workspace, live, place, watch)
                async for project in capture.projects():
                    name = member_name(project)
                    picture = folder_in(place, project.id)
                    seen[project.id] = await asyncio.to_thread(moments.of_project, picture)
                    await in_thread(watch, _pack, archive, name, project, watch)
                    contents.append(project.item(self.driver.spec.name))
                    told[project.id] = {**project.to_json(), "member": name}
                if capture.without_data:
                    details["without_data"] = list(capture.without_data)
                settings = await asyncio.to_thread(survey.preferences, self._workspace)
                if settings is not None:
                    await in_thread(watch, archive.add, SETTINGS, workspace(told, settings))
        finally:
            await to_its_end(lambda: places.remove(place))
        self.moment = (seen, settings)
        return Taken(tuple(contents), Consistency.QUIESCED, details=details)

    async def moved_on(self, moment: object) -> bool:
        """By the files, as OpenRefine has left them."""
        try:
            return await asyncio.to_thread(moments.at_rest, self._workspace) != moment
        except OSError:
            return True

    # -- reading ---------------------------------------------------------------------------------

    async def open(
        self, path: Path, filename: str, *, offset: int = 0, length: int | None = None
    ) -> Source:
        """A backup of ours, a project archive, several, or a whole workspace that was packed."""
        watch = Watch()
        return await in_thread(watch, self._open, path, offset, length, watch)

    def _open(self, path: Path, offset: int, length: int | None, watch: Watch) -> Source:
        size = path.stat().st_size - offset if length is None else length
        archive = own(path, offset, size)
        if archive is not None:
            archive.check(watch)
            return OwnBackup(archive)
        with places.passing(self._workspace) as place:
            return open_foreign(path, offset, size, place, self.driver.spec.name, watch)

    # -- building --------------------------------------------------------------------------------

    async def build(self, layers: Sequence[Layer], watch: Watch, *, keep: bool) -> Built | None:
        """A new workspace of the layers' projects, each opened by an OpenRefine of its own."""
        place = places.new_place(self._workspace)
        try:
            watch.step(say("Unpacking projects"), _bytes_of(layers))
            projects = await in_thread(watch, self._unpack, layers, place, watch)
            if projects:
                await try_out(self._openrefine, projects, watch)
        except BaseException:
            await to_its_end(lambda: places.remove(place))
            raise
        if not keep:
            await to_its_end(lambda: places.remove(place))
            return None
        return Built(place, self._workspace)

    def _unpack(self, layers: Sequence[Layer], place: Path, watch: Watch) -> dict[str, Project]:
        places.make(place)
        if not layers:
            return self._sow(place, watch)
        sources = [(_ours(layer.source), layer.items) for layer in layers]
        wanted = [wanted_items(source.contents, items) for source, items in sources]
        projects: dict[str, Project] = {}
        settings: Preferences | None = None
        for number, (source, items) in enumerate(sources):
            later = {item for each in wanted[number + 1 :] for item in each}
            chosen = [item for item in wanted[number] if item not in later]
            projects |= source.unpack(chosen, place, watch)
            found = source.preferences()
            if found is not None and (settings is None or items is None):
                settings = found
        return self._finish(place, projects, settings)

    def _sow(self, place: Path, watch: Watch) -> dict[str, Project]:
        """The declared fresh state."""
        projects: dict[str, Project] = {}
        settings: Preferences | None = None
        for path in seeds.files(self.driver.spec):
            source = seeds.open_seed(path, place / "seed", self.driver.spec.name, watch)
            projects |= source.unpack([item.key for item in source.contents], place, watch)
            settings = settings or source.preferences()
        return self._finish(place, projects, settings)

    def _finish(
        self, place: Path, projects: dict[str, Project], settings: Preferences | None
    ) -> dict[str, Project]:
        write_private(place / WORKSPACE, workspace(projects, settings))
        places.take_after(place, self._workspace)
        sync_folder(place)
        return projects

    async def load_beside(
        self, source: Source, items: frozenset[str] | None, name: str, watch: Watch
    ) -> None:
        """Import one project under another name; those that are there stay as they are."""
        item = beside.choose(source.contents, items)
        tidy = beside.check_name(name)
        live = Live(self._openrefine)
        await beside.load(live, self._workspace, _ours(source), item, tidy, watch)

    async def check_live(self) -> None:
        """See that it lists the projects that are there."""
        there = await asyncio.to_thread(survey.ids_with_data, self._workspace)
        missing = there - (await Live(self._openrefine).projects()).keys()
        if missing:
            raise VceError(
                "data-corrupt",
                say(
                    "OpenRefine does not list {count} of the projects that were put there.",
                    count=len(missing),
                ),
                say("Show this to your tutor."),
            )

    async def clean(self) -> None:
        """Remove the folders that calls that were cut off have left."""
        await asyncio.to_thread(self._clean)
        await beside.take_back(await self._live(), self._workspace)

    def _clean(self) -> None:
        for place in places.left_behind(self._workspace):
            places.remove(place)
        scratch.clear(self.driver.site)


def own(path: Path, offset: int, length: int) -> Archive | None:
    """The backup of ours in a file; None where it is none of ours.

    Raises UnsuitableError where it is of another service, or is ours and broken.
    """
    with path.open("rb") as file:
        file.seek(offset)
        head = file.read(512)
    if not looks_like_ours(head):
        return None
    archive = Archive(path, offset=offset, length=length)
    if archive.manifest.kind != KIND:
        raise UnsuitableError(
            say(
                "This is a backup of {title}, not of OpenRefine. Nothing was changed.",
                title=archive.manifest.title,
            ),
            say("Restore it from the list of that service's backups."),
        )
    return archive


def looks_like_ours(head: bytes) -> bool:
    """Whether a tar's first header is one that our backups of OpenRefine begin with."""
    name = head[:100].split(b"\0")[0].decode("utf-8", "replace")
    ours = name.startswith(f"{_PROJECTS}/") and name.endswith(SUFFIX)
    return head[257:262] == b"ustar" and (ours or name in (SETTINGS, MANIFEST))


def member_name(project: Project) -> str:
    """What a project is called in a backup, for people who open it without us."""
    readable = re.sub(r"[^\w.-]+", "-", project.name).strip(".-")
    # So that it fits into the header of a tar, which is what shows whose the file is.
    while len(readable.encode()) > _LONGEST_NAME:
        readable = readable[:-1]
    return f"{_PROJECTS}/{readable or 'project'}-{project.id}{SUFFIX}"


def _pack(archive: ArchiveWriter, name: str, project: Project, watch: Watch) -> None:
    with archive.member(name) as member:
        pack(project, member, watch)


def _ours(source: Source) -> OwnBackup | ForeignProjects:
    if isinstance(source, OwnBackup | ForeignProjects):
        return source
    raise TypeError("a source of another strategy")


def _bytes_of(layers: Sequence[Layer]) -> int:
    return sum(
        item.bytes or 0
        for layer in layers
        for item in layer.source.contents
        if layer.items is None or item.key in layer.items
    )

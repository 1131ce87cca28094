"""OpenRefine's backups: its projects, each as OpenRefine's own project archive."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from ...drivers.base import Driver
from ...drivers.lock_file import lock_is_free
from ...drivers.openrefine.driver import OpenRefineDriver
from ...drivers.openrefine.folder import lock_file_for
from ...errors import VceError
from ...models_backup import DataItem
from ...sentences import say, say_many
from ...services.private_files import sync_folder, write_private
from .. import places, scratch
from ..strategy import Built, Layer, Source, Strategy, Taken
from ..threads import in_thread, to_its_end
from ..watch import Watch
from ..writer import ArchiveWriter
from . import as_files, beside, moments, seeds, survey
from .capture import opens
from .live import Live
from .opening import own
from .preferences import Preferences, workspace
from .project import Project
from .source import KIND, WORKSPACE, ForeignProjects, OwnBackup, open_foreign, wanted_items
from .taking import Taking
from .trial import try_out

Laid = tuple[dict[str, Project], Preferences | None]
"""The projects that are in a new workspace, by their ids, and its settings."""


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
        self._others = 0
        """Files that are no project's, when it was last looked."""

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
        watch, name = Watch(), self.driver.spec.name
        items = await in_thread(watch, survey.look, self._workspace, name, watch)
        self._others = await asyncio.to_thread(survey.count_others, self._workspace)
        live = await self._live()
        if live is None:
            return items
        told = await live.projects()
        asked = [item.key for item in items if item.damaged and item.key in told]
        in_memory = {each for each in asked if await opens(live, each)}
        return survey.with_told(items, told, in_memory, name)

    async def estimate(self) -> int | None:
        """The bytes of the projects' files: they are packed already."""
        return await asyncio.to_thread(survey.size, self._workspace)

    def stays(self) -> tuple[str, ...]:
        """What was put into the projects folder and is no project."""
        count = self._others
        other = say_many(
            "{count} other file in the projects folder",
            "{count} other files in the projects folder",
            count,
        )
        return (*super().stays(), *([other] if count else []))

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
        """Each project, proven saved; what cannot be opened, and all else, as its files."""
        live = await self._live()
        watch.step(say("Saving and packing projects"), await self.estimate())
        place = places.new_place(self._workspace)
        taking = Taking(self.driver.spec.name, self._workspace, place, archive, watch)
        try:
            if await asyncio.to_thread(self._workspace.is_dir):
                await asyncio.to_thread(places.make, place)
            taken = await taking.take(live)
        finally:
            await to_its_end(lambda: places.remove(place))
        self.moment = taking.moment
        return taken

    async def moved_on(self, moment: object) -> bool:
        """By the files, as OpenRefine has left them."""
        if not isinstance(moment, moments.Moment):
            return True
        try:
            return await asyncio.to_thread(moments.at_rest, self._workspace, moment) != moment
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
            projects = await in_thread(watch, self._unpack, layers, place, watch, keep)
            if projects:
                await try_out(self._openrefine, projects, watch)
        except BaseException:
            await to_its_end(lambda: places.remove(place))
            raise
        if not keep:
            await to_its_end(lambda: places.remove(place))
            return None
        return Built(place, self._workspace)

    def _unpack(
        self, layers: Sequence[Layer], place: Path, watch: Watch, keep: bool
    ) -> dict[str, Project]:
        places.make(place)
        projects, settings = (
            self._laid(layers, place, watch) if layers else self._sown(place, watch)
        )
        if keep:
            # Nobody asks for these to go, and none are put over what is there.
            as_files.carry_over(self._workspace, place, watch, own=True)
        as_files.put_in_place(place, watch)
        write_private(place / WORKSPACE, workspace(projects, settings))
        places.take_after(place, self._workspace)
        sync_folder(place)
        return projects

    def _laid(self, layers: Sequence[Layer], place: Path, watch: Watch) -> Laid:
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
        return projects, settings

    def _sown(self, place: Path, watch: Watch) -> Laid:
        """The declared fresh state."""
        projects: dict[str, Project] = {}
        settings: Preferences | None = None
        for path in seeds.files(self.driver.spec):
            source = seeds.open_seed(path, place / "seed", self.driver.spec.name, watch)
            projects |= source.unpack([item.key for item in source.contents], place, watch)
            settings = settings or source.preferences()
        return projects, settings

    async def load_beside(
        self, source: Source, items: frozenset[str] | None, name: str, watch: Watch
    ) -> None:
        """Import one project under another name; those that are there stay as they are."""
        item = beside.choose(source, items)
        tidy = beside.check_name(name)
        live = Live(self._openrefine)
        await beside.load(live, self._workspace, _ours(source), item, tidy, watch)

    async def check_live(self) -> None:
        """See that it lists the projects that are there."""
        listed = await Live(self._openrefine).projects()
        missing = await asyncio.to_thread(survey.whole_but_for, self._workspace, listed.keys())
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

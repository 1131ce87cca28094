"""The safety copy of an operation, and whatever is changed after it: nothing is lost in between."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ..errors import UnsuitableError, VceError
from ..listing import listed
from ..models import Json
from ..models_backup import Reason
from ..sentences import say
from .everything import take_everything
from .job import House, Job
from .kept import Kept, KeptFolders
from .parts import Part, parts_of
from .proving import prove
from .replacing import aside
from .store import Stored
from .taking import take

_FIRST: Final = (0.05, 0.55)
_AGAIN: Final = (0.85, 0.93)
_AT_REST: Final = (0.93, 0.96)


class Safeguard:
    """Of ``jobs``, whose services' data one operation replaces; ``safely`` by a copy.

    The copy is taken while the services run, and what is to replace the data is built; that takes
    its time, in which people go on working. So it is asked twice whether the data have moved on
    since: before the service is stopped, when the copy is taken once more, and after it, when
    nothing can change any more. Then data that are files are copied again as they lie there; those
    of a server are kept whole, beside the new ones, and an undo takes them instead of the copy.
    """

    def __init__(self, house: House, jobs: Mapping[str, Job], *, safely: bool) -> None:
        self._house = house
        self._jobs = jobs
        self._safely = safely
        self._moments: dict[str, object] = {}
        self.copy: Stored | None = None
        """The newest proven one."""
        self.parts: Mapping[str, Part] = {}
        self.kept: list[Path] = []
        """Folders of old data that hold what no copy does."""

    async def take(self) -> None:
        """Take the copy and prove it. Raises VceError, with nothing changed."""
        if self._safely:
            await self._take(*_FIRST)

    async def outrun(self) -> frozenset[str]:
        """The services that were changed since the copy and cannot be copied at rest."""
        if not self._safely:
            return frozenset()
        asked = {name: job for name, job in self._jobs.items() if not self._by_files(job)}
        return frozenset([name for name, job in asked.items() if await self._moved_on(name, job)])

    async def again(self) -> bool:
        """Take the copy once more, in the place of the earlier; whether that could be done."""
        return await self._once_more("changed while it was being copied", *_AGAIN)

    async def at_rest(self, job: Job, live: Path) -> Path | None:
        """Where the data of ``job``, which is stopped, are to be kept; None: the copy has them."""
        if not self._safely:
            return aside(live, job)
        name = job.item.spec.name
        if not await self._moved_on(name, job):
            return None
        alone = len(self._jobs) == 1 and self._by_files(job)
        if alone and await self._once_more("changed until it was stopped", *_AT_REST):
            return None
        place = aside(live, job)
        if self.copy:
            kept = Kept(self.copy.backup.sha256, place, live)
            try:
                await asyncio.to_thread(self._folders(job).remember, kept)
            except OSError:
                self._log.exception("%s is not remembered as what %s lacks", place, self.copy.file)
        return place

    def replaced(self, kept: Path | None) -> None:
        """Old data are in ``kept`` now."""
        self.kept += [kept] if kept else []

    async def not_replaced(self, job: Job) -> None:
        """The old data are in their place again: nothing is kept beside them."""
        if self.copy:
            await asyncio.to_thread(self._folders(job).forget, self.copy.backup.sha256)

    @property
    def result(self) -> Json:
        """What an operation tells of it."""
        return {
            "safety_copy": self.copy.id if self.copy else None,
            "kept": [str(folder) for folder in self.kept],
        }

    @property
    def way_back(self) -> str:
        """How to have things as they were, in a sentence."""
        places = listed(map(str, self.kept))
        if self.copy and self.kept:
            return say(
                "To undo this, restore {file}. What was changed after that copy was taken comes "
                "back with it: it is kept in {places}",
                file=self.copy.file.name,
                places=places,
            )
        if self.copy:
            return say("To undo this, restore {file}", file=self.copy.file.name)
        if self.kept:
            return say("What was there before is kept in {places}", places=places)
        return say("There was nothing before it")

    @property
    def _log(self) -> logging.Logger:
        return self._house.log

    @staticmethod
    def _by_files(job: Job) -> bool:
        return not job.strategy.needs_running

    @staticmethod
    def _folders(job: Job) -> KeptFolders:
        return KeptFolders(job.item.driver.site.private_dir)

    async def _moved_on(self, name: str, job: Job) -> bool:
        return await job.strategy.moved_on(self._moments.get(name))

    async def _once_more(self, why: str, low: float, high: float) -> bool:
        before = self.copy
        titles = ", ".join(job.title for job in self._jobs.values())
        self._log.info("%s was %s: the safety copy is taken again", titles, why)
        try:
            await self._take(low, high)
        except (VceError, OSError) as reason:
            # What it lacks is kept as a folder then, which takes no more room.
            self._log.warning("%s: no second safety copy: %s", titles, reason)
            return False
        if before:
            try:
                await self._house.store.remove(before)
            except OSError as error:
                self._log.warning("%s could not be deleted: %s", before.backup.path, error)
        return True

    async def _take(self, low: float, high: float) -> None:
        first = next(iter(self._jobs.values()))
        watch, middle = first.watch, (low + high) / 2
        try:
            watch.part(low, middle)
            if len(self._jobs) == 1:
                stored = await take(first, Reason.SAFETY)
            else:
                jobs = [*self._jobs.values()]
                stored, _ = await take_everything(self._house, jobs, (), Reason.SAFETY, watch)
            moments = {name: job.strategy.moment for name, job in self._jobs.items()}
            watch.part(middle, high)
            self.copy = await prove(self._house, self._jobs, stored, watch)
        except UnsuitableError as failure:
            raise VceError(
                failure.code,
                say(
                    "The safety copy of your data could not be proven, so nothing was changed. The "
                    "reason: {message}",
                    message=failure.message,
                ),
                say("Show this to your tutor. Doing it without a safety copy cannot be undone."),
            ) from failure
        self.parts = await parts_of(self.copy)
        self._moments = moments

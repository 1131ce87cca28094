"""Proving a backup: restored into a scratch instance, and compared."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from ..errors import UnsuitableError, VceError
from ..models_backup import Verified
from ..sentences import say
from .folders import INSIDE
from .job import House, Job, guarded
from .parts import Part, parts_of
from .reader import Archive
from .store import Stored
from .strategy import Layer, Source
from .threads import in_thread
from .watch import Watch


async def prove(house: House, jobs: Mapping[str, Job], stored: Stored, watch: Watch) -> Stored:
    """Prove a backup, all of its parts; gives it as it is listed afterwards.

    ``jobs`` has one for each service in it. Raises UnsuitableError where it is not what it should
    be (it is listed as failed then), any other VceError where it could not be tried.
    """

    async def work() -> Stored:
        try:
            await _prove(jobs, stored, watch)
        except VceError as failure:
            task = asyncio.current_task()
            if task and task.cancelling():
                # Cut short, it shows nothing: what broke was taken away under it.
                raise asyncio.CancelledError from failure
            if isinstance(failure, UnsuitableError):
                await house.store.judge(stored, Verified.FAILED, house.clock.now())
            raise
        return await house.store.judge(stored, Verified.VERIFIED, house.clock.now())

    return await guarded(say("the scratch copy"), work)


async def _prove(jobs: Mapping[str, Job], stored: Stored, watch: Watch) -> None:
    parts = await parts_of(stored)
    low, high = watch.range
    share = (high - low) / max(1, len(parts))
    if stored.backup.service is None:
        watch.step(say("Reading the backup"), stored.backup.bytes)
        await in_thread(watch, _check_folders, stored, watch)
    for number, (name, part) in enumerate(parts.items()):
        watch.part(low + number * share, low + (number + 1) * share)
        job = jobs[name]
        source = await opened(job, part)
        await job.strategy.build([Layer(source)], watch, keep=False)
    watch.part(low, high)


def _check_folders(stored: Stored, watch: Watch) -> None:
    Archive(stored.file).check(watch, only=INSIDE)


async def opened(job: Job, part: Part) -> Source:
    """Open a service's part of a backup, its checksums compared. Raises VceError."""
    job.watch.step(say("Reading the backup"), part.bytes)
    return await job.strategy.open(part.file, part.filename, offset=part.offset, length=part.length)

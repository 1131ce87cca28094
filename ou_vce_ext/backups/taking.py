"""Taking a backup of one service: a file that is whole, or nothing."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from ..models_backup import Reason
from .job import Job, answering, guarded
from .manifest import Manifest
from .store import Stored
from .strategy import Taken
from .threads import in_thread, to_its_end
from .writer import ArchiveWriter


async def take(job: Job, reason: Reason) -> Stored:
    """Back up a service; the file is listed when this returns. Raises VceError."""
    return await guarded("the backup", lambda: _take(job, reason))


async def _take(job: Job, reason: Reason) -> Stored:
    spec, store, watch = job.item.spec, job.house.store, job.watch
    created = job.house.clock.now()
    path = await asyncio.to_thread(store.place_for, spec.name, reason, created)
    async with AsyncExitStack() as stack:
        if job.strategy.needs_running:
            await stack.enter_async_context(answering(job))
        archive = await asyncio.to_thread(ArchiveWriter, path, watch)
        try:
            taken = await job.strategy.take(archive, watch)
            manifest = describe(job, taken, archive, reason)
            watch.step("Writing it to disk")
            written = await in_thread(watch, archive.finish, manifest)
        except BaseException:
            watch.cancel()
            await to_its_end(archive.abandon)
            raise
    return await store.add(written, manifest)


def describe(job: Job, taken: Taken, archive: ArchiveWriter, reason: Reason) -> Manifest:
    """What the backup says of itself."""
    spec = job.item.spec
    return Manifest(
        service=spec.name,
        kind=spec.kind,
        title=spec.title,
        created=job.house.clock.now(),
        reason=reason,
        consistency=taken.consistency,
        versions={**job.item.driver.versions(), **taken.versions},
        contents=taken.contents,
        members=tuple(archive.members),
        details=taken.details,
    )

"""Taking a backup of one service: a file that is whole, or nothing."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from ..models_backup import Reason
from ..sentences import in_a_row, say, say_many
from .job import Job, answering, guarded
from .manifest import Manifest
from .store import Stored
from .strategy import Taken
from .threads import in_thread, made, to_its_end
from .writer import ArchiveWriter, Written


async def take(job: Job, reason: Reason) -> Stored:
    """Back up a service; the file is listed when this returns. Raises VceError."""

    async def work() -> Stored:
        store, name, now = job.house.store, job.item.spec.name, job.house.clock.now()
        path = await asyncio.to_thread(store.place_for, name, reason, now)
        return await store.add(*await write(job, reason, path))

    return await guarded(say("the backup"), work)


def in_words(title: str, stored: Stored) -> str:
    """What a backup of the service ``title`` came to."""
    told = say("{title} is backed up: {name}", title=title, name=stored.file.name)
    bare = sum(item.damaged for item in stored.backup.contents)
    if not bare:
        return told
    files = say_many(
        "{count} project in it cannot be opened: it is kept as its files, byte for byte",
        "{count} projects in it cannot be opened: they are kept as their files, byte for byte",
        bare,
    )
    return in_a_row((told, files), ". ")


async def write(job: Job, reason: Reason, path: Path) -> tuple[Written, Manifest]:
    """Write a service's backup to ``path``, whole or not at all. Raises VceError or OSError."""
    watch = job.watch
    async with AsyncExitStack() as stack:
        if job.strategy.needs_running:
            await stack.enter_async_context(answering(job))
        archive = await made(lambda: ArchiveWriter(path, watch), ArchiveWriter.abandon)
        try:
            taken = await job.strategy.take(archive, watch)
            manifest = _describe(job, taken, archive, reason)
            watch.step(say("Writing it to disk"))
            return await in_thread(watch, archive.finish, manifest), manifest
        except BaseException:
            watch.cancel()
            await to_its_end(archive.abandon)
            raise


def _describe(job: Job, taken: Taken, archive: ArchiveWriter, reason: Reason) -> Manifest:
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

"""Proving a backup: restored into a scratch instance, and compared."""

from __future__ import annotations

from ..errors import UnsuitableError
from ..models_backup import Verified
from .job import Job, guarded
from .store import Stored
from .strategy import Layer, Source


async def prove(job: Job, stored: Stored) -> Stored:
    """Prove one service's backup; gives it as it is listed afterwards.

    Raises UnsuitableError where it is not what it should be (it is listed as failed then), any
    other VceError where it could not be tried.
    """
    return await guarded("the scratch copy", lambda: _prove(job, stored))


async def _prove(job: Job, stored: Stored) -> Stored:
    store, clock = job.house.store, job.house.clock
    try:
        source = await opened(job, stored)
        await job.strategy.build([Layer(source)], job.watch, keep=False)
    except UnsuitableError:
        await store.judge(stored, Verified.FAILED, clock.now())
        raise
    return await store.judge(stored, Verified.VERIFIED, clock.now())


async def opened(job: Job, stored: Stored) -> Source:
    """Open a backup's file, its checksums compared. Raises VceError."""
    job.watch.step("Reading the backup", stored.backup.bytes)
    return await job.strategy.open(stored.file, stored.file.name)

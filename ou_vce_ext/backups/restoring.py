"""Bringing data back, or making a service fresh, so that it can be undone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ..errors import UnsuitableError, VceError
from ..models import Json
from ..models_backup import Reason
from .job import Job, answering, guarded
from .proving import opened, prove
from .replacing import replace
from .store import Stored
from .strategy import Layer
from .taking import take

_UNPACKED: Final = 4
"""How much larger data are than their backup, where the backup does not say."""


def size_of(stored: Stored) -> int:
    """About how many bytes a backup's data take on disk."""
    told = sum(item.bytes or 0 for item in stored.backup.contents if item.within is None)
    return max(told, stored.backup.bytes) if told else stored.backup.bytes * _UNPACKED


async def beside(job: Job, stored: Stored, items: frozenset[str] | None, name: str) -> Json:
    """Put a backup's data beside what is there, as ``name``. Raises VceError."""
    source = await opened(job, stored)
    async with answering(job):
        await guarded("the data", lambda: job.strategy.load_beside(source, items, name, job.watch))
    job.running.progress(f"{stored.file.name} is in {job.title} as {name}", 1.0)
    return {"safety_copy": None}


async def in_place(
    job: Job, stored: Stored, items: frozenset[str] | None, *, with_safety_copy: bool
) -> Json:
    """Replace live data by a backup's; all else that is live stays. Raises VceError.

    A safety copy that is restored whole replaces everything: that is what undo means.
    """
    job.watch.part(0.0, 0.05)
    source = await opened(job, stored)
    safety = await safety_copy(job) if with_safety_copy else None
    layers = [Layer(source, items)]
    undoes = stored.backup.reason is Reason.SAFETY and items is None
    if safety and not undoes and (stays := staying(safety, stored, items)):
        copy = await job.strategy.open(safety.file, safety.file.name)
        layers.insert(0, Layer(copy, stays))
    return await _replace(job, layers, safety, f"{job.title} has the data of {stored.file.name}")


async def reset(job: Job, *, with_safety_copy: bool) -> Json:
    """Make a service as fresh as declared. Raises VceError."""
    safety = await safety_copy(job) if with_safety_copy else None
    return await _replace(job, [], safety, f"{job.title} is as fresh as on the first day")


def staying(safety: Stored, stored: Stored, items: frozenset[str] | None) -> frozenset[str]:
    """The keys of what is live and not among what is restored."""
    replaced = items or frozenset(item.key for item in stored.backup.contents)
    return frozenset(
        item.key
        for item in safety.backup.contents
        if item.key not in replaced and not any(above in replaced for above in _above(item.key))
    )


def _above(key: str) -> list[str]:
    parts = key.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


async def safety_copy(job: Job) -> Stored:
    """Take a backup of what is live, and prove it. Raises VceError, with nothing changed."""
    try:
        job.watch.part(0.05, 0.3)
        stored = await take(job, Reason.SAFETY)
        job.watch.part(0.3, 0.55)
        return await prove(job, stored)
    except UnsuitableError as failure:
        raise VceError(
            failure.code,
            "The safety copy of your data could not be proven, so nothing was changed. The "
            f"reason: {failure.message}",
            "Show this to your tutor. Doing it without a safety copy cannot be undone.",
        ) from failure


async def _replace(job: Job, layers: Sequence[Layer], safety: Stored | None, done: str) -> Json:
    job.watch.part(0.55, 0.95)
    kept = await replace(job, layers, undo=safety is not None)
    job.running.progress(f"{done}. {_way_back(safety, kept)}", 1.0)
    return {"safety_copy": safety.id if safety else None}


def _way_back(safety: Stored | None, kept: Path | None) -> str:
    if safety:
        return f"To undo this, restore {safety.file.name}"
    return f"What was there before is kept in {kept}" if kept else "There was nothing before it"

"""Bringing data back, or making a service fresh, so that it can be undone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..errors import UnsuitableError, VceError
from ..models import Json
from ..models_backup import DataItem, Reason
from .everything import take_everything
from .job import House, Job, answering, guarded
from .parts import Part, parts_of
from .proving import opened, prove
from .replacing import replace
from .store import Stored
from .strategy import Layer
from .taking import take

Wanted = Mapping[str, frozenset[str] | None]
"""By service, the keys of the items that are wanted; None: all of them."""


async def beside(job: Job, part: Part, items: frozenset[str] | None, name: str) -> Json:
    """Put a backup's data beside what is there, as ``name``. Raises VceError."""
    source = await opened(job, part)
    async with answering(job):
        await guarded("the data", lambda: job.strategy.load_beside(source, items, name, job.watch))
    job.running.progress(f"{part.filename} is in {job.title} as {name}", 1.0)
    return {"safety_copy": None}


async def in_place(
    house: House, jobs: Mapping[str, Job], stored: Stored, wanted: Wanted, *, safely: bool
) -> tuple[Stored | None, list[Path]]:
    """Replace live data of ``jobs``' services by a backup's; all else that is live stays.

    A safety copy that is restored whole replaces everything: that is what undo means. Gives the
    safety copy taken first (``safely``), and where old data are kept without one. Raises VceError.
    """
    parts = await guarded("the backup", lambda: parts_of(stored))
    sources = {}
    for name, job in jobs.items():
        job.watch.part(0.0, 0.05)
        sources[name] = await opened(job, parts[name])
    safety = await safety_copy(house, jobs) if safely else None
    copies = await parts_of(safety) if safety else {}
    kept: list[Path] = []
    done: list[str] = []
    for number, (name, job) in enumerate(jobs.items()):
        layers = [Layer(sources[name], wanted[name])]
        undoes = stored.backup.reason is Reason.SAFETY and wanted[name] is None
        if safety and not undoes:
            stays = staying(copies[name].contents, parts[name].contents, wanted[name])
            if stays:
                layers.insert(0, Layer(await opened(job, copies[name]), stays))
        share = 0.4 / len(jobs)
        job.watch.part(0.55 + number * share, 0.55 + (number + 1) * share)
        try:
            old = await replace(job, layers, undo=safety is not None)
        except VceError as failure:
            raise _after(failure, done, safety) from failure
        kept += [old] if old else []
        done.append(job.title)
    return safety, kept


async def reset(job: Job, *, safely: bool) -> Json:
    """Make a service as fresh as declared. Raises VceError."""
    safety = await safety_copy(job.house, {job.item.spec.name: job}) if safely else None
    job.watch.part(0.55, 0.95)
    kept = await replace(job, [], undo=safety is not None)
    done = f"{job.title} is as fresh as on the first day"
    job.running.progress(f"{done}. {way_back(safety, [kept] if kept else [])}", 1.0)
    return {"safety_copy": safety.id if safety else None}


def staying(
    live: tuple[DataItem, ...], restored: tuple[DataItem, ...], items: frozenset[str] | None
) -> frozenset[str]:
    """The keys of what is live and not among what is restored."""
    replaced = items or frozenset(item.key for item in restored)
    return frozenset(
        item.key
        for item in live
        if item.key not in replaced and not any(above in replaced for above in _above(item.key))
    )


def _above(key: str) -> list[str]:
    parts = key.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


async def safety_copy(house: House, jobs: Mapping[str, Job]) -> Stored:
    """Take a backup of what is live, and prove it. Raises VceError, with nothing changed."""
    first = next(iter(jobs.values()))
    watch = first.watch
    try:
        watch.part(0.05, 0.3)
        if len(jobs) == 1:
            stored = await take(first, Reason.SAFETY)
        else:
            stored, _ = await take_everything(house, [*jobs.values()], (), Reason.SAFETY, watch)
        watch.part(0.3, 0.55)
        return await prove(house, jobs, stored, watch)
    except UnsuitableError as failure:
        raise VceError(
            failure.code,
            "The safety copy of your data could not be proven, so nothing was changed. The "
            f"reason: {failure.message}",
            "Show this to your tutor. Doing it without a safety copy cannot be undone.",
        ) from failure


def way_back(safety: Stored | None, kept: list[Path]) -> str:
    """How to have things as they were, in a sentence."""
    if safety:
        return f"To undo this, restore {safety.file.name}"
    if kept:
        return f"What was there before is kept in {' and '.join(map(str, kept))}"
    return "There was nothing before it"


def _after(failure: VceError, done: list[str], safety: Stored | None) -> VceError:
    """The failure of one service, where others have the backup's data already."""
    if not done:
        return failure
    back = f"; to undo that, restore {safety.file.name}" if safety else ""
    return VceError(
        failure.code,
        f"{failure.message} {' and '.join(done)} had the backup's data by then{back}.",
        failure.hint,
    )

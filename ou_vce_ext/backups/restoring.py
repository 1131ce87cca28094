"""Bringing data back, or making a service fresh, so that it can be undone."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from ..errors import VceError
from ..listing import listed
from ..models import Json
from ..models_backup import DataItem, Reason
from ..sentences import in_a_row, say, say_many
from .advice import OTHER_RELEASE
from .job import House, Job, answering, guarded
from .kept import KeptFolders
from .parts import Part, parts_of
from .proving import opened
from .replacing import Keep, aside, build, discard, replace
from .safeguard import Safeguard
from .store import Stored
from .strategy import Built, Layer
from .threads import to_its_end

Wanted = Mapping[str, frozenset[str] | None]
"""By service, the keys of the items that are wanted; None: all of them."""


async def beside(job: Job, part: Part, items: frozenset[str] | None, name: str) -> Json:
    """Put a backup's data beside what is there, as ``name``. Raises VceError."""
    source = await opened(job, part)
    async with answering(job):
        await guarded(
            say("the data"), lambda: job.strategy.load_beside(source, items, name, job.watch)
        )
    job.running.progress(
        say(
            "{filename} is in {title} as {name}", filename=part.filename, title=job.title, name=name
        ),
        1.0,
    )
    return {"safety_copy": None, "kept": []}


async def in_place(
    house: House, jobs: Mapping[str, Job], stored: Stored, wanted: Wanted, *, safely: bool
) -> Safeguard:
    """Replace live data of ``jobs``' services by a backup's; all else that is live stays.

    A safety copy that is restored whole replaces everything: that is what undo means, and where
    more was kept than it holds, that is what comes back. Gives what undoes this. Raises VceError.
    """
    parts = await guarded(say("the backup"), lambda: parts_of(stored))
    sources = {}
    for name, job in jobs.items():
        job.watch.part(0.0, 0.05)
        sources[name] = await opened(job, parts[name])
    guard = Safeguard(house, jobs, safely=safely)

    async def layers(name: str) -> list[Layer]:
        found = [Layer(sources[name], wanted[name])]
        undoes = stored.backup.reason is Reason.SAFETY and wanted[name] is None
        if guard.copy and not undoes:
            stays = staying(guard.parts[name].contents, parts[name].contents, wanted[name])
            if stays:
                found.insert(0, Layer(await opened(jobs[name], guard.parts[name]), stays))
        return found

    ready = {}
    if stored.backup.reason is Reason.SAFETY:
        for name, job in jobs.items():
            if wanted[name] is None and (found := await _kept(job, stored)):
                ready[name] = found
    await _replace_all(jobs, guard, layers, ready)
    for name, found in ready.items():
        if not found.folder.exists():
            await asyncio.to_thread(_folders(jobs[name]).forget, stored.backup.sha256)
    return guard


async def reset(job: Job, *, safely: bool) -> Json:
    """Make a service as fresh as declared. Raises VceError."""
    jobs = {job.item.spec.name: job}
    guard = Safeguard(job.house, jobs, safely=safely)

    async def nothing(_: str) -> list[Layer]:
        return []

    await _replace_all(jobs, guard, nothing, {})
    done = say("{title} is as fresh as on the first day", title=job.title)
    job.running.progress(say("{done}. {way_back}", done=done, way_back=guard.way_back), 1.0)
    return guard.result


async def _replace_all(
    jobs: Mapping[str, Job],
    guard: Safeguard,
    layers: Callable[[str], Awaitable[list[Layer]]],
    ready: Mapping[str, Built],
) -> None:
    """Copy, build all, and have each take its place; ``ready`` are there already."""
    builds = dict(ready)
    try:
        await guard.take()
        sources = {}
        for number, (name, job) in enumerate(jobs.items()):
            share = 0.3 / len(jobs)
            job.watch.part(0.55 + number * share, 0.55 + (number + 1) * share)
            if name not in builds:
                sources[name] = await layers(name)
                builds[name] = await build(job, sources[name])
        outrun = await guard.outrun()
        if outrun and await guard.again():
            for name in outrun & sources.keys():
                now = await layers(name)
                if len(now) > 1 or len(sources[name]) > 1:
                    # What stays is to stay as it is now.
                    jobs[name].watch.part(0.93, 0.96)
                    await asyncio.to_thread(discard, jobs[name], builds.pop(name))
                    builds[name] = await build(jobs[name], now)
        done: list[str] = []
        for name, job in jobs.items():
            job.watch.part(0.96, 0.99)
            try:
                try:
                    kept = await replace(job, builds[name], _keeping(guard, job))
                except VceError as failure:
                    if name not in ready or failure.code != OTHER_RELEASE:
                        raise
                    # The copy can be built anew for the release there is now; the folder cannot.
                    builds[name] = await build(job, await layers(name))
                    kept = await replace(job, builds[name], _keeping(guard, job))
                guard.replaced(kept)
            except VceError as failure:
                await guard.not_replaced(job)
                raise _after(failure, done, guard.copy) from failure
            done.append(job.title)
    finally:
        for name, built in builds.items():
            await to_its_end(functools.partial(discard, jobs[name], built))


def _keeping(guard: Safeguard, job: Job) -> Keep:
    async def keep(live: Path) -> Path | None:
        try:
            return await guard.at_rest(job, live)
        except Exception:
            # The service is stopped: it must go on, and nothing be lost.
            job.house.log.exception("%s: its old data are kept, whatever they hold", job.title)
            return aside(live, job)

    return keep


def _folders(job: Job) -> KeptFolders:
    return KeptFolders(job.item.driver.site.private_dir)


async def _kept(job: Job, stored: Stored) -> Built | None:
    """The folder of what was there when a safety copy was not enough."""
    kept = await asyncio.to_thread(_folders(job).of, stored.backup.sha256)
    return Built(kept.place, kept.live) if kept and kept.place else None


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


def _after(failure: VceError, done: list[str], safety: Stored | None) -> VceError:
    """The failure of one service, where others have the backup's data already."""
    if not done:
        return failure
    by_then = say_many(
        "{titles} had the backup's data by then.",
        "{titles} had the backup's data by then.",
        len(done),
        titles=listed(done),
    )
    back = safety and say("To undo that, restore {name}.", name=safety.file.name)
    told = in_a_row((failure.message, by_then, back or ""))
    return VceError(failure.code, told, failure.hint)

"""New data in the place of the live ones: built and proven beside them, then swapped."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ..errors import VceError
from ..states import RUNNING
from .job import Job, guarded, to_the_end
from .strategy import Built, Layer
from .swap import JOURNAL, Swap, begin, settle
from .swap_inside import InsideSwap


async def replace(job: Job, layers: Sequence[Layer], *, undo: bool) -> Path | None:
    """Build from ``layers`` (none: the fresh state) and put the result in the live place.

    With ``undo`` a verified safety copy holds the old data, which are removed when the new ones
    serve; without it they are kept, and the folder they are in is returned. Raises VceError, with
    the old data in their place again, or still.
    """
    built = await guarded("the new data", lambda: job.strategy.build(layers, job.watch, keep=True))
    if built is None:
        raise RuntimeError("a build that was to be kept was not")
    job.running.cancellable = False
    try:
        return await to_the_end(_put_in_place(job, built, undo=undo))
    finally:
        # While a swap is not over, that folder may hold the old data.
        if not (job.item.driver.site.private_dir / JOURNAL).exists():
            await asyncio.to_thread(discard, built.folder)


async def _put_in_place(job: Job, built: Built, *, undo: bool) -> Path | None:
    registry, name, watch = job.house.registry, job.item.spec.name, job.watch
    ran = job.item.state in RUNNING
    watch.step(f"Stopping {job.title} for a moment")
    stopped = await registry.take_down(name, job.running)
    aside = None if undo else _aside(built.live, job)
    watch.step("The new data take the place of the old")
    journal = job.item.driver.site.private_dir / JOURNAL
    swap = None
    try:
        swap = await asyncio.to_thread(begin, journal, built.live, built.folder, aside)
        await asyncio.to_thread(swap.exchange)
    except OSError as error:
        await asyncio.to_thread(_settle_quietly, journal, swap)
        await _start_again(job, ran, stopped)
        raise VceError(
            "data-unwritable",
            f"The new data could not be put in place: {error.strerror or error}. {job.title} has "
            "its data as before.",
            "Check the disk and who owns the folders, then try again.",
        ) from error
    try:
        await registry.bring_up(name, job.running)
        await job.strategy.check_live()
    except Exception as failure:
        await job.item.stop(job.running.progress)
        await asyncio.to_thread(swap.put_back)
        await asyncio.to_thread(swap.finish)
        await _start_again(job, ran, stopped)
        if not isinstance(failure, VceError):
            raise
        raise VceError(
            failure.code,
            f"The new data were put in place, and {job.title} did not serve them, so your data are "
            f"back as they were before. The reason: {failure.message}",
            failure.hint,
        ) from failure
    kept = await asyncio.to_thread(swap.finish)
    if not ran:
        await job.item.stop(job.running.progress)
    registry.start_again(stopped)
    return kept


def _settle_quietly(journal: Path, swap: Swap | InsideSwap | None) -> None:
    """Have the old data in place; what cannot be settled now is at the next start."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        if swap:
            swap.put_back()
        settle(journal)


async def _start_again(job: Job, ran: bool, stopped: Sequence[str]) -> None:
    if ran:
        with suppress(VceError):
            await job.house.registry.bring_up(job.item.spec.name, job.running)
        job.house.registry.start_again(stopped)


def _aside(live: Path, job: Job) -> Path:
    when = job.house.clock.now().astimezone().strftime("%Y-%m-%d-%H%M%S")
    return live.with_name(f"{live.name}-before-{when}")


def discard(folder: Path) -> None:
    """Remove a folder of scratch data. Blocks; never raises."""
    shutil.rmtree(folder, ignore_errors=True)

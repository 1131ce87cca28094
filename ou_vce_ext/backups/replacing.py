"""New data in the place of the live ones: built and proven beside them, then swapped."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path

from ..errors import VceError
from ..oserrors import why
from ..sentences import say
from ..states import RUNNING, ServiceState
from .job import Job, guarded, to_the_end
from .room import explained, is_full
from .scratch import BEFORE, MARK
from .strategy import Built, Layer
from .swap import JOURNAL, change_places

Keep = Callable[[Path], Awaitable[Path | None]]
"""Asked once the service is stopped, with its data folder: where its old data are to be kept.

None where something else has all of them.
"""


async def build(job: Job, layers: Sequence[Layer]) -> Built:
    """Build from ``layers`` (none: the fresh state). Raises VceError, with nothing changed."""
    built = await guarded(
        say("the new data"), lambda: job.strategy.build(layers, job.watch, keep=True)
    )
    if built is None:
        raise RuntimeError("a build that was to be kept was not")
    return built


async def replace(job: Job, built: Built, keep: Keep) -> Path | None:
    """Put what was built in the live place; gives the folder that the old data are kept in.

    They are removed where ``keep`` names none, once the new ones serve. Raises VceError, with the
    old data in their place again, or still.
    """
    job.running.cancellable = False
    kept = await to_the_end(_put_in_place(job, built, keep))
    # What is there now are the old data, or nothing.
    await asyncio.to_thread(shutil.rmtree, built.folder, ignore_errors=True)
    return kept


async def _put_in_place(job: Job, built: Built, keep: Keep) -> Path | None:
    registry, name, watch = job.house.registry, job.item.spec.name, job.watch
    # One that could not start at all is to run with the new data, or to say again why it cannot.
    ran = job.item.state in RUNNING or job.item.state is ServiceState.FAILED
    watch.step(say("Stopping {title} for a moment", title=job.title))
    stopped = await registry.take_down(name, job.running, job.strategy.hold)
    aside = await keep(built.live)
    watch.step(say("The new data take the place of the old"))
    journal = job.item.driver.site.private_dir / JOURNAL
    try:
        swap = await asyncio.to_thread(change_places, journal, built.live, built.folder, aside)
    except OSError as error:
        await _start_again(job, ran, stopped)
        if is_full(error):
            raise explained(error, say("the new data")) from error
        raise VceError(
            "data-unwritable",
            say(
                "The new data could not be put in place: {reason}. {title} has its data as before.",
                reason=why(error),
                title=job.title,
            ),
            say("Check the disk and who owns the folders, then try again."),
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
            say(
                "The new data were put in place, and {title} did not serve them, so your data "
                "are back as they were before. The reason: {message}",
                title=job.title,
                message=failure.message,
            ),
            failure.hint,
        ) from failure
    kept = await asyncio.to_thread(swap.finish)
    if not ran:
        await job.item.stop(job.running.progress)
    registry.team.start_again(stopped)
    return kept


async def _start_again(job: Job, ran: bool, stopped: Sequence[str]) -> None:
    if ran:
        with suppress(VceError):
            await job.house.registry.bring_up(job.item.spec.name, job.running)
        job.house.registry.team.start_again(stopped)


def aside(live: Path, job: Job) -> Path:
    """Where old data are kept beside the live ones; nothing is there yet. Blocks."""
    when = job.house.clock.now().astimezone().strftime("%Y-%m-%d-%H%M%S")
    base = f"{live.name}{BEFORE}{when}"
    names = itertools.chain([base], (f"{base}-{number}" for number in itertools.count(2)))
    return next(
        live.with_name(name)
        for name in names
        if not any(os.path.lexists(folder / name) for folder in (live.parent, live))
    )


def discard(job: Job, built: Built) -> None:
    """Remove what was built and is not in use. Blocks; never raises."""
    # While a swap is not over, that folder may hold the old data. Other data than what was built
    # just now are kept for somebody.
    over = not (job.item.driver.site.private_dir / JOURNAL).exists()
    if over and MARK in built.folder.name:
        shutil.rmtree(built.folder, ignore_errors=True)

"""What a module provides is there at a service's first start, and not only after a reset."""

from __future__ import annotations

import asyncio
import os
from functools import partial

from ..drivers.base import Driver
from ..drivers.made_before import MadeBefore
from ..models import Capability
from ..sentences import say
from ..services.description import capabilities
from ..services.operations import Running
from ..services.private_files import sync_folder
from .counter import Counter
from .job import House, Job, guarded, watch_of
from .replacing import build, discard
from .strategy import Built
from .swap import JOURNAL, change_places
from .threads import to_its_end
from .untouched import is_empty, wants_seed


async def sow(house: House, counter: Counter, service: str, running: Running) -> None:
    """Give a service that has no data yet its seed, where one is declared. For its start.

    Raises VceError, with nothing there still. Whatever has come to be in its place meanwhile stays,
    and is not joined by anything.
    """
    item = house.registry.get(service)
    strategy = counter.strategy(service)
    if strategy is None or Capability.RESET not in capabilities(item):
        return
    if not await asyncio.to_thread(wants_seed, item.driver):
        return
    await counter.require(await counter.to_build(item, strategy, None))
    job = Job(house, item, strategy, running, watch_of(running))
    job.watch.part(0.0, 0.8)
    job.watch.step(say("Loading what your module provides"))
    built = await build(job, ())
    try:
        put = partial(_put, item.driver, built)
        await guarded(say("the new data"), lambda: to_its_end(put))
    finally:
        await to_its_end(partial(discard, job, built))


def _put(driver: Driver, built: Built) -> None:
    """Have it in the live place, if nothing is there. Blocks; raises OSError."""
    try:
        # Over a folder that is missing or empty, and never over anything else.
        os.rename(built.folder, built.live)
        sync_folder(built.live.parent)
    except OSError:
        # It is a mount point, or a link, which is changed in other ways.
        if is_empty(built.live):
            journal = driver.site.private_dir / JOURNAL
            change_places(journal, built.live, built.folder, None).finish()
    MadeBefore(driver.site.private_dir).remember(built.live)

"""The first steps of a run: launching the program, and setting up what only a live one can have."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from ..drivers.base import Driver, Progress
from ..errors import DataInUseError, VceError
from ..launch import Launcher, LaunchPlan, Process
from ..sentences import say
from .clock import Clock
from .leftovers import judge

LEFTOVER_PATIENCE = 120.0
LEFTOVER_INTERVAL = 0.2

First = Callable[[], Awaitable[None]]
"""What a start has to do before anything is launched. Raises VceError."""


async def to_an_end(first: First) -> None:
    """Await ``first``; cancelled, however often, it is told once, and nothing of it goes on after.

    It may have programs of its own to end and files to remove, which a second cancel would cut.
    Raises VceError.
    """
    doing = asyncio.ensure_future(first())
    try:
        await asyncio.shield(doing)
    except asyncio.CancelledError:
        doing.cancel()
        while not doing.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait({doing})
        if not doing.cancelled():
            # Told to nobody any more; looked at, so that it is not complained of either.
            doing.exception()
        raise


async def launch(
    launcher: Launcher,
    plan: LaunchPlan,
    clock: Clock,
    progress: Progress,
    begun: Callable[[Process], None],
) -> Process:
    """Launch, waiting for an earlier run on the same data that is still ending.

    ``begun`` is told of the process also where this is cancelled meanwhile. Raises VceError.
    """
    patience = clock.monotonic() + LEFTOVER_PATIENCE
    while True:
        launching = asyncio.ensure_future(launcher.launch(plan))
        try:
            process = await asyncio.shield(launching)
        except asyncio.CancelledError:
            # A stop came while the program was being started: it must not be lost sight of.
            with suppress(VceError):
                begun(await launching)
            raise
        except DataInUseError as refusal:
            judge(refusal.holder)
            if clock.monotonic() > patience:
                raise
            progress(say("Waiting for the session before this one to finish saving"), None)
            await clock.sleep(LEFTOVER_INTERVAL)
            continue
        begun(process)
        return process


async def provision(driver: Driver, process: Process, progress: Progress) -> bool:
    """Let the driver set up what it must; False when the process died meanwhile.

    Raises VceError.
    """
    working = asyncio.ensure_future(driver.provision(progress))
    death = asyncio.ensure_future(process.exited())
    try:
        await asyncio.wait({working, death}, return_when=asyncio.FIRST_COMPLETED)
        if death.done():
            return False
        working.result()
    finally:
        death.cancel()
        working.cancel()
        await asyncio.wait({working})
        if not working.cancelled():
            working.exception()
    return True

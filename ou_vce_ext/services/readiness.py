"""Is it ready, is it alive: quick questions at first, slow ones afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Literal

from ..drivers.base import Driver
from ..errors import DefiniteError, VceError
from ..launch import Process
from ..models import ServiceError
from .clock import Clock
from .diagnosis import from_exception, not_answering

FIRST_WAIT: Final = 0.01
LONGEST_WAIT: Final = 0.1
SLOW_SHARE: Final = 0.01
"""Of a long start, how much of it may pass until it is asked again; half a second at most."""
GROWTH: Final = 1.15
PROBE_TIMEOUT: Final = 3.0
LIVENESS_INTERVAL: Final = 5.5
DOUBT_INTERVAL: Final = 1.0
MISSES: Final = 2

Outcome = Literal["ready", "died", "timeout"]


async def wait_until_ready(
    driver: Driver, process: Process, clock: Clock, timeout: float
) -> Outcome:
    """Probe until the service answers, its main process ends, or ``timeout`` seconds are over.

    Raises :class:`~ou_vce_ext.errors.DefiniteError` where it never will be ready.
    """
    began = clock.monotonic()
    end = began + timeout
    wait = FIRST_WAIT
    death = asyncio.ensure_future(process.exited())
    try:
        while True:
            probing = asyncio.ensure_future(_answers(driver, process))
            try:
                await asyncio.wait({probing, death}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not probing.done():
                    probing.cancel()
                    await asyncio.wait({probing})
                    _forget(probing)
            if death.done():
                _forget(probing)
                return "died"
            if probing.result():
                return "ready"
            if clock.monotonic() >= end:
                return "timeout"
            pause = asyncio.ensure_future(clock.sleep(wait))
            try:
                await asyncio.wait({pause, death}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                pause.cancel()
            if death.done():
                return "died"
            slowly = min(0.5, SLOW_SHARE * (clock.monotonic() - began))
            wait = min(max(LONGEST_WAIT, slowly), wait * GROWTH)
    finally:
        death.cancel()


def _forget(task: asyncio.Future[bool]) -> None:
    """A probe of a process that has died may have failed: that is no news."""
    if not task.cancelled():
        task.exception()


async def _answers(driver: Driver, process: Process) -> bool:
    try:
        async with asyncio.timeout(PROBE_TIMEOUT):
            return await driver.probe(process)
    except (OSError, TimeoutError):
        return False
    except DefiniteError:
        raise
    except VceError:
        # The keeper was lost: the death of the process says the rest.
        return False


class Liveness:
    """Asks a ready service now and then whether it still answers, and tells when that changes.

    Two misses in a row make it unresponsive, within 13 s unless the machine is very busy. Nothing
    is ever killed for that: a stopped process is continued, and the rest is for a person to decide.
    """

    def __init__(
        self,
        driver: Driver,
        process: Process,
        clock: Clock,
        heard: Callable[[ServiceError | None], None],
    ) -> None:
        self._driver = driver
        self._process = process
        self._clock = clock
        self._heard = heard

    async def watch(self) -> None:
        """Return when the main process has ended."""
        asking = asyncio.ensure_future(self._ask_forever())
        death = asyncio.ensure_future(self._process.exited())
        try:
            await asyncio.wait({asking, death}, return_when=asyncio.FIRST_COMPLETED)
            if asking.done():
                asking.result()
        finally:
            death.cancel()
            asking.cancel()
            # Not by awaiting it alone: a stop that comes meanwhile would be taken for its end.
            await asyncio.wait({asking})

    async def _ask_forever(self) -> None:
        misses = 0
        while True:
            await self._clock.sleep(DOUBT_INTERVAL if misses else LIVENESS_INTERVAL)
            error = await self._ask()
            if error is None:
                misses = 0
                self._heard(None)
                continue
            misses += 1
            if misses >= MISSES:
                self._heard(error)
            with suppress(VceError, TimeoutError):
                await self._process.resume()

    async def _ask(self) -> ServiceError | None:
        try:
            if await _answers(self._driver, self._process):
                return None
        except DefiniteError as failure:
            return from_exception(failure, ())
        return not_answering(self._driver.spec.title)

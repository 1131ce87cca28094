"""One piece of work on one service's data, and what it is done with."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from ..errors import ConflictError, VceError
from ..sentences import in_a_row, say
from ..services.clock import Clock
from ..services.lifecycle import Lifecycle
from ..services.operations import Running
from ..services.registry import Registry
from ..states import ServiceState
from .room import explained
from .store import Store
from .strategy import Strategy
from .watch import Watch

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class House:
    """What all work on data shares."""

    registry: Registry
    store: Store
    clock: Clock
    log: logging.Logger


@dataclass(frozen=True, slots=True)
class Job:
    """An operation's work on one service."""

    house: House
    item: Lifecycle
    strategy: Strategy
    running: Running
    watch: Watch

    @property
    def title(self) -> str:
        """The service as people call it."""
        return self.item.spec.title


def watch_of(running: Running) -> Watch:
    """What work tells of itself, from threads too, as the progress of an operation."""
    loop = asyncio.get_running_loop()

    def tell(message: str, fraction: float | None = None) -> None:
        loop.call_soon_threadsafe(running.progress, message, fraction)

    return Watch(tell)


def refuse_unless_usable(item: Lifecycle) -> None:
    """Raise ConflictError where a service is in no state to be asked for its data."""
    title = item.spec.title
    if item.state in (ServiceState.FAILED, ServiceState.UNAVAILABLE):
        raise ConflictError(
            in_a_row(
                (
                    say("{title} does not run and cannot be asked for its data.", title=title),
                    item.error.message if item.error else "",
                    say("Nothing was changed."),
                )
            ),
            say("See to that first; then start it, and try again."),
        )
    if item.state is ServiceState.UNRESPONSIVE:
        raise ConflictError(
            say(
                "{title} does not answer just now, so its data cannot be read. Nothing was "
                "changed.",
                title=title,
            ),
            say("Wait until it answers, or restart it, then try again."),
        )


def is_usable(item: Lifecycle) -> bool:
    """Whether a service can be asked for its data, or can be started for it."""
    try:
        refuse_unless_usable(item)
    except ConflictError:
        return False
    return True


@asynccontextmanager
async def answering(job: Job) -> AsyncIterator[None]:
    """Have a service answer while the block runs; one that was stopped is stopped again after.

    Raises VceError where it cannot be.
    """
    refuse_unless_usable(job.item)
    rested = job.item.state is ServiceState.STOPPED
    if job.item.state is not ServiceState.READY:
        job.running.progress(say("Starting {title}, so that its data can be read", title=job.title))
        await job.house.registry.bring_up(job.item.spec.name, job.running)
    try:
        yield
    finally:
        if rested:
            await to_the_end(_rest(job))


async def _rest(job: Job) -> None:
    if job.item.state is ServiceState.READY:
        await job.strategy.hold()
    await job.item.stop()


async def to_the_end(work: Awaitable[_T]) -> _T:
    """Await what must not be left half done: who is cancelled meanwhile goes on as if not."""
    task = asyncio.ensure_future(work)
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise
            if (own := asyncio.current_task()) is not None:
                own.uncancel()
        except Exception:
            break
    return task.result()


async def guarded(what: str, work: Callable[[], Awaitable[_T]]) -> _T:
    """Await ``work``; an OSError of its files is told in words. Raises VceError."""
    try:
        return await work()
    except VceError:
        raise
    except OSError as error:
        raise explained(error, what) from error

"""A person's stop, before anything is told to end: a program may ask that person first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from ..sentences import say
from ..states import ServiceState
from .lifecycle import Lifecycle
from .operations import Running


@contextmanager
def asked_to_close(item: Lifecycle) -> Iterator[None]:
    """Take its end for what was asked for, if :func:`let_close` gets so far as to ask."""
    try:
        yield
    finally:
        item.asked_to_close = False


async def let_close(item: Lifecycle, running: Running) -> bool:
    """Ask it to close, and wait while it asks a person; whether it may be ended unasked now.

    As long as that takes the operation can be cancelled: the program then stays as it is. A person
    who insists ends the waiting. Raises VceError where the program is to stay.
    """
    process = item.process
    if process is None or running.insisted.is_set():
        return running.insisted.is_set()
    if item.state not in (ServiceState.READY, ServiceState.UNRESPONSIVE):
        return False
    item.asked_to_close = True
    cancellable, running.cancellable = running.cancellable, True
    asking = asyncio.ensure_future(item.driver.ask_to_close(process, running.wait_for_answer))
    insisting = asyncio.ensure_future(running.insisted.wait())
    try:
        await asyncio.wait({asking, insisting}, return_when=asyncio.FIRST_COMPLETED)
        if asking.done():
            asking.result()
    except asyncio.CancelledError:
        running.progress(say("{title} stays open: nothing was stopped", title=item.spec.title))
        raise
    finally:
        asking.cancel()
        insisting.cancel()
        running.cancellable = cancellable
    return True

"""Blocking work in a thread, ended for good before a cancelled caller goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar

from ..services.turns import giving_way
from .watch import Watch, WorkCancelledError

_P = ParamSpec("_P")
_T = TypeVar("_T")


async def in_thread(
    watch: Watch, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs
) -> _T:
    """Run ``function`` in a thread; it looks at ``watch`` for each block.

    Where the caller is cancelled, the thread is told to stop and waited for, so that nothing of it
    writes any more when CancelledError comes out. What it raises is raised here.
    """
    working = asyncio.ensure_future(asyncio.to_thread(giving_way(function), *args, **kwargs))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        watch.cancel()
        await _over(working)
        raise
    except WorkCancelledError:
        raise asyncio.CancelledError from None


async def made(make: Callable[[], _T], undo: Callable[[_T], object]) -> _T:
    """Make something in a thread that holds a file; who is cancelled meanwhile has it undone."""
    working = asyncio.ensure_future(asyncio.to_thread(make))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await _over(working)
        if working.exception() is None:
            undo(working.result())
        raise


async def to_its_end(work: Callable[[], object]) -> None:
    """Run quick blocking work in a thread, to its end whatever happens to the caller."""
    working = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        await asyncio.shield(working)
    except asyncio.CancelledError:
        await _over(working)
        raise


async def _over(working: asyncio.Future[Any]) -> None:
    """Wait until a thread has ended, however often the caller is cancelled meanwhile."""
    while not working.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait({working})
    if not working.cancelled():
        # Told to nobody any more; looked at, so that it is not complained of either.
        working.exception()

"""Blocking work with a server that may have stopped answering: who cancels it is not held up."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

from ..watch import Watch, WorkCancelledError

_P = ParamSpec("_P")
_T = TypeVar("_T")

SECONDS: Final = 0.7
"""How long a thread has to end by itself once its work is cancelled: a few times its next look."""


def begun(function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> asyncio.Future[_T]:
    """Run ``function`` in a thread of its own, and give what will have its result.

    The thread is one that Python does not wait for when it ends, as it does for those of a loop.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[_T] = loop.create_future()
    # Looked at whenever it comes, so that nothing complains of what nobody waits for any more.
    ended.add_done_callback(lambda late: late.cancelled() or late.exception())

    def tell(result: _T | None, failure: BaseException | None) -> None:
        if ended.done():
            return
        if failure is not None:
            ended.set_exception(failure)
        else:
            ended.set_result(result)  # type: ignore[arg-type]

    def work() -> None:
        result, failure = None, None
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            failure = error
        try:
            loop.call_soon_threadsafe(tell, result, failure)
        except RuntimeError:
            # The loop has ended meanwhile, and with it all who wanted to know.
            return

    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(work,), name="mongo", daemon=True).start()
    return ended


async def in_patience(
    watch: Watch, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs
) -> _T:
    """Run ``function`` in a thread; it looks at ``watch`` for each block.

    Where the caller is cancelled, the thread is told to stop, and waited for a moment. One that
    hears nothing, since the server it waits for hangs, is left to itself: it ends when that answers
    or is gone. So ``function`` must do no harm when it goes on late: what it writes to is closed by
    then, and ``watch`` ends it at its next look.
    """
    working = begun(function, *args, **kwargs)
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        watch.cancel()
        await asyncio.wait({working}, timeout=SECONDS)
        raise
    except WorkCancelledError:
        raise asyncio.CancelledError from None

"""A request's body on its way from tornado, which pushes, to aiohttp, which pulls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

WAITING_BYTES: Final = 256 * 1024
"""What may wait in memory before the browser is held back."""


class Body:
    """A bounded pipe. Lives in the event loop; one side feeds it, the other iterates over it."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._size = 0
        self._ended = False
        self._broken = False
        self._unwanted = False
        self._more: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._complete = asyncio.Event()

    def feed(self, chunk: bytes) -> asyncio.Future[None] | None:
        """Take a chunk; where a future comes back, send no more until it is done."""
        if self._unwanted:
            return None
        self._chunks.append(chunk)
        self._size += len(chunk)
        _wake(self._more)
        if self._size < WAITING_BYTES:
            return None
        self._room = asyncio.get_running_loop().create_future()
        return self._room

    def end(self) -> None:
        """Say that the body is complete."""
        self._ended = True
        self._complete.set()
        _wake(self._more)

    def break_off(self) -> None:
        """Say that the rest will never come: whoever reads it must not take it for complete."""
        self._broken = True
        self._complete.set()
        _wake(self._more)
        _wake(self._room)

    async def discard_rest(self, seconds: float) -> None:
        """Drop what is still to come, and wait a while for its end.

        Hanging up on a client that is still writing would often lose the answer to it.
        """
        self._unwanted = True
        self._chunks.clear()
        self._size = 0
        _wake(self._more)
        _wake(self._room)
        if not self._complete.is_set():
            try:
                async with asyncio.timeout(seconds):
                    await self._complete.wait()
            except TimeoutError:
                return

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Give what has come, in pieces as large as have gathered.

        Raises ConnectionAbortedError where the client went away before the end, or the rest is
        being discarded: what has come must not be taken for all there is.
        """
        while True:
            while not (self._chunks or self._ended or self._broken or self._unwanted):
                self._more = asyncio.get_running_loop().create_future()
                await self._more
            if self._broken or self._unwanted:
                raise ConnectionAbortedError("the rest of the request will not come")
            if not self._chunks:
                return
            chunks, self._chunks, self._size = self._chunks, [], 0
            _wake(self._room)
            yield chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)

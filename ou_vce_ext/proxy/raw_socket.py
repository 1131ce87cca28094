"""An app that speaks no HTTP, as if it were a WebSocket: its bytes are binary messages."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, Protocol

from ..models_upstream import Upstream
from .client import CONNECT_SECONDS

if TYPE_CHECKING:
    from aiohttp import WSMessage

PIECE_BYTES: Final = 64 * 1024
"""The largest message made of what the app sends."""
_PROTOCOL: Final = "binary"
"""The subprotocol that clients of such bridges may ask for by habit."""


class Talk(Protocol):
    """What a WebSocket to an app and a bare connection have in common."""

    @property
    def protocol(self) -> str | None:
        """The subprotocol agreed to."""

    @property
    def close_code(self) -> int | None:
        """Why it ended, where that was told."""

    async def send_str(self, data: str) -> None:
        """Send a text; returns when there is room for more."""

    async def send_bytes(self, data: bytes) -> None:
        """Send bytes; returns when there is room for more."""

    async def receive(self) -> Any:
        """Wait for a message, or for the end."""

    async def close(self, *, code: int = 1000, message: bytes = b"") -> object:
        """End it."""


class RawSocket:
    """A connection to an app's port or socket."""

    close_code: int | None = None

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, protocol: str | None
    ) -> None:
        self._reader = reader
        self._writer = writer
        self.protocol = protocol

    @classmethod
    async def connect(cls, upstream: Upstream, offered: Iterable[str]) -> RawSocket:
        """Connect. Raises OSError, or TimeoutError where the app does not take it in time."""
        async with asyncio.timeout(CONNECT_SECONDS):
            if upstream.socket:
                streams = await asyncio.open_unix_connection(upstream.socket)
            else:
                streams = await asyncio.open_connection(upstream.host, upstream.port)
        return cls(*streams, _PROTOCOL if _PROTOCOL in offered else None)

    async def send_str(self, data: str) -> None:
        """Send a text as UTF-8."""
        await self.send_bytes(data.encode())

    async def send_bytes(self, data: bytes) -> None:
        """Send bytes, and wait while the app has no room for more."""
        if self._writer.is_closing():
            # Still on its way to an app that has gone, which `receive` tells of.
            return
        self._writer.write(data)
        await self._writer.drain()

    async def receive(self) -> WSMessage:
        """Wait for what the app sends; its end is an orderly close, a reset is none."""
        from aiohttp import WSMessage, WSMsgType

        try:
            data = await self._reader.read(PIECE_BYTES)
        except OSError:
            return WSMessage(WSMsgType.CLOSED, None, None)
        if data:
            return WSMessage(WSMsgType.BINARY, data, None)
        return WSMessage(WSMsgType.CLOSE, 1000, "")

    async def close(self, *, code: int = 1000, message: bytes = b"") -> None:
        """Hang up, once what was sent is on its way."""
        self._writer.close()

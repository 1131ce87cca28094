"""A viewer of a desktop's screen, through Jupyter: as much of RFB as tests need."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from .jupyter_rig import TOKEN, Jupyter

HEADERS = {"Authorization": f"token {TOKEN}"}
PIXEL_BYTES = 4


class RfbViewer:
    """One connected viewer. It is sent nothing that it has not asked for."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._unread = b""
        self.width = self.height = 0

    async def read(self, size: int) -> bytes:
        """The next ``size`` bytes, of however many messages."""
        pieces = [self._unread]
        there = len(self._unread)
        while there < size:
            pieces.append(await self._socket.receive_bytes(timeout=120))
            there += len(pieces[-1])
        data = b"".join(pieces)
        self._unread = data[size:]
        return data[:size]

    async def introduce(self) -> None:
        """Shake hands, and ask for plain pixels."""
        await self._socket.send_bytes(await self.read(12))
        await self.read((await self.read(1))[0])
        await self._socket.send_bytes(b"\1")
        assert await self.read(4) == bytes(4)
        await self._socket.send_bytes(b"\1")
        told = await self.read(24)
        self.width, self.height = struct.unpack(">HH", told[:4])
        await self.read(int.from_bytes(told[20:24], "big"))
        await self._socket.send_bytes(struct.pack(">BxHi", 2, 1, 0))

    async def ask(self) -> None:
        """Ask for the whole screen as it is now."""
        await self._socket.send_bytes(struct.pack(">BBHHHH", 3, 0, 0, 0, self.width, self.height))

    async def picture(self) -> bytes:
        """Read one update that was asked for: its pixels, one rectangle after the other."""
        kind, count = struct.unpack(">BxH", await self.read(4))
        assert kind == 0, f"message {kind} where an update was due"
        pixels = []
        for _ in range(count):
            _, _, width, height, encoding = struct.unpack(">HHHHi", await self.read(12))
            assert encoding == 0
            pixels.append(await self.read(PIXEL_BYTES * width * height))
        return b"".join(pixels)


@asynccontextmanager
async def viewer(server: Jupyter, name: str) -> AsyncIterator[RfbViewer]:
    """A viewer of the program ``name``, which has shaken hands."""
    from aiohttp import ClientSession

    url = f"{server.url}vce/app/{name}/screen"
    async with ClientSession() as session, session.ws_connect(url, headers=HEADERS) as socket:
        made = RfbViewer(socket)
        await made.introduce()
        yield made

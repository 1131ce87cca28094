"""The app and the client of the proxy's benchmark, each a process of its own.

``app PORT`` serves HTTP, and ``socket PORT`` a WebSocket that echoes, on 127.0.0.1; ``client JSON``
does what the JSON says and prints JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlsplit

SMALL = b"x" * 200
PIECE = bytes(range(256)) * 1024
WEBSOCKET_MESSAGE = b"m" * 100


class App(asyncio.Protocol):
    """As little of an HTTP server as will do: it must never be what is measured."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.waiting = b""
        self.sending = 0
        self.taking = 0
        self.paused = False

    def data_received(self, data: bytes) -> None:
        if self.taking:
            self._take(len(data))
            return
        self.waiting += data
        while (end := self.waiting.find(b"\r\n\r\n")) >= 0:
            head, self.waiting = self.waiting[:end], self.waiting[end + 4 :]
            self._answer(head)

    def _answer(self, head: bytes) -> None:
        target = head.split(b"\r\n", 1)[0].split(b" ")[1].decode().partition("?")[0]
        what, _, size = target.rpartition("/")[2].partition("-")
        if what == "bytes":
            self.sending = int(size)
            self._say(self.sending)
            self._send()
        elif what == "take":
            length = head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]
            self.taking = int(length)
            taken, self.waiting = len(self.waiting), b""
            self._take(taken)
        else:
            self._say(len(SMALL), SMALL)

    def _say(self, length: int, body: bytes = b"") -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n"
        self.transport.write(head.encode() + body)

    def _take(self, count: int) -> None:
        self.taking -= count
        if self.taking <= 0:
            self.taking = 0
            self._say(2, b"ok")

    def _send(self) -> None:
        while self.sending and not self.paused:
            piece = PIECE[: min(self.sending, len(PIECE))]
            self.sending -= len(piece)
            self.transport.write(piece)

    def pause_writing(self) -> None:
        self.paused = True

    def resume_writing(self) -> None:
        self.paused = False
        self._send()


async def serve(port: int) -> None:
    """Serve HTTP: ``bytes-N`` is a download of N bytes, ``take-all`` an upload."""
    server = await asyncio.get_running_loop().create_server(App, "127.0.0.1", port)
    await server.serve_forever()


def serve_socket(port: int) -> None:
    """Serve a WebSocket that echoes, and ``/`` for those who ask whether it is there."""
    from aiohttp import WSMsgType, web

    async def echo(request: web.Request) -> web.StreamResponse:
        if "Upgrade" not in request.headers:
            return web.Response(text="here")
        socket = web.WebSocketResponse(max_msg_size=0, compress=False)
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.BINARY:
                await socket.send_bytes(message.data)
        return socket

    app = web.Application()
    app.router.add_get("/", echo)
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)


async def gets(url: str, cookie: str, connections: int, seconds: float) -> dict[str, float]:
    """Ask for ``url`` over and over; requests a second, and milliseconds at p50 and p99."""
    place = urlsplit(url)
    request = (
        f"GET {place.path} HTTP/1.1\r\nHost: {place.netloc}\r\nCookie: {cookie}\r\n"
        "Accept: */*\r\nUser-Agent: benchmark\r\n\r\n"
    ).encode()
    host, port = place.hostname or "", place.port or 80
    took: list[float] = []
    stop = time.perf_counter() + seconds

    async def talk() -> None:
        reader, writer = await asyncio.open_connection(host, port)
        while (began := time.perf_counter()) < stop:
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            if b" 200 " not in head:
                raise SystemExit(head.decode())
            if b"chunked" in head:
                while size := int((await reader.readuntil(b"\r\n")), 16):
                    await reader.readexactly(size + 2)
                await reader.readexactly(2)
            else:
                length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
                await reader.readexactly(length)
            took.append(time.perf_counter() - began)
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(talk() for _ in range(connections)))
    rate = len(took) / (time.perf_counter() - began)
    took.sort()
    return {
        "per_second": rate,
        "p50": 1000 * took[len(took) // 2],
        "p99": 1000 * took[int(len(took) * 0.99)],
    }


class Sink(asyncio.Protocol):
    """Counts what comes after the head, and is done when all that was announced has come."""

    def __init__(self, done: asyncio.Future[tuple[int, int]]) -> None:
        self.done = done
        self.head = b""
        self.status = 0
        self.left = 0
        self.took = 0
        self.room = asyncio.Event()
        self.room.set()

    def data_received(self, data: bytes) -> None:
        if not self.status:
            self.head += data
            if b"\r\n\r\n" not in self.head:
                return
            head, _, data = self.head.partition(b"\r\n\r\n")
            self.status = int(head.split(b" ", 2)[1])
            length = head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]
            self.left = int(length or 0)
        self.took += len(data)
        if self.took >= self.left and not self.done.done():
            self.done.set_result((self.status, self.took))

    def pause_writing(self) -> None:
        self.room.clear()

    def resume_writing(self) -> None:
        self.room.set()

    def connection_lost(self, error: Exception | None) -> None:
        self.room.set()
        if not self.done.done():
            self.done.set_result((self.status or 599, self.took))


async def transfer(url: str, cookie: str, up: int = 0) -> dict[str, float]:
    """One download, or an upload of ``up`` bytes; how many seconds, and how it ended."""
    place = urlsplit(url)
    loop = asyncio.get_running_loop()
    done: asyncio.Future[tuple[int, int]] = loop.create_future()
    host, port = place.hostname or "", place.port or 80
    began = time.perf_counter()
    transport, sink = await loop.create_connection(lambda: Sink(done), host, port)
    origin = f"http://{place.netloc}"
    transport.write(
        (
            f"{'POST' if up else 'GET'} {place.path} HTTP/1.1\r\nHost: {place.netloc}\r\n"
            f"Cookie: {cookie}\r\nOrigin: {origin}\r\n"
            + (f"Content-Length: {up}\r\n" if up else "")
            + "\r\n"
        ).encode()
    )
    while up and not done.done():
        piece = PIECE[: min(up, len(PIECE))]
        transport.write(piece)
        up -= len(piece)
        await asyncio.sleep(0)
        await sink.room.wait()
    status, size = await done
    transport.close()
    return {"seconds": time.perf_counter() - began, "status": status, "bytes": size}


async def websocket(url: str, cookie: str, origin: str, seconds: float) -> dict[str, float]:
    """Echoes a second, one at a time; then seconds for 100 MB of 64 kB frames, sent at once."""
    import aiohttp

    frame = PIECE[: 64 * 1024]
    count = 100_000_000 // len(frame)
    headers = {"Cookie": cookie, "Origin": origin}
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url, headers=headers, max_msg_size=0) as socket,
    ):
        echoes, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            await socket.send_bytes(WEBSOCKET_MESSAGE)
            await socket.receive_bytes()
            echoes += 1
        rate = echoes / (time.perf_counter() - began)

        async def send() -> None:
            for _ in range(count):
                await socket.send_bytes(frame)

        began = time.perf_counter()
        sending = asyncio.create_task(send())
        for _ in range(count):
            await socket.receive_bytes()
        await sending
        return {"per_second": rate, "seconds": time.perf_counter() - began}


def main() -> None:
    """Be one of them."""
    role, told = sys.argv[1:3]
    if role == "app":
        asyncio.run(serve(int(told)))
    elif role == "socket":
        serve_socket(int(told))
    else:
        wanted: dict[str, Any] = json.loads(told)
        works: dict[str, Callable[..., Coroutine[Any, Any, dict[str, float]]]] = {
            "gets": gets,
            "transfer": transfer,
            "websocket": websocket,
        }
        print(json.dumps(asyncio.run(works[wanted.pop("do")](**wanted))))


if __name__ == "__main__":
    main()

"""Real apps to stand behind the proxy: one that tells what it was asked, one that is scripted."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import WSMsgType, web

ARRIVED = web.AppKey("arrived", asyncio.Queue[str])
PATTERN = bytes(range(256)) * 256


def a_body(size: int) -> bytes:
    """``size`` bytes that are easy to compare."""
    return (PATTERN * (size // len(PATTERN) + 1))[:size]


async def _echo(request: web.Request) -> web.Response:
    """Everything that arrived, in the order it arrived."""
    digest, size = hashlib.sha256(), 0
    async for chunk in request.content.iter_any():
        digest.update(chunk)
        size += len(chunk)
    return web.json_response(
        {
            "method": request.method,
            "target": request.raw_path,
            "headers": [[n.decode(), v.decode("latin-1")] for n, v in request.raw_headers],
            "bytes": size,
            "sha256": digest.hexdigest(),
        }
    )


async def _download(request: web.Request) -> web.StreamResponse:
    left = int(request.query["bytes"])
    response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
    if "chunked" not in request.query:
        response.content_length = left
    await response.prepare(request)
    while left > 0 and request.method != "HEAD":
        piece = PATTERN[: min(left, len(PATTERN))]
        await response.write(piece)
        left -= len(piece)
    await response.write_eof()
    return response


async def _events(request: web.Request) -> web.StreamResponse:
    """Server-sent events: one now, another whenever told, until the client goes."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    arrived = request.app[ARRIVED]
    try:
        await response.write(b"data: first\n\n")
        while True:
            await asyncio.sleep(0.01)
            await response.write(b": still here\n\n")
    finally:
        arrived.put_nowait("gone")
    return response


async def _socket(request: web.Request) -> web.WebSocketResponse:
    """Echo what comes; a text of the form ``close CODE REASON`` closes."""
    socket = web.WebSocketResponse(protocols=("chat.v2", "chat.v1"), max_msg_size=0)
    await socket.prepare(request)
    arrived = request.app[ARRIVED]
    arrived.put_nowait(f"open {request.raw_path}")
    arrived.put_nowait(repr(sorted(request.headers.items())))
    async for message in socket:
        if message.type is WSMsgType.BINARY:
            await socket.send_bytes(message.data)
        elif message.data.startswith("close "):
            _, code, reason = message.data.split(" ", 2)
            await socket.close(code=int(code), message=reason.encode())
        elif message.data == "vanish":
            assert request.transport is not None
            request.transport.abort()
        else:
            await socket.send_str(message.data)
    arrived.put_nowait(f"closed {socket.close_code}")
    return socket


def echo_app() -> web.Application:
    """An app that tells what it was asked."""
    app = web.Application(client_max_size=1 << 40)
    app[ARRIVED] = asyncio.Queue()
    app.router.add_route("*", "/download", _download)
    app.router.add_route("*", "/events", _events)
    app.router.add_route("GET", "/socket", _socket)
    app.router.add_route("*", "/{rest:.*}", _echo)
    return app


@asynccontextmanager
async def serving(app: web.Application, **where: Any) -> AsyncIterator[int]:
    """Serve ``app`` on a free port of 127.0.0.1, which is given, or at a socket's ``path``."""
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
    await runner.setup()
    site: web.BaseSite
    if "path" in where:
        site = web.UnixSite(runner, where["path"])
        await site.start()
        port = 0
    else:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
    try:
        yield port
    finally:
        await runner.cleanup()


Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def scripted(script: Script) -> AsyncIterator[int]:
    """Serve connections by ``script``, for what no well-behaved server does."""
    talks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        try:
            await script(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the test is over, or this end of it
        finally:
            writer.close()
            talks.discard(task)

    server = await asyncio.start_server(talk, "127.0.0.1", 0, limit=1 << 20)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(talks):
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)

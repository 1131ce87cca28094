"""Requests that nobody would think of, as bytes, and somebody who sends them and waits."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from random import Random
from typing import Final

SECONDS: Final = 120.0
"""After which an answer that has not come never will."""
_METHODS: Final = (
    *("GET", "GET", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"),
    *("PROPFIND", "MKCOL", "TRACE", "CONNECT", "BREW", "get", ""),
)
_PIECES: Final = (
    *("a", "é", "%2F", "%2e%2e", "..", ".", "/", "//", "%00", "%", "%zz", "%ff", "+", "%20", ";"),
    *("?", "&", "=", "#", "\\", "'", '"', "<script>", "{x}", "$(id)", "token=x", "_xsrf=y", "~"),
    *("\xff", "x" * 300, ":80", "@", "proxy", "vce", "app", "api", "services", "echo", "start"),
)
_HEADERS: Final = (
    "Accept: text/html",
    "Accept: application/json",
    "Sec-Fetch-Mode: navigate",
    "Sec-Fetch-Site: cross-site",
    "Sec-Fetch-Site: nonsense",
    "Origin: null",
    "Origin: http://[",
    "Origin: http://evil.example",
    "Referer: http://[::1",
    "Referer: //",
    "Cookie: a=b; ; =; username-x=1; _xsrf",
    "Cookie: \xff=\xff",
    "Authorization: Bearer",
    "Authorization: \xff",
    "X-Forwarded-For: \xff, 1.2.3.4",
    "X-Forwarded-Host: a b",
    "X-XSRFToken: \xff",
    "Range: bytes=-",
    "Connection: close",
    "Connection: keep-alive, X-Thing, Host",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Upgrade: h2c",
    "Expect: 100-continue",
    "Expect: the-unexpected",
    "TE: trailers",
    "Content-Type: application/json",
    "Transfer-Encoding: gzip, chunked",
    "Content-Length: -1",
    "Content-Length: 5, 5",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol: \xff, chat.v1",
    "Host: [",
    "Destination: http://",
    ": nameless",
    "No-Colon",
    " folded",
    "X-Long: " + "y" * 5000,
)
_SERVICES: Final = ("echo", "echo", "echo", "stopped", "nothing", "Echo", "%65cho", "..")
_KNOWN: Final = ("socket", "download?bytes=0", "download?bytes=1", "download?bytes=300000")
_ROUTES: Final = ("status", "api/services", "api/operations", "api/openapi.yaml", "")
_ACTIONS: Final = ("", "/logs?lines=3", "/icon", "/restart", "/nonsense", "/%00")


@dataclass(frozen=True, slots=True)
class Request:
    """``raw`` is what is sent; one that is not ``whole`` is broken off, and no answer is owed."""

    raw: bytes
    whole: bool


def a_request(
    random: Random, base: str, host: str, token: str, *, apps_only: bool = False
) -> Request:
    """Make one. ``base`` is the path below which everything is, with its slashes."""
    target = f"{base}vce/{_target(random, 4 if apps_only else 6)}"
    lines = [f"{random.choice(_METHODS)} {target} HTTP/1.{random.choice('1110')}", f"Host: {host}"]
    if random.random() < 0.9:
        lines.append(f"Authorization: token {token}")
    odd = random.sample(_HEADERS, random.choice((0, 0, 1, 1, 2, 4)))
    lines += odd
    # Where a body is announced that may not come, the server rightly waits for it.
    body, whole = b"", not any(each.startswith(("Content-Length", "Transfer")) for each in odd)
    match random.randrange(8):
        case 0 | 1:
            body = random.choice((b"{}", b'{"cancel": 1}', b"[", b"\xff" * 9, os.urandom(70_000)))
            lines.append(f"Content-Length: {len(body)}")
        case 2:
            body = b"".join(_chunk(random.randbytes(size)) for size in (1, 500, 20_000))
            body += random.choice((b"0\r\n\r\n", b"0\r\nX: y\r\n\r\n", b"z\r\n"))
            lines.append("Transfer-Encoding: chunked")
        case 3 if random.random() < 0.5:
            lines.append("Content-Length: 100000")
            body, whole = b"x" * 10, False
    raw = "\r\n".join([*lines, "", ""]).encode("latin-1") + body
    if random.random() < 0.05:
        cut = random.randrange(len(raw))
        return Request(raw[:cut], whole=False)
    return Request(raw, whole)


def _target(random: Random, kinds: int) -> str:
    odd = "".join(random.choices(_PIECES, k=random.choice((0, 1, 1, 2, 3, 6))))
    match random.randrange(kinds):
        case 0 | 1 | 2:
            return f"app/{random.choice(_SERVICES)}/{odd}"
        case 3:
            return f"app/echo/{random.choice(_KNOWN)}"
        case 4:
            return f"api/services/{random.choice((*_SERVICES, odd))}{random.choice(_ACTIONS)}"
        case _:
            return random.choice(_ROUTES) + odd


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


async def send(port: int, request: Request) -> int:
    """Send it, and read the answer's head and what follows it.

    Give the status, or 0 where the server hung up, which it may on what is no HTTP. Raises
    TimeoutError where it does neither.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    try:
        writer.write(request.raw)
        if not request.whole:
            await asyncio.sleep(0.01)
            return 0
        async with asyncio.timeout(SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
            while head.startswith(b"HTTP/1.1 100"):
                head = await reader.readuntil(b"\r\n\r\n")
            status = int(head.split(b" ", 2)[1])
            if status == 101:
                writer.write(os.urandom(50))
            elif _has_body(request, status, head):
                await reader.read(1 << 16)
        return status
    except (ConnectionError, asyncio.IncompleteReadError):
        return 0
    finally:
        writer.transport.abort()


def _has_body(request: Request, status: int, head: bytes) -> bool:
    """Whether anything follows an answer's head: a body's beginning, or the connection's end."""
    bare = status in (204, 304) or request.raw.startswith(b"HEAD ")
    return not bare and b"\r\ncontent-length: 0" not in head.lower()

"""Connections to apps: kept alive and shared where a request may be repeated, else fresh."""

from __future__ import annotations

import asyncio
from inspect import signature
from typing import TYPE_CHECKING, Any, Final, cast

from ..models_upstream import Upstream

if TYPE_CHECKING:
    from aiohttp import ClientSession
    from yarl import URL

CONNECT_SECONDS: Final = 5.0
"""How long an app may take to accept a connection."""
IDLE_SECONDS: Final = 1.5
# Shorter than any server's own patience that we know of (gunicorn 2 s, Node 5 s), so that it is
# we who close an idle connection, and never the app just as a request is on its way.
HEADER_BYTES: Final = 64 * 1024
"""The longest header line of an app's answer. (The parsers' default is 8 kB.)"""
HEADER_COUNT: Final = 1000
READ_BYTES: Final = 256 * 1024
"""What may wait in memory from an app whose client reads slowly; twice as much at most."""

_KEY: Final = "vce_proxy_clients"


class Clients:
    """The sessions apps are reached through, made when first needed. Lives in the event loop."""

    def __init__(self) -> None:
        self._sessions: dict[tuple[str | None, bool], ClientSession] = {}

    def session(self, upstream: Upstream, *, repeatable: bool) -> ClientSession:
        """Give the session for ``upstream``.

        A connection kept alive may turn out dead just as it is used. What is ``repeatable`` is then
        sent again; for anything else that would be a risk (done twice, or not at all), so it gets a
        connection of its own.
        """
        key = (upstream.socket, repeatable)
        session = self._sessions.get(key)
        if session is None or session.closed:
            session = self._sessions[key] = _session(upstream.socket, keep=repeatable)
        return session

    async def close(self) -> None:
        """Close every connection, those in use included."""
        sessions, self._sessions = list(self._sessions.values()), {}
        await asyncio.gather(*(session.close() for session in sessions))


def _session(socket: str | None, *, keep: bool) -> ClientSession:
    from aiohttp import (
        BaseConnector,
        ClientSession,
        ClientTimeout,
        DummyCookieJar,
        TCPConnector,
        UnixConnector,
    )

    options: dict[str, Any] = {"limit": 0, "force_close": not keep}
    if keep:
        options["keepalive_timeout"] = IDLE_SECONDS
    connector: BaseConnector = (
        UnixConnector(socket, **options) if socket else TCPConnector(**options)
    )
    limits: dict[str, Any] = {"max_line_size": HEADER_BYTES, "max_field_size": HEADER_BYTES}
    if "max_headers" in signature(ClientSession.__init__).parameters:
        limits["max_headers"] = HEADER_COUNT
    return ClientSession(
        connector=connector,
        cookie_jar=DummyCookieJar(),
        auto_decompress=False,
        read_bufsize=READ_BYTES,
        # Nothing is added to what the browser said.
        skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent", "Content-Type"),
        # An app may think, and a download may take, as long as they like.
        timeout=ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
        **limits,
    )


def address(upstream: Upstream, target: str) -> URL:
    """Give the URL of a request target, which stays as it is.

    The whole target stands in for a path: parsed as a URL, a bare "?" or dots would be lost.
    """
    from yarl import URL

    host = upstream.host if upstream.port else "localhost"
    return URL.build(scheme="http", host=host, port=upstream.port, path=target, encoded=True)


def clients(settings: dict[str, Any]) -> Clients:
    """Give the clients of the server whose tornado settings these are."""
    if _KEY not in settings:
        settings[_KEY] = Clients()
    return cast("Clients", settings[_KEY])


async def close_clients(settings: dict[str, Any]) -> None:
    """Close every connection to an app. Called when the server stops."""
    found = settings.pop(_KEY, None)
    if found is not None:
        await found.close()

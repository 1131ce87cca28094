"""Asking a service over HTTP whether it answers: a TCP port or a unix socket, one kept client."""

from __future__ import annotations

import asyncio
import importlib
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple, cast

from ..services.turns import giving_way

if TYPE_CHECKING:
    from aiohttp import ClientSession

MOST_BYTES = 65_536
"""How much of an answer is read at most."""


class Answer(NamedTuple):
    """What a service answered: its status, and the beginning of its body where that was wanted."""

    status: int
    body: bytes


class HttpProbe:
    """Asks one service. Redirects are not followed, cookies are not kept, no proxy is used.

    Each question has a connection of its own, closed at once: one that is kept alive would hold up
    an app that waits for its last connection before it ends.
    """

    def __init__(self) -> None:
        self._session: ClientSession | None = None
        self._socket: str | None = None
        self._importing: asyncio.Future[ModuleType] | None = None

    def preload(self) -> None:
        """Begin to import the client library, so that the first question need not wait for it."""
        if self._importing is None:
            loop = asyncio.get_running_loop()
            self._importing = loop.run_in_executor(
                None, giving_way(importlib.import_module), "aiohttp"
            )

    async def get(
        self,
        path: str,
        *,
        port: int | None = None,
        socket: str | None = None,
        host: str = "127.0.0.1",
        host_header: str = "",
        body: bool = False,
    ) -> Answer:
        """GET ``path``; with ``body``, read the beginning of it. See :meth:`ask`."""
        return await self.ask(
            "GET",
            path,
            port=port,
            socket=socket,
            host=host,
            host_header=host_header,
            most=MOST_BYTES if body else 0,
        )

    async def ask(
        self,
        method: str,
        path: str,
        *,
        port: int | None = None,
        socket: str | None = None,
        host: str = "127.0.0.1",
        host_header: str = "",
        most: int = MOST_BYTES,
    ) -> Answer:
        """Ask ``socket``, or ``port`` of ``host``; read ``most`` bytes at most, and leave the rest.

        Raises OSError (of which aiohttp's own errors are made here) while nothing can be had.
        Bounded in time by whoever calls.
        """
        # It takes as long to import as some services to start: the loop must go on meanwhile.
        self.preload()
        await asyncio.shield(cast("asyncio.Future[ModuleType]", self._importing))
        import aiohttp
        import yarl

        if self._session is None or self._session.closed or self._socket != socket:
            await self.close()
            self._session = _new_session(socket)
            self._socket = socket
        origin = "http://localhost" if socket else f"http://{host}:{port}"
        url = yarl.URL(origin + path, encoded=True)
        headers = {"Host": host_header} if host_header else {}
        try:
            async with self._session.request(
                method, url, headers=headers, allow_redirects=False
            ) as response:
                content = bytearray()
                while len(content) < most:
                    block = await response.content.read(most - len(content))
                    if not block:
                        break
                    content += block
                return Answer(response.status, bytes(content))
        except aiohttp.ClientError as error:
            raise ConnectionError(str(error)) from error

    async def close(self) -> None:
        """Let go of the client. It may be used again."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()


def _new_session(socket: str | None) -> ClientSession:
    import aiohttp

    connector: aiohttp.BaseConnector
    if socket:
        connector = aiohttp.UnixConnector(path=socket, force_close=True)
    else:
        connector = aiohttp.TCPConnector(force_close=True)
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": "ou-vce-ext"},
        trust_env=False,
    )

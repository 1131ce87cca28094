"""HTTP to an app: bodies streamed both ways, as fast as the slower side, never gathered."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterable
from http.client import responses
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import unquote

from tornado import web
from tornado.http1connection import HTTP1Connection
from tornado.iostream import StreamClosedError

from ..errors import VceError
from ..models_upstream import Manners
from ..sentences import say
from . import headers, rewriting, viewer
from .body import Body
from .client import address, clients
from .door import AppDoor

if TYPE_CHECKING:
    from aiohttp import ClientResponse

NO_LIMIT: Final = 1 << 62
"""Bytes a request to an app may have: as many as the app takes."""
LINGER_SECONDS: Final = 5.0
"""How long an answer that came before its request was complete waits for the rest."""
METHODS: Final = (
    *("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"),
    # WebDAV and its kin, which an app may speak. Never TRACE, which would show our headers.
    *("PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK"),
    *("SEARCH", "REPORT", "QUERY", "PURGE"),
)
_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})


@web.stream_request_body
class HttpProxy(AppDoor):
    """One request to an app, and its answer."""

    SUPPORTED_METHODS = METHODS
    _body: Body | None = None
    _relaying: asyncio.Task[None] | None = None
    _client_left = False

    async def prepare(self, *, _redirect_to_login: bool = False) -> None:
        """Let in who may; then, where a body is to come, begin to pass the request on at once."""
        await super().prepare()
        if self._finished:
            return
        manners = self.upstream.manners if self.upstream else Manners()
        if self.viewer:
            viewer.check_method(self.request.method or "")
            return
        if manners.raw_socket:
            raise VceError(
                "method-not-allowed",
                say(
                    "{title} is reached by a WebSocket only. Nothing was done.",
                    title=self.lifecycle.spec.title,
                ),
            )
        if manners.start_page and self._asks_for_the_app():
            self.redirect(f"{self.addresses.prefix}/{manners.start_page}")
            return
        told = self.request.headers
        if told.get("Content-Length", "0") != "0" or "Transfer-Encoding" in told:
            self._connection.set_max_body_size(NO_LIMIT)
            self._body = Body()
            # The app may answer before it has read everything, and its answer must not wait.
            self._relaying = asyncio.create_task(self._relay())

    def _asks_for_the_app(self) -> bool:
        """Whether somebody opens the app, and no page of it in particular."""
        asked = self.addresses.below(self.request.uri or "")
        return asked == "/" and self._wants_page()

    @web.authenticated
    async def pass_on(self) -> None:
        """Pass the request on; where it has a body, it has come completely by now."""
        if self.viewer:
            viewer.answer(self, self.viewer)
            return
        if self._body is None or self._relaying is None:
            self._relaying = cast("asyncio.Task[None]", asyncio.current_task())
            await self._relay()
        else:
            self._body.end()
            await self._relaying

    get = head = post = put = patch = delete = options = pass_on
    propfind = proppatch = mkcol = copy = move = lock = unlock = pass_on
    search = report = query = purge = pass_on

    def data_received(self, chunk: bytes) -> asyncio.Future[None] | None:
        """Pass a piece of the body on, and wait where the app does not keep up."""
        return self._body.feed(chunk) if self._body else None

    def on_connection_close(self) -> None:
        """Hang up on the app as soon as the client has hung up on us."""
        super().on_connection_close()
        self._client_left = True
        if self._body:
            self._body.break_off()
        if self._relaying and self._relaying is not asyncio.current_task():
            self._relaying.cancel()

    @property
    def _connection(self) -> HTTP1Connection:
        return cast("HTTP1Connection", self.request.connection)

    # -- passing on ------------------------------------------------------------------------------

    async def _relay(self) -> None:
        response: ClientResponse | None = None
        try:
            if self.upstream is None:
                await self._let_finish()
                self.not_ready()
                return
            response = await self._ask()
            if response is not None:
                await self._answer(response)
        except asyncio.CancelledError:
            if not self._client_left:
                raise
            # It was us, in on_connection_close: nobody waits for an answer any more.
            cast("asyncio.Task[None]", asyncio.current_task()).uncancel()
        except StreamClosedError:
            pass
        finally:
            if response is not None:
                response.close()

    async def _ask(self) -> ClientResponse | None:
        """Send the request; None where the app did not answer and the client has been told."""
        from aiohttp import ClientConnectorError, ClientError, ConnectionTimeoutError

        request, addresses = self.request, self.addresses
        method = request.method or "GET"
        session = clients(self.settings).session(
            addresses.upstream, repeatable=self._body is None and method in _IDEMPOTENT
        )
        url = address(addresses.upstream, addresses.target(request.uri or "/"))
        told = headers.for_app(request, addresses, self.credentials, self.forwarded_host)
        if self._body is None:
            told.popall("Content-Length", None)
        if addresses.upstream.manners.rewrites:
            told["Accept-Encoding"] = "identity"
        try:
            response = await session.request(
                method, url, headers=told, data=self._body, allow_redirects=False
            )
            if response.status >= 200:
                return response
            response.close()
            await self._sorry(502, self.broken(ValueError(f"an answer of {response.status}")))
        except ConnectionTimeoutError as error:
            await self._sorry(504, self.broken(error))
        except ClientConnectorError:
            await self._let_finish()
            self.not_ready(refused=True)
        except (ClientError, OSError, ValueError) as error:
            await self._sorry(502, self.broken(error))
        return None

    async def _sorry(self, status: int, words: VceError) -> None:
        await self._let_finish()
        self.send_error(status, exc_info=(type(words), words, None))

    # -- answering -------------------------------------------------------------------------------

    async def _answer(self, response: ClientResponse) -> None:
        if rewriting.is_wanted(self.addresses.upstream.manners, response):
            await self._answer_rewritten(response)
            return
        self._begin(response.status, response.reason or "", response.raw_headers)
        if self.request.method == "HEAD" or response.status in (204, 304):
            await self.flush()
            await self._let_finish()
            self.finish()
            return
        from aiohttp import ClientError

        content = response.content
        try:
            chunk = content.read_nowait()
            if content.at_eof() and self._body is None:
                self.finish(chunk)
                return
            while True:
                if chunk:
                    self.write(chunk)
                # Headers alone too, and each piece as it comes: somebody may wait for an event.
                await self.flush()
                if self._client_left:
                    return
                chunk = await content.readany()
                if not chunk:
                    break
        except (ClientError, OSError) as error:
            if isinstance(error, StreamClosedError):
                raise
            self._break_off(error)
            return
        await self._let_finish()
        written = self.finish()
        if self.request.version == "HTTP/1.0" and "Content-Length" not in self._headers:
            # To such a client the end of the connection is the end of the body.
            await written
            self._connection.close()

    async def _answer_rewritten(self, response: ClientResponse) -> None:
        from aiohttp import ClientError

        upstream = self.addresses.upstream
        told = {
            "request": self.request,
            "host": "localhost",
            "port": upstream.port or 0,
            "path": unquote(self.addresses.below(self.request.path)),
        }
        try:
            answer = await rewriting.gather(response, self.lifecycle.spec.title)
            rewriting.rewrite(answer, upstream.manners, told)
            raw_headers = answer.raw_headers()
        except (ClientError, OSError, ValueError) as error:
            await self._sorry(502, self.broken(error))
            return
        await self._let_finish()
        self._begin(answer.code, answer.reason, raw_headers)
        bare = self.request.method == "HEAD" or answer.code in (204, 304)
        self.finish(None if bare else answer.body)

    def _begin(self, status: int, reason: str, raw_headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Take over the app's status and headers. Nothing of ours is added but Jupyter's cookie."""
        # What tornado would do with an app's answer is the app's to do: compress it, for one.
        self._transforms = []
        for ours in ("Server", "Content-Type", "Date"):
            self.clear_header(ours)
        self.set_status(status, reason or responses.get(status) or "Unknown")
        headers.add_all(
            self._headers,
            headers.for_browser(raw_headers, self.addresses, self.credentials),
        )
        if status == 204:
            self.clear_header("Content-Length")

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        """As tornado does; an answer that has begun can only be broken off."""
        if self._headers_written and not self._finished:
            self._break_off(kwargs.get("exc_info", (None, None))[1])
        else:
            super().send_error(status_code, **kwargs)

    def check_etag_header(self) -> bool:
        """Never: whether something has changed is the app's to say."""
        return False

    async def _let_finish(self) -> None:
        """Before the last word: let a client that is still sending come to its end."""
        if self._body:
            await self._body.discard_rest(LINGER_SECONDS)

    def _break_off(self, error: BaseException | None) -> None:
        """Break the transfer to the client as the app broke it: never a short success."""
        self.log.warning("%s broke off its answer: %s", self.lifecycle.spec.name, error)
        stream = self._connection.stream
        if not stream.closed() and "Content-Length" not in self._headers:
            # Without a length, an orderly end could be taken for the end of the body.
            linger = struct.pack("ii", 1, 0)
            stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._connection.close()

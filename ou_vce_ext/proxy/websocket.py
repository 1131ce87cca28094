"""WebSockets to an app: messages both ways, as fast as the slower side, and how they ended."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from tornado import web
from tornado.iostream import IOStream
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from ..errors import VceError
from ..states import ServiceState
from . import headers
from .client import address, clients
from .door import AppDoor
from .raw_socket import RawSocket, Talk

if TYPE_CHECKING:
    from aiohttp import ClientWebSocketResponse

MESSAGE_BYTES: Final = 64 * 1024 * 1024
"""The largest message, in either direction. A larger one ends the connection with code 1009."""
PING_SECONDS: Final = 30.0
START_SECONDS: Final = 45.0
"""How long whoever wants to see a screen waits for its program to start: less than a minute, after
which some proxy in between gives up."""
CLOSE_SECONDS: Final = 5.0
"""How long an app may take to say goodbye."""
_TOKEN_PROTOCOL: Final = "v1.token.websocket.jupyter.org"  # noqa: S105 (its name, not a secret)


class WebSocketProxy(AppDoor, WebSocketHandler):
    """One WebSocket from a browser, and the one to the app that belongs to it."""

    _app: Talk
    _stream: IOStream | None = None
    _pump: asyncio.Task[None] | None = None

    @web.authenticated
    async def get(  # type: ignore[override]  # the decorator forgets that it is a coroutine
        self, *args: Any, **kwargs: Any
    ) -> None:
        """Connect to the app first, so that it decides on the subprotocol, then to the browser."""
        if self.viewer and self.lifecycle.state is ServiceState.STARTING:
            with suppress(TimeoutError):
                async with asyncio.timeout(START_SECONDS):
                    await self.lifecycle.settled()
            self.upstream = self.lifecycle.upstream()
        if self.upstream is None:
            self.not_ready()
            return
        raw = self.upstream.manners.raw_socket
        app: Talk | None = await (self._connect_raw() if raw else self._connect())
        if app is None:
            return
        self._app = app
        try:
            await WebSocketHandler.get(self)
        finally:
            if self._pump:
                self._pump.cancel()
                with suppress(asyncio.CancelledError):
                    await self._pump
            # Whoever goes without a word (1005, 1006) is, to the app, gone: not done.
            code = self.close_code or 1001
            await app.close(code=code, message=(self.close_reason or "").encode()[:123])

    async def _connect(self) -> ClientWebSocketResponse | None:
        from aiohttp import ClientConnectorError, ClientError, ClientWSTimeout
        from aiohttp import WSServerHandshakeError as RefusedError

        addresses = self.addresses
        url = address(addresses.upstream, addresses.target(self.request.uri or "/"))
        try:
            return (
                await clients(self.settings)
                .session(addresses.upstream, repeatable=False)
                .ws_connect(
                    url,
                    headers=headers.for_app(
                        self.request, addresses, self.credentials, self.forwarded_host
                    ),
                    protocols=self._offered(),
                    max_msg_size=MESSAGE_BYTES,
                    autoclose=False,
                    timeout=ClientWSTimeout(ws_close=CLOSE_SECONDS),
                )
            )
        except RefusedError as refusal:
            if refusal.status >= 400:
                # The app's own word: not there, not allowed.
                self.set_status(refusal.status)
                self.finish()
                return None
            self._sorry(refusal)
        except ClientConnectorError:
            self.not_ready(refused=True)
        except (ClientError, OSError, ValueError) as error:
            self._sorry(error)
        return None

    async def _connect_raw(self) -> RawSocket | None:
        try:
            return await RawSocket.connect(self.addresses.upstream, self._offered())
        except OSError:
            self.not_ready(refused=True)
            return None

    def _sorry(self, error: BaseException) -> None:
        words: VceError = self.broken(error)
        self.send_error(502, exc_info=(type(words), words, None))

    def _offered(self) -> list[str]:
        """The browser's subprotocols, but for the one in which Jupyter's token can hide."""
        told = ",".join(self.request.headers.get_list("Sec-WebSocket-Protocol"))
        offered = [each.strip() for each in told.split(",")]
        return [each for each in offered if each and not each.startswith(_TOKEN_PROTOCOL)]

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """Agree to what the app agreed to."""
        return self._app.protocol

    @property
    def max_message_size(self) -> int:
        """As large as what we take from the app."""
        return MESSAGE_BYTES

    @property
    def ping_interval(self) -> float:
        """Often enough that no proxy in between takes the connection for dead."""
        return self.settings.get("websocket_ping_interval") or PING_SECONDS

    @property
    def ping_timeout(self) -> float:
        """Never: a pong waits behind messages the app has not taken yet."""
        return 0

    # -- between the two -------------------------------------------------------------------------

    def open(self, *args: str, **kwargs: str) -> None:
        """Begin to pass on what the app says."""
        self._stream = getattr(self.ws_connection, "stream", None)
        self.set_nodelay(True)
        self._pump = asyncio.create_task(self._from_app())

    async def on_message(self, message: str | bytes) -> None:
        """Pass on what the browser says; the next is read when the app has room for it."""
        if self._tells_of_a_person(message):
            self.count_activity()
        with suppress(ConnectionError):  # the app has gone: _from_app sees to it
            if isinstance(message, str):
                await self._app.send_str(message)
            else:
                await self._app.send_bytes(message)

    def _tells_of_a_person(self, message: str | bytes) -> bool:
        """A viewer asks for pictures by itself, for as long as its page is open."""
        viewer = self.upstream.manners.viewer if self.upstream else None
        return viewer is None or isinstance(message, str) or message[0:1] in viewer.inputs

    async def _from_app(self) -> None:
        from aiohttp import WSMsgType

        with suppress(WebSocketClosedError):
            while True:
                message = await self._app.receive()
                match message.type:
                    case WSMsgType.TEXT:
                        await self.write_message(message.data)
                    case WSMsgType.BINARY:
                        await self.write_message(message.data, binary=True)
                    case WSMsgType.CLOSE:
                        self.close(message.data or None, message.extra or None)
                        return
                    case WSMsgType.ERROR if code := self._app.close_code:
                        self.close(code)
                        return
                    case _:
                        # Gone without a word: so are we, and the browser sees 1006.
                        if self._stream is not None:
                            self._stream.close()
                        return

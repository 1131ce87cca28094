"""A real Jupyter server with the proxy's handlers, real apps behind it, and a client before it."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from jupyter_server.serverapp import ServerApp
from jupyter_server.utils import url_path_join
from yarl import URL

from ou_vce_ext.errors import UnknownError
from ou_vce_ext.models import Capability, ServiceError, ServiceSpec
from ou_vce_ext.models_upstream import Upstream
from ou_vce_ext.proxy import close_clients, handlers
from ou_vce_ext.states import ServiceState


@dataclass
class App:
    """What the proxy asks of a service's lifecycle, as a test tells it."""

    spec: ServiceSpec
    place: Upstream | None = None
    state: ServiceState = ServiceState.READY
    error: ServiceError | None = None
    capabilities: frozenset[Capability] = frozenset({Capability.OPEN})

    @property
    def driver(self) -> App:
        return self

    def upstream(self) -> Upstream | None:
        return self.place if self.state in (ServiceState.READY, ServiceState.UNRESPONSIVE) else None


@dataclass
class Apps:
    """What the proxy asks of a registry."""

    known: dict[str, App] = field(default_factory=dict)

    def get(self, name: str) -> App:
        if name not in self.known:
            raise UnknownError("unknown-service", "There is no service of that name.")
        return self.known[name]

    def add(self, place: Upstream | None = None, name: str = "app", **told: Any) -> App:
        title = told.pop("title", "The app")
        app = App(ServiceSpec(name=name, kind="web", title=title), place, **told)
        self.known[name] = app
        return app


@pytest.fixture
def apps(jp_serverapp: ServerApp, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[Apps]:
    """The services, none at first."""
    web_app = jp_serverapp.web_app
    told = web_app.settings["vce_registry"] = Apps()
    base = web_app.settings["base_url"]
    web_app.add_handlers(  # type: ignore[no-untyped-call]
        ".*$", [(url_path_join(base, path), each) for path, each in handlers()]
    )
    yield told
    jp_asyncio_loop.run_until_complete(close_clients(web_app.settings))


@dataclass
class Browser:
    """A client that sends what it is told, letter by letter, and knows who it is."""

    session: aiohttp.ClientSession
    port: int
    base: str
    token: str

    def address(self, path: str, name: str = "app") -> URL:
        """The address of ``path`` below an app, taken as it is written."""
        return URL.build(
            scheme="http",
            host="127.0.0.1",
            port=self.port,
            path=f"{self.base}vce/app/{name}{path}",
            encoded=True,
        )

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def prefix(self) -> str:
        return f"{self.base}vce/app/app"

    def ask(
        self, path: str, method: str = "GET", *, anonymous: bool = False, **told: Any
    ) -> aiohttp.client._RequestContextManager:
        """Send a request with the token in a header, unless told otherwise."""
        headers = {} if anonymous else {"Authorization": f"token {self.token}"}
        headers.update(told.pop("headers", {}))
        told.setdefault("allow_redirects", False)
        name = told.pop("name", "app")
        return self.session.request(method, self.address(path, name), headers=headers, **told)

    async def cookie(self) -> str:
        """What a browser sends once it is logged in: Jupyter's own cookies."""
        place = self.address("").with_path(f"{self.base}api/status", encoded=True)
        async with self.session.get(place.with_query(token=self.token)) as answer:
            assert answer.status == 200
            return "; ".join(each.split(";")[0] for each in answer.headers.getall("Set-Cookie"))

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A bare connection, for what no client does by itself."""
        return await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 22)

    def head(self, path: str, method: str = "GET", *lines: str) -> bytes:
        """The beginning of a request with the token, as bytes for a bare connection."""
        told = [
            f"{method} {self.prefix}{path} HTTP/1.1",
            f"Host: 127.0.0.1:{self.port}",
            f"Authorization: token {self.token}",
            *lines,
        ]
        return ("\r\n".join(told) + "\r\n\r\n").encode("latin-1")


@pytest.fixture
def browser(
    http_server: object,
    jp_serverapp: ServerApp,
    jp_http_port: int,
    jp_asyncio_loop: asyncio.AbstractEventLoop,
) -> Iterator[Browser]:
    """A client of the Jupyter server."""

    async def begin() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            max_line_size=1 << 18,
            max_headers=1000,
            max_field_size=1 << 18,
        )

    session = jp_asyncio_loop.run_until_complete(begin())
    yield Browser(
        session,
        jp_http_port,
        jp_serverapp.base_url,
        jp_serverapp.identity_provider.token,
    )
    jp_asyncio_loop.run_until_complete(session.close())


@pytest.fixture
def unused_tcp_port() -> Iterator[int]:
    """A port that nobody listens on, and nobody else gets."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


async def echoed(asking: Any) -> dict[str, Any]:
    """What the echoing app says it was asked."""
    async with asking as answer:
        assert answer.status == 200, await answer.read()
        told: dict[str, Any] = json.loads(await answer.read())
        return told

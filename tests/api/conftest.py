"""A server to ask, as anybody, in any way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from jupyter_server.serverapp import ServerApp
from jupyter_server.utils import url_path_join
from tornado.httpclient import HTTPResponse
from traitlets.config import Config

from ou_vce_ext.routes import handlers
from tests.api.house import House
from tests.api.shelf import Shelf

Ask = Callable[..., Awaitable[HTTPResponse]]


@pytest.fixture
def jp_server_config() -> Config:
    """A Jupyter server without the extension: the house behind the routes is of our telling."""
    return Config({"ServerApp": {"jpserver_extensions": {}}})


@pytest.fixture
def house(jp_serverapp: ServerApp) -> House:
    """A house of our telling behind the real routes."""
    app = jp_serverapp.web_app
    app.settings["vce_registry"] = told = House()
    shelf = Shelf(told.asked)

    async def loaded() -> Shelf:
        return shelf

    app.settings["vce_backups"] = loaded
    base = app.settings["base_url"]
    routes = [(url_path_join(base, path), each) for path, each in handlers()]
    app.add_handlers(".*$", routes)  # type: ignore[no-untyped-call]
    return told


@pytest.fixture
def ask(jp_serverapp: ServerApp, http_server_client: Any, jp_auth_header: dict[str, str]) -> Ask:
    """Send a request below ``vce`` as written, with the token unless ``anonymous``."""
    base = jp_serverapp.base_url

    async def send(
        path: str,
        method: str = "GET",
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | str | None = None,
        anonymous: bool = False,
        below: str = "vce",
    ) -> HTTPResponse:
        told = {} if anonymous else dict(jp_auth_header)
        told.update(headers or {})
        response: HTTPResponse = await http_server_client.fetch(
            f"{base}{below}{path}",
            method=method,
            headers=told,
            body=body,
            allow_nonstandard_methods=True,
            follow_redirects=False,
            raise_error=False,
        )
        return response

    return send

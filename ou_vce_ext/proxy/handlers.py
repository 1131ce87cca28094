"""The addresses of apps."""

from __future__ import annotations

from typing import Any

from tornado import web
from tornado.httputil import HTTPServerRequest

from ..routes import errors
from ..routes.base import VCEHandler
from .door import AppDoor
from .http import HttpProxy
from .websocket import WebSocketProxy


class AppHandler(HttpProxy):
    """Everything below an app's address: WebSockets to their own handler, the rest as HTTP."""

    def __new__(
        cls, application: web.Application, request: HTTPServerRequest, **kwargs: Any
    ) -> Any:
        """Choose by the request: tornado knows one handler for an address."""
        if _is_upgrade(request):
            return WebSocketProxy(application, request, **kwargs)
        return super().__new__(cls)


def _is_upgrade(request: HTTPServerRequest) -> bool:
    told = request.headers
    return (
        request.method == "GET"
        and told.get("Upgrade", "").lower() == "websocket"
        and told.get("Content-Length", "0") == "0"
        and "Transfer-Encoding" not in told
    )


class SlashHandler(AppDoor):
    """``app/{name}``: to the same address with a slash, for relative links to lead somewhere."""

    async def prepare(self, *, _redirect_to_login: bool = False) -> None:
        """Tell strangers that they are strangers, and then what this address takes."""
        await super().prepare()
        if not self._finished and self.request.method not in ("GET", "HEAD"):
            raise errors.NotAllowedError(self.request.method or "", {"GET", "HEAD"})

    @web.authenticated
    def get(self) -> None:
        """Redirect, keeping the query as it is."""
        path, mark, query = (self.request.uri or "").partition("?")
        self.redirect(f"{path}/{mark}{query}")

    head = get


def handlers() -> list[tuple[str, type[VCEHandler]]]:
    """Give (pattern below ``base_url``, handler) for everything below ``vce/app/``."""
    # No groups: tornado would decode them, and refuse what is no UTF-8 though an app may take it.
    return [("/vce/app/[^/]+", SlashHandler), ("/vce/app/[^/]+/.*", AppHandler)]

"""Jupyter's generic ``proxy/PORT``, which another extension may bring: no way around our door.

jupyter-server-proxy connects whoever is logged in to any port of this machine, asks no authorizer
and hands Jupyter's cookies on. For ports that services of this house hold, we answer instead.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, cast

from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher, Rule
from tornado.web import Application, stream_request_body

from ..models import Capability
from ..routes import errors
from ..routes.base import Action, VCEHandler
from ..sentences import say
from ..states import AT_REST
from .http import METHODS

if TYPE_CHECKING:
    from ..services.lifecycle import Lifecycle
    from ..services.registry import Registry

_PLACE: Final = r"proxy/(?:absolute/)?(?:[^/:@]+:)?(\d{1,20})(/.*)?"


@stream_request_body
class GenericHandler(VCEHandler):
    """Leads to the app's own address, where the rules are; refuses what has none."""

    SUPPORTED_METHODS = METHODS
    lifecycle: Lifecycle
    below: str

    def initialize(self, lifecycle: Lifecycle, below: str) -> None:
        """Take the service that holds the port, and the path that was asked of it."""
        self.lifecycle = lifecycle
        self.below = below

    async def prepare(self, *, _redirect_to_login: bool = False) -> None:
        """Answer; strangers, and those who may not use services, as everywhere."""
        await super().prepare()
        if self._finished:
            return
        title, name = self.lifecycle.spec.title, self.lifecycle.spec.name
        has_page = Capability.OPEN in self.lifecycle.driver.capabilities
        if not has_page or self.request.headers.get("Upgrade", "").lower() == "websocket":
            place = (
                say("It is at vce/app/{name}/.", name=name)
                if has_page
                else say("Its details in the panel tell.")
            )
            raise errors.RefusedError(
                "forbidden",
                say(
                    "{title} has this port, and is not reached this way. Nothing was done.",
                    title=title,
                ),
                place,
            )
        _, mark, query = (self.request.uri or "").partition("?")
        self.redirect(f"{self.base_url}vce/app/{name}{self.below}{mark}{query}", status=307)

    def data_received(self, chunk: bytes) -> None:
        """Drop what is still sent: the answer has been given."""

    def action_for(self, method: str) -> Action | None:
        """As at the app's own door."""
        return "execute"

    def check_xsrf_cookie(self) -> None:
        """Do nothing: nothing is done here, and the app's own door looks."""


class _HeldPort(Matcher):
    """Matches requests for a port that a service of ours holds at this moment."""

    def __init__(self, registry: Registry, base_url: str) -> None:
        self._registry = registry
        self._pattern = re.compile(re.escape(base_url) + _PLACE, re.DOTALL)

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Give the handler's arguments, or None where the request is none of our business."""
        found = self._pattern.fullmatch(request.path)
        if found is None:
            return None
        item = _holder(self._registry, int(found[1]))
        if item is None:
            return None
        return {"target_kwargs": {"lifecycle": item, "below": found[2] or "/"}}


def _holder(registry: Registry, port: int) -> Lifecycle | None:
    for name in registry.names():
        item = registry.get(name)
        if item.state not in AT_REST and not item.spec.external and port in _ports(item):
            return item
    return None


def _ports(item: Lifecycle) -> set[int | None]:
    upstream, connection = item.driver.upstream(), item.driver.connection()
    return {upstream.port if upstream else None, connection.port if connection else None}


def guard(web_app: Application, base_url: str, registry: Registry) -> None:
    """Answer for our ports before any other handler does, whichever is added when."""
    rule = Rule(_HeldPort(registry, base_url), GenericHandler)
    cast("Any", web_app).default_router.rules.insert(0, rule)

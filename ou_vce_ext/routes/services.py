"""The services: what there is, starting and stopping it, and what it wrote."""

from __future__ import annotations

import re
from typing import Final

from tornado import web

from ..errors import BadRequestError
from ..models import Operation
from ..sentences import say
from .api import ApiHandler
from .base import EXECUTE, READ, VCEHandler

MAX_LINES: Final = 10_000


class ServicesHandler(ApiHandler):
    """``api/services``."""

    actions = READ

    @web.authenticated
    async def get(self) -> None:
        """List every service."""
        services = await self.registry.describe_all()
        self.answer({"services": [service.to_json() for service in services]})

    head = get


class ServiceHandler(ApiHandler):
    """``api/services/{name}``."""

    actions = READ

    @web.authenticated
    async def get(self, name: str) -> None:
        """Describe one service."""
        service = await self.registry.describe(self.service_name(name))
        self.answer(service.to_json())

    head = get


class StartHandler(ApiHandler):
    """``api/services/{name}/start``."""

    actions = EXECUTE

    @web.authenticated
    def post(self, name: str) -> None:
        """Start it, or join the start that runs."""
        self.json_body({})
        accept(self, self.registry.start(self.service_name(name)))


class StopHandler(ApiHandler):
    """``api/services/{name}/stop``."""

    actions = EXECUTE

    @web.authenticated
    def post(self, name: str) -> None:
        """Stop it; ``cancel`` also ends a backup or restore that is in the way.

        With ``force`` it is asked nothing, and no answer is waited for.
        """
        body = self.json_body({"cancel": (bool,), "force": (bool,)})
        cancel, force = (bool(body.get(key, False)) for key in ("cancel", "force"))
        accept(self, self.registry.stop(self.service_name(name), cancel=cancel, force=force))


class RestartHandler(ApiHandler):
    """``api/services/{name}/restart``."""

    actions = EXECUTE

    @web.authenticated
    def post(self, name: str) -> None:
        """Stop it and start it again; ``force`` is that of a stop."""
        force = bool(self.json_body({"force": (bool,)}).get("force", False))
        accept(self, self.registry.restart(self.service_name(name), force=force))


class LogsHandler(ApiHandler):
    """``api/services/{name}/logs``."""

    actions = READ

    @web.authenticated
    def get(self, name: str) -> None:
        """Show the last ``lines`` lines it wrote, oldest first."""
        known = self.service_name(name)
        text = self.registry.logs(known, _lines(self.get_query_argument("lines", "200")))
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        # A program may print half a character; what it wrote is still shown.
        self.finish(text.encode("utf-8", "replace"))

    head = get


def accept(handler: VCEHandler, operation: Operation) -> None:
    """Answer 202 with an operation that a person asked for."""
    handler.record_activity()
    handler.answer(operation.to_json(), status=202)


def _lines(given: str) -> int:
    if re.fullmatch(r"[0-9]{1,5}", given) and 1 <= int(given) <= MAX_LINES:
        return int(given)
    raise BadRequestError(
        say("lines must be a whole number from 1 to {max_lines}.", max_lines=MAX_LINES),
        say("Leave it out for the last 200 lines."),
    )

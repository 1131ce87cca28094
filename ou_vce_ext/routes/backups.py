"""The backups: what there is, taking them, proving them, bringing them back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, cast

from tornado import web

from ..errors import BadRequestError
from ..models import Json
from ..sentences import say
from .api import ApiHandler
from .base import READ, Action, VCEHandler
from .services import accept

WRITE: Final[Mapping[str, Action]] = {"POST": "write"}
_ONE: Final[Mapping[str, Action]] = {**READ, "PATCH": "write", "DELETE": "write"}
_RESET: Final[Mapping[str, Action]] = {**READ, **WRITE}
_LONGEST_NAME: Final = 63
_SERVICE: Final = re.compile(r"[a-z][a-z0-9-]{0,30}")


def asked_service(handler: VCEHandler) -> str | None:
    """The ``service`` a query names, or None. Raises BadRequestError for what is no name."""
    given = handler.get_query_argument("service", None)
    if given is not None and not _SERVICE.fullmatch(given):
        raise BadRequestError(
            say("`service` is not the name of a service. Nothing was done."),
            say("The panel lists the services there are."),
        )
    return given


class ServiceBackupsHandler(ApiHandler):
    """``api/services/{name}/backups``."""

    actions = WRITE

    @web.authenticated
    async def post(self, name: str) -> None:
        """Back the service up, or join the backup that runs."""
        self.json_body({})
        backups = await self.backups()
        accept(self, await backups.back_up(self.service_name(name)))


class ResetHandler(ApiHandler):
    """``api/services/{name}/reset``."""

    actions = _RESET

    @web.authenticated
    async def get(self, name: str) -> None:
        """Tell what a reset would do."""
        backups = await self.backups()
        preview = await backups.preview_reset(self.service_name(name))
        self.answer(preview.to_json())

    head = get

    @web.authenticated
    async def post(self, name: str) -> None:
        """Make the service as fresh as declared."""
        body = self.json_body({"without_safety_copy": (bool,)})
        without = body.get("without_safety_copy") is True
        backups = await self.backups()
        operation = await backups.reset(self.service_name(name), without_safety_copy=without)
        accept(self, operation)


class BackupHandler(ApiHandler):
    """``api/backups/{id}``."""

    actions = _ONE

    @web.authenticated
    async def get(self, identifier: str) -> None:
        """Describe one backup."""
        backups = await self.backups()
        self.answer((await backups.get(identifier)).backup.to_json())

    head = get

    @web.authenticated
    async def patch(self, identifier: str) -> None:
        """Pin it, or let it go."""
        pinned = self.json_body({"pinned": (bool,)}).get("pinned")
        if not isinstance(pinned, bool):
            raise BadRequestError(
                say("`pinned` is missing. Nothing was done."),
                say('Send {"pinned": true} or false.'),
            )
        self.record_activity()
        backups = await self.backups()
        self.answer((await backups.pin(identifier, pinned)).to_json())

    @web.authenticated
    async def delete(self, identifier: str) -> None:
        """Delete it."""
        self.json_body({})
        backups = await self.backups()
        await backups.remove(identifier)
        self.record_activity()
        self.set_status(204)
        self.clear_header("Content-Type")
        self.finish()


class VerifyHandler(ApiHandler):
    """``api/backups/{id}/verify``."""

    actions = WRITE

    @web.authenticated
    async def post(self, identifier: str) -> None:
        """Prove it."""
        self.json_body({})
        backups = await self.backups()
        accept(self, await backups.verify(identifier))


class RestoreHandler(ApiHandler):
    """``api/backups/{id}/restore``."""

    actions = WRITE

    @web.authenticated
    async def post(self, identifier: str) -> None:
        """Bring its data back."""
        none = type(None)
        body = self.json_body(
            {"as": (str, none), "items": (list, none), "without_safety_copy": (bool,)}
        )
        backups = await self.backups()
        operation = await backups.restore(
            identifier,
            name=_name(body.get("as")),
            items=texts(body.get("items"), "items"),
            without_safety_copy=body.get("without_safety_copy") is True,
        )
        accept(self, operation)


class EverythingHandler(ApiHandler):
    """``api/backups/all``."""

    actions = WRITE

    @web.authenticated
    async def post(self) -> None:
        """Back up every service, and folders where they are asked for."""
        body = self.json_body({"folders": (list,)})
        folders = texts(body.get("folders"), "folders", least=0) or []
        backups = await self.backups()
        accept(self, await backups.back_up_everything(folders))


def _name(given: Json) -> str | None:
    if given is None:
        return None
    name = cast("str", given)
    if not 1 <= len(name) <= _LONGEST_NAME:
        raise BadRequestError(
            say(
                "`as` must have 1 to {longest_name} characters. Nothing was done.",
                longest_name=_LONGEST_NAME,
            ),
            say("Leave it out to replace what is there."),
        )
    return name


def texts(given: Json, key: str, least: int = 1) -> list[str] | None:
    """A list of texts that a body has under ``key``, or None. Raises BadRequestError."""
    if given is None:
        return None
    found = [item for item in cast("list[Json]", given) if isinstance(item, str) and item]
    if len(found) != len(cast("list[Json]", given)) or len(set(found)) != len(found):
        raise BadRequestError(
            say("`{key}` must hold texts, each of them once. Nothing was done.", key=key)
        )
    if len(found) < least:
        raise BadRequestError(
            say("`{key}` is empty. Nothing was done.", key=key),
            say("Leave `{key}` out to have them all.", key=key),
        )
    return found

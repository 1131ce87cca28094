"""A MongoDB server that others run: only ever asked how it is."""

from __future__ import annotations

import asyncio
import importlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ...errors import DefiniteError
from ...sentences import say
from ...services.turns import giving_way
from .options import Declared

if TYPE_CHECKING:
    from pymongo import AsyncMongoClient


class ExternalServer:
    """A server at a declared address, asked through one client that is kept."""

    def __init__(self, declared: Declared) -> None:
        self._declared = declared
        self._client: AsyncMongoClient[dict[str, Any]] | None = None
        self.release = ""
        """What it last said of itself, such as ``6.0.5``."""

    async def answers(self) -> bool:
        """True when it answers to the declared user. Raises DefiniteError with the reason if not.

        A server without a password is asked without one, and lets everybody ask.
        """
        await asyncio.to_thread(giving_way(importlib.import_module), "pymongo")
        from pymongo.errors import ConfigurationError, OperationFailure, PyMongoError

        declared = self._declared
        where = {"host": declared.host, "port": declared.port}
        try:
            admin = self._connected().admin
            await admin.command("ping")
        except ConfigurationError as error:
            raise DefiniteError(
                "config-invalid",
                say("The address declared for this service cannot be used: {error}.", error=error),
                say("Correct `uri` in this service's declaration."),
            ) from error
        except OperationFailure as error:
            reason = (error.details or {}).get("errmsg") or say("no reason given")
            raise DefiniteError(
                "credentials-refused",
                say(
                    "The MongoDB server at {host}, port {port}, does not let {user} in: {reason}.",
                    user=declared.user,
                    reason=reason,
                    **where,
                ),
                say("Correct `uri`, or `user` and `password`, in this service's declaration."),
            ) from error
        except PyMongoError as error:
            raise DefiniteError(
                "external-down",
                say(
                    "The MongoDB server at {host}, port {port}, does not answer. It is run outside "
                    "JupyterLab.",
                    **where,
                ),
                say("Ask whoever looks after it. It is shown here as soon as it is back."),
            ) from error
        # A server that keeps its release to itself is well all the same.
        with suppress(PyMongoError):
            self.release = str((await admin.command("buildInfo"))["version"])
        return True

    def _connected(self) -> AsyncMongoClient[dict[str, Any]]:
        from pymongo import AsyncMongoClient

        if self._client is None:
            self._client = AsyncMongoClient(
                self._declared.uri,
                serverSelectionTimeoutMS=2000,
                connectTimeoutMS=2000,
                serverMonitoringMode="poll",
                heartbeatFrequencyMS=60_000,
            )
        return self._client

    async def close(self) -> None:
        """Let go of the client."""
        client, self._client = self._client, None
        if client:
            await client.close()

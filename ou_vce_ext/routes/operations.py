"""The operations: what people asked for, how far it is, and calling it off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tornado import web

from ..errors import BadRequestError, UnknownError
from ..models import OperationState
from ..sentences import say
from .api import ApiHandler
from .base import READ, Action
from .services import accept

_ONE: Final[Mapping[str, Action]] = {**READ, "DELETE": "execute"}
_ON_DATA: Final = frozenset({"backup", "verify", "restore", "reset"})


class OperationsHandler(ApiHandler):
    """``api/operations``."""

    actions = READ

    @web.authenticated
    def get(self) -> None:
        """List the operations, newest first, those in one ``state`` where it is given."""
        given = self.get_query_argument("state", None)
        operations = self.registry.operations.list(None if given is None else _state(given))
        self.answer({"operations": [operation.to_json() for operation in operations]})

    head = get


class OperationHandler(ApiHandler):
    """``api/operations/{id}``."""

    actions = _ONE

    def action_for(self, method: str) -> Action | None:
        """Ask for the same to call off work on the data as to start it."""
        if method == "DELETE" and self._kind() in _ON_DATA:
            return "write"
        return super().action_for(method)

    def _kind(self) -> str | None:
        try:
            return self.registry.operations.get(self.path_args[0]).kind
        except UnknownError:
            return None

    @web.authenticated
    def get(self, operation_id: str) -> None:
        """Tell how far one operation is."""
        self.answer(self.registry.operations.get(operation_id).to_json())

    head = get

    @web.authenticated
    def delete(self, operation_id: str) -> None:
        """Call it off."""
        self.json_body({})
        accept(self, self.registry.operations.cancel(operation_id))


def _state(given: str) -> OperationState:
    try:
        return OperationState(given)
    except ValueError:
        raise BadRequestError(
            say("There is no such state of an operation."),
            say("Ask for one of {names}, or leave state out.", names=", ".join(OperationState)),
        ) from None

"""Tells the log, and whoever listens on Jupyter's event system, what moved. Hints, never state."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Final

from .models import Operation
from .services.lifecycle import Lifecycle
from .states import ServiceState

_SCHEMAS: Final = Path(__file__).parent / "event_schemas"
SERVICE_STATE: Final = "https://schema.ou-vce-ext.org/events/service-state/v1"
OPERATION: Final = "https://schema.ou-vce-ext.org/events/operation/v1"


class Announcer:
    """Announces moves of services and operations. ``events`` is Jupyter's EventLogger."""

    def __init__(self, events: Any, log: logging.Logger) -> None:
        self._events = events
        self._log = log
        for schema in sorted(_SCHEMAS.glob("*.yaml")):
            events.register_event_schema(schema)

    def moved(self, item: Lifecycle, old: ServiceState, new: ServiceState) -> None:
        """Announce that a service went from one state to another."""
        why = f": {item.error.message}" if item.error else ""
        level = logging.WARNING if new is ServiceState.FAILED else logging.INFO
        self._log.log(level, "%s: %s -> %s%s", item.spec.name, old.value, new.value, why)
        self._emit(
            SERVICE_STATE,
            {
                "service": item.spec.name,
                "old": old.value,
                "new": new.value,
                "code": item.error.code if item.error else None,
            },
        )

    def worked(self, operation: Operation) -> None:
        """Announce that an operation began, moved on or ended."""
        self._emit(
            OPERATION,
            {
                "id": operation.id,
                "kind": operation.kind,
                "service": operation.service,
                "state": operation.state.value,
                "progress": operation.progress,
            },
        )

    def _emit(self, schema: str, data: dict[str, Any]) -> None:
        try:
            self._events.emit(schema_id=schema, data=data)
        except Exception:
            # Events are hints: a broken listener of somebody else's must not stop a service.
            self._log.debug("an event could not be emitted", exc_info=True)

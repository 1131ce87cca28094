"""A house that only says what a test tells it to: for states no real service can be asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ou_vce_ext.errors import ConflictError, UnknownError
from ou_vce_ext.models import (
    Capability,
    Operation,
    OperationState,
    Service,
    ServiceError,
    Usage,
)
from ou_vce_ext.models_status import Problem
from ou_vce_ext.states import ServiceState

NOW = datetime.now(UTC)
AGES_AGO = NOW - timedelta(days=3, minutes=5)
"""Said as 3 days ago for as long as the tests may run."""


def a_service(name: str, **changes: object) -> Service:
    """One service that is ready, but for ``changes``."""
    service = Service(
        name=name,
        title=name.capitalize(),
        kind="web",
        icon=None,
        state=ServiceState.READY,
        since=AGES_AGO,
        ready_seconds=3.4,
        pid=4242,
        url=f"/vce/app/{name}/",
        open="tab",
        connection=None,
        usage=Usage(230_000_000, 1.5, 12),
        restarts=0,
        retry_at=None,
        autostart=False,
        requires=(),
        operation=None,
        error=None,
        capabilities=frozenset(
            {Capability.OPEN, Capability.START, Capability.STOP, Capability.LOGS}
        ),
        data_dir=None,
    )
    return replace(service, **changes)  # type: ignore[arg-type]


def an_operation(identifier: str, kind: str = "start", **changes: object) -> Operation:
    """One start that runs, but for ``changes``."""
    operation = Operation(
        id=identifier,
        kind=kind,
        service=None,
        state=OperationState.RUNNING,
        progress=0.5,
        message="Starting OpenRefine: loading Java",
        started=NOW - timedelta(seconds=3),
    )
    return replace(operation, **changes)  # type: ignore[arg-type]


class Operations:
    """What people asked for, as told."""

    def __init__(self) -> None:
        self.known: list[Operation] = []

    def list(self, state: OperationState | None = None) -> list[Operation]:
        return [one for one in self.known if state is None or one.state is state]

    def get(self, identifier: str) -> Operation:
        for one in self.known:
            if one.id == identifier:
                return one
        raise UnknownError("unknown-operation", "There is no such operation.")

    def cancel(self, identifier: str) -> Operation:
        found = self.get(identifier)
        if found.state is not OperationState.RUNNING:
            raise ConflictError("It has ended.", "Nothing to do.", code="not-cancellable")
        return found


class House:
    """What the routes ask of a registry, answered from lists. ``asked`` records what was asked."""

    def __init__(self) -> None:
        self.services: list[Service] = [a_service("openrefine"), a_service("postgres")]
        self.found: list[Problem] = []
        self.troubles: dict[str, tuple[datetime, ServiceError]] = {}
        self.operations = Operations()
        self.asked: list[tuple[str, ...]] = []
        self.picture: str | None = str(Path(__file__).parent / "data" / "icon.svg")
        self.failure: Exception | None = None
        self.log = ""

    def names(self) -> list[str]:
        """None whose declaration could be asked for."""
        return []

    async def describe(self, name: str) -> Service:
        return self._find(name)

    async def describe_all(self) -> list[Service]:
        if self.failure:
            raise self.failure
        return self.services

    def start(self, name: str) -> Operation:
        return self._do("start", name)

    def stop(self, name: str, *, cancel: bool = False, force: bool = False) -> Operation:
        return self._do("stop", name, f"cancel={cancel}", f"force={force}")

    def restart(self, name: str, *, force: bool = False) -> Operation:
        return self._do("restart", name, f"force={force}")

    def logs(self, name: str, lines: int) -> str:
        self._find(name)
        self.asked.append(("logs", name, str(lines)))
        return self.log

    def icon(self, name: str) -> str | None:
        self._find(name)
        return self.picture

    def problems(self) -> list[Problem]:
        return self.found

    def last_troubles(self) -> dict[str, tuple[datetime, ServiceError]]:
        return self.troubles

    def _do(self, kind: str, name: str, *more: str) -> Operation:
        self._find(name)
        self.asked.append((kind, name, *more))
        if self.failure:
            raise self.failure
        return an_operation("1f2e3d", kind, service=name)

    def _find(self, name: str) -> Service:
        for service in self.services:
            if service.name == name:
                return service
        raise UnknownError("unknown-service", "There is no service of that name.")


def an_error(message: str, hint: str = "", **changes: object) -> ServiceError:
    """What happened to a service that died."""
    return replace(ServiceError("died", message, hint, exit_code=1), **changes)  # type: ignore[arg-type]

"""How the whole house is, as values that never change and their JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from .models import Json, Operation, OperationState, Service, iso
from .states import TRANSITIONAL, ServiceState


class Overall(StrEnum):
    """The one word for everything, from best to worst."""

    OK = "ok"
    BUSY = "busy"
    ATTENTION = "attention"
    FAILED = "failed"


class Problem(NamedTuple):
    """Something that needs a person; ``service`` is None where it concerns them all."""

    service: str | None
    code: str
    message: str
    hint: str
    since: datetime

    def to_json(self) -> dict[str, Json]:
        """Give the contract's Problem object."""
        return {
            "service": self.service,
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "since": iso(self.since),
        }


class DiskUsage(NamedTuple):
    """How much room one file system has, in bytes; ``label`` says in words what lives there."""

    label: str
    total_bytes: int
    free_bytes: int

    def to_json(self) -> dict[str, Json]:
        """Give the contract's DiskUsage object."""
        return {
            "label": self.label,
            "total_bytes": self.total_bytes,
            "free_bytes": self.free_bytes,
        }


class MemoryUsage(NamedTuple):
    """The memory of this machine, or container, in bytes; ``free_bytes`` None where not told."""

    total_bytes: int
    free_bytes: int | None

    def to_json(self) -> dict[str, Json]:
        """Give the contract's MemoryUsage object."""
        return {"total_bytes": self.total_bytes, "free_bytes": self.free_bytes}


class Status(NamedTuple):
    """Everything the status page shows; operations newest first, problems worst first."""

    services: Sequence[Service]
    operations: Sequence[Operation]
    disk: Sequence[DiskUsage]
    memory: MemoryUsage
    versions: Mapping[str, str]
    problems: Sequence[Problem]

    @property
    def state(self) -> Overall:
        """The first that is true of: a service failed, something needs a person, work goes on."""
        states = {service.state for service in self.services}
        if ServiceState.FAILED in states:
            return Overall.FAILED
        if self.problems or ServiceState.UNRESPONSIVE in states:
            return Overall.ATTENTION
        if states & TRANSITIONAL or any(
            operation.state is OperationState.RUNNING for operation in self.operations
        ):
            return Overall.BUSY
        return Overall.OK

    def to_json(self) -> dict[str, Json]:
        """Give the contract's Status object."""
        return {
            "state": self.state.value,
            "services": [service.to_json() for service in self.services],
            "operations": [operation.to_json() for operation in self.operations],
            "disk": [disk.to_json() for disk in self.disk],
            "memory": self.memory.to_json(),
            "versions": dict(self.versions),
            "problems": [problem.to_json() for problem in self.problems],
        }

"""The states a service can be in, and the only moves between them.

This module imports the standard library alone, so that every other layer, and any tool that reads
a status, can share one truth about states.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class ServiceState(StrEnum):
    """What a service is doing, as a person reads it on the panel and a program in the REST API."""

    UNAVAILABLE = "unavailable"
    STOPPED = "stopped"
    STARTING = "starting"
    READY = "ready"
    UNRESPONSIVE = "unresponsive"
    STOPPING = "stopping"
    BACKOFF = "backoff"
    FAILED = "failed"


TRANSITIONS: Final[dict[ServiceState, frozenset[ServiceState]]] = {
    ServiceState.UNAVAILABLE: frozenset({ServiceState.STOPPED}),
    ServiceState.STOPPED: frozenset(
        {ServiceState.STARTING, ServiceState.UNAVAILABLE, ServiceState.FAILED}
    ),
    ServiceState.STARTING: frozenset(
        {
            ServiceState.READY,
            ServiceState.STOPPING,
            ServiceState.STOPPED,
            ServiceState.BACKOFF,
            ServiceState.FAILED,
            ServiceState.UNAVAILABLE,
        }
    ),
    ServiceState.READY: frozenset(
        {
            ServiceState.UNRESPONSIVE,
            ServiceState.STOPPING,
            ServiceState.STOPPED,
            ServiceState.BACKOFF,
            ServiceState.FAILED,
        }
    ),
    ServiceState.UNRESPONSIVE: frozenset(
        {
            ServiceState.READY,
            ServiceState.STOPPING,
            ServiceState.STOPPED,
            ServiceState.BACKOFF,
            ServiceState.FAILED,
        }
    ),
    ServiceState.STOPPING: frozenset({ServiceState.STOPPED, ServiceState.FAILED}),
    ServiceState.BACKOFF: frozenset(
        {
            ServiceState.STARTING,
            ServiceState.STOPPED,
            ServiceState.FAILED,
            ServiceState.UNAVAILABLE,
        }
    ),
    ServiceState.FAILED: frozenset(
        {ServiceState.STARTING, ServiceState.STOPPED, ServiceState.UNAVAILABLE}
    ),
}
"""From each state, the states it may move to. Anything else is a programming error."""

TRANSITIONAL: Final = frozenset(
    {ServiceState.STARTING, ServiceState.STOPPING, ServiceState.BACKOFF}
)
"""States that end by themselves: worth looking at again soon."""

RUNNING: Final = frozenset(
    {
        ServiceState.STARTING,
        ServiceState.READY,
        ServiceState.UNRESPONSIVE,
        ServiceState.STOPPING,
    }
)
"""States in which the service may own processes."""

AT_REST: Final = frozenset({ServiceState.UNAVAILABLE, ServiceState.STOPPED, ServiceState.FAILED})
"""States in which nothing runs and nothing will happen until a person asks."""


class IllegalTransitionError(RuntimeError):
    """A move the table does not allow: a defect of ours, never of the student's."""


def check_transition(old: ServiceState, new: ServiceState) -> None:
    """Raise :class:`IllegalTransitionError` unless ``old -> new`` stands in the table."""
    if new not in TRANSITIONS[old]:
        raise IllegalTransitionError(f"a service cannot move from {old} to {new}")

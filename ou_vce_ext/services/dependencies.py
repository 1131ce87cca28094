"""Who needs whom: services are started after what they require, and stopped before it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..models import ServiceError
from ..sentences import say
from ..states import AT_REST

if TYPE_CHECKING:
    from .lifecycle import Lifecycle


def dependents(name: str, services: Mapping[str, Lifecycle]) -> list[Lifecycle]:
    """The services not at rest that need ``name``, straight or by way of others.

    In the order to stop them in: each before all that it requires itself.
    """
    needing = {name}
    while True:
        more = {
            item.spec.name for item in services.values() if needing.intersection(item.spec.requires)
        }
        if more <= needing:
            break
        needing |= more
    needing.discard(name)
    return [
        services[other]
        for layer in stopping_order({each: services[each] for each in needing})
        for other in layer
        if services[other].state not in AT_REST and not services[other].spec.external
    ]


def stopping_order(services: Mapping[str, Lifecycle]) -> list[list[str]]:
    """Names in layers: nothing in a layer is required by what comes after it."""
    layers: list[list[str]] = []
    waiting = dict(services)
    while waiting:
        needed = {name for item in waiting.values() for name in item.spec.requires}
        free = [name for name in waiting if name not in needed] or list(waiting)
        layers.append(free)
        for name in free:
            del waiting[name]
    return layers


def dependency_failed(item: Lifecycle, needed: Lifecycle, message: str, hint: str) -> ServiceError:
    """Why ``item`` was not started: what it requires could not be."""
    return ServiceError(
        "dependency-failed",
        say(
            "{title} was not started, because it needs {needed}, which could not be "
            "started: {message}",
            title=item.spec.title,
            needed=needed.spec.title,
            message=message,
        ),
        hint,
    )

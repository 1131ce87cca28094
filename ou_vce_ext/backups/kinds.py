"""Which strategy is for which kind of service. Each is imported when it is first needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Final, cast

from ..drivers.base import Driver
from .strategy import Strategy

_CLASSES: Final[Mapping[str, tuple[str, str]]] = {
    "postgres": (".postgres.strategy", "PostgresStrategy"),
    "mongo": (".mongo.strategy", "MongoStrategy"),
    "openrefine": (".openrefine.strategy", "OpenRefineStrategy"),
    "web": (".folder.strategy", "FolderStrategy"),
    "desktop": (".folder.strategy", "FolderStrategy"),
}


def strategy_for(driver: Driver) -> Strategy | None:
    """How ``driver``'s service is backed up, or None where its kind cannot be."""
    place = _CLASSES.get(driver.spec.kind)
    if place is None:
        return None
    module, name = place
    found = getattr(import_module(module, __package__), name)
    return cast("Strategy", found(driver))


def import_for(kinds: Iterable[str]) -> None:
    """Import the strategies of ``kinds``, for whoever cannot wait for it later. Blocks."""
    for kind in kinds:
        if place := _CLASSES.get(kind):
            import_module(place[0], __package__)

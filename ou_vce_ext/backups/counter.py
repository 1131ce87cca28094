"""What each service's kind can do with data, and whether there is room for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from ..drivers.base import Driver
from ..errors import ConflictError, UnknownError
from ..models import Capability
from ..sentences import say
from ..services.description import capabilities
from ..services.lifecycle import Lifecycle
from ..services.registry import Registry
from . import room
from .strategy import Source, Strategy

Need = tuple[str, Path, int | None]
"""What for, where, and how many bytes."""
_PATIENCE: Final = 5.0
"""Seconds in which a service has to say how large its data are."""


class Counter:
    """Finds services' strategies, and asks them and the disk. Lives in the event loop."""

    def __init__(
        self, registry: Registry, strategy_for: Callable[[Driver], Strategy | None]
    ) -> None:
        self._registry = registry
        self._strategy_for = strategy_for
        self._strategies: dict[str, Strategy | None] = {}

    def strategy(self, service: str) -> Strategy | None:
        """How a service is backed up, or None where its kind cannot be. Raises UnknownError."""
        item = self._registry.get(service)
        if service not in self._strategies:
            usable = not item.spec.problem
            self._strategies[service] = self._strategy_for(item.driver) if usable else None
        return self._strategies[service]

    def able(self, service: str, capability: Capability) -> tuple[Lifecycle, Strategy]:
        """A service and how it is backed up. Raises UnknownError or ConflictError."""
        item = self._registry.get(service)
        strategy = self.strategy(service)
        if strategy is not None and capability is Capability.RESET:
            refuse_external(item)
        if strategy is None or capability not in capabilities(item):
            raise ConflictError(
                _incapable(item.spec.title, capability),
                say("What it keeps in folders you see can be copied with the file browser."),
                code="capability-missing",
            )
        return item, strategy

    def all_able(self, capability: Capability) -> list[tuple[Lifecycle, Strategy]]:
        """All services that can, in declared order."""
        found = []
        for name in self._registry.names():
            with suppress(ConflictError):
                found.append(self.able(name, capability))
        return found

    async def recognise(self, service: str, path: Path, filename: str) -> Source:
        """Open a file of a service. Raises VceError."""
        strategy = None
        with suppress(UnknownError):
            strategy = self.strategy(service)
        if strategy is None:
            raise ConflictError(
                say("{service} has no backups here.", service=service), code="capability-missing"
            )
        return await strategy.open(path, filename)

    async def estimate(self, strategy: Strategy) -> int | None:
        """About how many bytes a backup would take; None where nobody says so in time."""
        try:
            async with asyncio.timeout(_PATIENCE):
                return await strategy.estimate()
        except TimeoutError:
            return None

    async def to_build(self, item: Lifecycle, strategy: Strategy, size: int | None) -> Need:
        """The room that new data of ``size`` bytes, or as large as the live ones, will take."""
        live = await strategy.data_bytes() or 0
        return (say("the new data"), item.driver.data_dir, max(live, size or 0))

    async def require(self, *needs: Need) -> None:
        """Raise VceError (``disk-full``) unless there is room."""
        await asyncio.to_thread(room.require, needs)


def _incapable(title: str, capability: Capability) -> str:
    if capability is Capability.RESET:
        return say("{title} cannot be reset from here.", title=title)
    if capability is Capability.RESTORE:
        return say("{title} cannot be restored from here.", title=title)
    return say("{title} cannot be backed up from here.", title=title)


def refuse_external(item: Lifecycle) -> None:
    """Raise ConflictError where a service's data are not ours to replace."""
    if item.spec.external:
        raise ConflictError(
            say(
                "{title} is run outside JupyterLab, so its data are never replaced from here. "
                "Nothing was changed.",
                title=item.spec.title,
            ),
            say("Restore the backup under another name: that puts it beside what is there."),
            code="capability-missing",
        )

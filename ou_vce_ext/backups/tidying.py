"""What work that was cut off has left, and nobody needs, is removed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from ..services.registry import Registry
from ..states import ServiceState
from .counter import Counter


class Tidier:
    """Removes what work that was cut off has left: folders at once, the rest when it answers.

    Never while other work on the same service goes on, whose own things look just the same.
    """

    def __init__(self, counter: Counter, registry: Registry, log: logging.Logger) -> None:
        self._counter = counter
        self._registry = registry
        self._log = log
        self._locks: dict[str, asyncio.Lock] = {}
        self._looked: dict[str, bool] = {}
        """By service, whether it answered when it was tidied."""

    def wants(self, service: str) -> bool:
        """Whether there is something to do for a service as it is now."""
        answers = self._registry.get(service).state is ServiceState.READY
        return service not in self._looked or (answers and not self._looked[service])

    async def tidy(self, services: Iterable[str]) -> None:
        """Tidy those that want it; who begins work on one waits for this first. Never raises."""
        for service in services:
            async with self._locks.setdefault(service, asyncio.Lock()):
                if not self.wants(service):
                    continue
                answers = self._registry.get(service).state is ServiceState.READY
                try:
                    if strategy := self._counter.strategy(service):
                        await strategy.clean()
                except Exception:
                    self._log.exception("%s: what was cut off has left something", service)
                self._looked[service] = answers

"""After a cut: live data that are whole, and nothing left that nobody needs."""

from __future__ import annotations

import asyncio
import logging

from ..services.registry import Registry
from .counter import Counter
from .store import Store
from .swap import JOURNAL, settle


def recover(registry: Registry, log: logging.Logger) -> None:
    """Settle each swap that was cut off. Blocks, for a moment; never raises."""
    for name in registry.names():
        journal = registry.get(name).driver.site.private_dir / JOURNAL
        try:
            if settle(journal):
                log.warning("%s: a restore was cut off; its data are whole, old or new", name)
        except (OSError, ValueError, KeyError, TypeError):
            log.exception("%s: a restore was cut off, and %s cannot be settled", name, journal)


async def clean(counter: Counter, store: Store, registry: Registry, log: logging.Logger) -> None:
    """Remove what work that was cut off has left. Never raises."""
    await asyncio.to_thread(store.clear_partials)
    for name in registry.names():
        if strategy := counter.strategy(name):
            try:
                await strategy.clean()
            except Exception:
                log.exception("%s: what was left of work that was cut off is still there", name)

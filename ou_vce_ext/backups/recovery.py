"""After a cut: live data that are whole, before anything opens them.

It is asked before the first service starts, so it loads only what it needs then.
"""

from __future__ import annotations

import logging

from ..services.registry import Registry


def recover(registry: Registry, log: logging.Logger) -> None:
    """Settle each swap that was cut off. Blocks, for a moment; never raises."""
    from .swap import JOURNAL, settle
    from .swap_inside import clear

    for name in registry.names():
        driver = registry.get(name).driver
        journal = driver.site.private_dir / JOURNAL
        try:
            if settle(journal):
                log.warning("%s: a restore was cut off; its data are whole, old or new", name)
            clear(driver.data_dir)
        except (OSError, ValueError, KeyError, TypeError):
            log.exception("%s: a restore was cut off, and %s cannot be settled", name, journal)

"""Whether a service has ever had data. Asked at each start, so nothing else is loaded for it."""

from __future__ import annotations

from pathlib import Path

from ..drivers.base import Driver
from ..drivers.made_before import MadeBefore


def wants_seed(driver: Driver) -> bool:
    """Whether there is a seed for a service that has never had data. Blocks; never raises.

    Data that were there and are gone are not what a seed stands in for: whoever deleted them does
    not want them back, or their loss is to be told.
    """
    spec, folder = driver.spec, driver.data_dir
    return (
        bool(spec.seed)
        and not spec.external
        and is_empty(folder)
        and not MadeBefore(driver.site.private_dir).names(folder)
    )


def is_empty(folder: Path) -> bool:
    """Whether a folder is missing, or has nothing in it; not where nobody can say. Blocks."""
    try:
        return not any(folder.iterdir())
    except FileNotFoundError:
        return True
    except OSError:
        return False

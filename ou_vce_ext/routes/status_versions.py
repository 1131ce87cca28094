"""Releases of everything that matters to whoever helps: ours, Jupyter's, the programs' own."""

from __future__ import annotations

import asyncio
import logging
import platform
import time
from collections.abc import Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final

from .._version import __version__
from ..drivers.base import Driver
from ..services.turns import giving_way

if TYPE_CHECKING:
    from ..services.registry import Registry

FRESH_SECONDS: Final = 300.0
GLANCE: Final = 0.002
"""Seconds a look at the status waits for what is not known yet: the next look will have it."""
_PACKAGES: Final = ("jupyter_server", "jupyterlab", "notebook", "jupyterhub")
log = logging.getLogger(__name__)


class VersionWatch:
    """What the drivers say their programs' releases are, found out by a thread now and then."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._looked = float("-inf")
        self._looking: asyncio.Task[None] | None = None

    async def versions(self, registry: Registry, *, patience: float = GLANCE) -> dict[str, str]:
        """Everything known after at most ``patience`` seconds. Starts no process."""
        if time.monotonic() - self._looked >= FRESH_SECONDS:
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._look(registry))
            await asyncio.wait({self._looking}, timeout=patience)
        return {**_own(), **self._known}

    async def _look(self, registry: Registry) -> None:
        drivers = [registry.get(name).driver for name in registry.names()]
        self._known = await asyncio.to_thread(giving_way(_of_programs), drivers)
        self._looked = time.monotonic()


def _of_programs(drivers: Sequence[Driver]) -> dict[str, str]:
    """Name of program -> its release; several, where services run different ones."""
    found: dict[str, dict[str, None]] = {}
    for driver in drivers:
        try:
            told = driver.versions()
        except Exception as error:  # one that cannot tell takes nothing from the others
            log.debug("A program's release cannot be told: %s", error)
            continue
        for name, release in told.items():
            found.setdefault(name, {})[release] = None
    return {name: ", ".join(releases) for name, releases in found.items()}


@cache
def _own() -> dict[str, str]:
    known = {"ou_vce_ext": __version__, "Python": platform.python_version()}
    for package in _PACKAGES:
        try:
            known[package] = version(package)
        except PackageNotFoundError:
            continue
    return {**known, "System": _system()}


def _system() -> str:
    """The system's name and release, its kernel and the kind of processor."""
    try:
        name = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        name = platform.mac_ver()[0] and f"macOS {platform.mac_ver()[0]}"
    kernel = f"{platform.system()} {platform.release()} on {platform.machine()}"
    return f"{name}, {kernel}" if name else kernel

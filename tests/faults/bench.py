"""What faults are tried on: real keepers and real services, many of them, in one process."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from ou_vce_ext.drivers.base import Driver
from ou_vce_ext.drivers.desktop.driver import DesktopDriver
from ou_vce_ext.drivers.mongo.driver import MongoDriver
from ou_vce_ext.drivers.openrefine.driver import OpenRefineDriver
from ou_vce_ext.drivers.postgres.driver import PostgresDriver
from ou_vce_ext.drivers.web.driver import WebDriver
from ou_vce_ext.models import ServiceSpec, Site
from ou_vce_ext.services.keepers import KeeperLauncher
from tests.free_ports import free_port

from .leftovers import MARK
from .supervised import Supervised

Kind = Literal["web", "postgres", "mongo", "openrefine", "desktop"]
DRIVERS: Mapping[str, type[Driver]] = {
    "web": WebDriver,
    "postgres": PostgresDriver,
    "mongo": MongoDriver,
    "openrefine": OpenRefineDriver,
    "desktop": DesktopDriver,
}
QUICK: Mapping[str, Mapping[str, object]] = {
    "openrefine": {"profile": "light", "class_archive": False, "private": False},
}
"""Options with which a kind starts soonest, and has its port on the machine's own address."""


class Bench:
    """A folder, a launcher of keepers, and a factory of services. Made within the event loop.

    ``prefix`` goes before a Jupyter's command, where it is to run as in a container.
    """

    def __init__(self, prefix: tuple[str, ...] = ()) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="faults-"))
        # Whoever a service of root's runs as may pass through.
        self.root.chmod(0o711)
        self.prefix = prefix
        self.patience = 1.0
        """How many times longer than on a quiet machine anything may take."""
        self.log = logging.getLogger("faults")
        self.errors = self.root / "keepers"
        self.launcher = KeeperLauncher(log=self.log, errors=self.errors)
        self._numbers = itertools.count(1)

    def mark(self, *what: object) -> str:
        """A word for the environment of processes, by which leaks are known for what they are."""
        return "-".join(map(str, (self.root.name, *what)))

    def service(
        self,
        kind: Kind,
        folder: Path,
        mark: str,
        *,
        options: Mapping[str, object] | None = None,
        port: int | None = None,
        **declaration: Any,
    ) -> Supervised:
        """A service of ``kind`` that lives in ``folder``; ``declaration`` as in ServiceSpec."""
        name = f"{kind}{next(self._numbers)}"
        env = {**declaration.pop("env", {}), MARK: mark}
        spec = ServiceSpec(
            name,
            kind,
            name,
            env=env,
            options={**QUICK.get(kind, {}), **(options or {})},
            **declaration,
        )
        driver = DRIVERS[kind]
        site = Site(
            name=name,
            root_dir=folder / "home",
            data_dir=folder / "data" / kind,
            private_dir=folder / "private" / kind,
            runtime_dir=folder / "run",
            log_file=folder / "logs" / f"{kind}.log",
            base_url="/",
            port=port or (free_port() if driver.wants_port else None),
            secret="a-secret-for-tests",
        )
        for made in (site.root_dir, site.log_file.parent):
            made.mkdir(exist_ok=True)
        return Supervised(driver(spec, site, self.launcher), self.launcher, self.log, self.patience)

    async def aclose(self) -> str:
        """End everything; returns what keepers had to say of themselves: nothing if all is well."""
        await self.launcher.aclose()
        said = self.errors.read_text("utf-8", "replace") if self.errors.exists() else ""
        await asyncio.to_thread(shutil.rmtree, self.root, ignore_errors=True)
        return said

    @property
    def is_root(self) -> bool:
        """Whether we are the superuser."""
        return os.geteuid() == 0

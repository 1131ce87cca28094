"""One service of files with its registry and backups, in a folder of a test's own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Self

from ou_vce_ext.backups.manager import Backups
from ou_vce_ext.models import Capability, Operation, OperationState, ServiceSpec, Site
from ou_vce_ext.models_backup import Backup
from ou_vce_ext.services.backoff import RestartPolicy
from ou_vce_ext.services.lifecycle import Lifecycle
from ou_vce_ext.services.registry import Registry
from ou_vce_ext.states import ServiceState
from tests.unit.fake_strategy import FileStrategy
from tests.unit.fakes import FakeClock, FakeDriver, FakeLauncher

ABLE = frozenset({Capability.BACKUP, Capability.RESTORE, Capability.RESET})


class FilesDriver(FakeDriver):
    """A fake service that has data."""

    capabilities = FakeDriver.capabilities | ABLE


class Home:
    """A home with the services ``names``, each with its data in ``home/NAME``."""

    def __init__(self, folder: Path, *names: str, **declared: object) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.log = logging.getLogger("test")
        lifecycles = []
        for name in names or ("thing",):
            private = folder / "private" / name
            private.mkdir(parents=True, exist_ok=True)
            spec = ServiceSpec(name=name, kind="fake", title=name.capitalize(), **declared)  # type: ignore[arg-type]
            site = Site(name, folder, folder / name, private, private, private / "log", "/")
            launcher = FakeLauncher()
            lifecycles.append(
                Lifecycle(
                    FilesDriver(spec, site, launcher),
                    launcher,
                    clock=self.clock,
                    policy=RestartPolicy(self.clock),
                    log=self.log,
                    moved=lambda *_: None,
                    lock_note={},
                )
            )
        self.registry = Registry(lifecycles, base_url="/", clock=self.clock, log=self.log)
        self.backups = Backups(
            self.registry,
            strategy_for=FileStrategy,
            root_dir=folder,
            clock=self.clock,
            log=self.log,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.backups.aclose()
        await self.registry.aclose()

    def strategy(self, name: str = "thing") -> FileStrategy:
        found = self.backups.counter.strategy(name)
        assert isinstance(found, FileStrategy)
        return found

    def put(self, service: str = "thing", **files: str) -> None:
        """Have these files, and no others, be the live data."""
        place = self.folder / service
        place.mkdir(exist_ok=True)
        for old in place.iterdir():
            if old.is_file():
                old.unlink()
        for name, content in files.items():
            (place / name).write_text(content)

    def live(self, service: str = "thing") -> dict[str, str]:
        place = self.folder / service
        return {path.name: path.read_text() for path in place.iterdir() if path.is_file()}

    def state(self, service: str = "thing") -> ServiceState:
        return self.registry.get(service).state

    async def start(self, service: str = "thing") -> None:
        await self.done(self.registry.start(service))

    async def ended(self, operation: Operation) -> Operation:
        """An operation when it has ended, however."""
        async with asyncio.timeout(120):
            return await self.registry.operations.wait(operation.id)

    async def done(self, operation: Operation) -> Operation:
        """An operation when it has ended well."""
        over = await self.ended(operation)
        assert over.state is OperationState.SUCCEEDED, over
        return over

    async def backup(self, service: str = "thing") -> str:
        """Take one; gives its id."""
        over = await self.done(await self.backups.back_up(service))
        assert isinstance(over.result, dict)
        return str(over.result["id"])

    async def listed(self) -> list[Backup]:
        return await self.backups.list()

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until something has come true."""
        async with asyncio.timeout(120):
            while not true():
                await asyncio.sleep(0.002)

    def strays(self) -> list[str]:
        """Whatever is neither data nor a whole backup."""
        return sorted(
            path.name
            for path in self.folder.rglob("*")
            if path.name.endswith(".partial") or ".scratch-" in path.name
        )

"""A MongoDB service with its backups: taken, opened, built and looked into, as the core does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pymongo import MongoClient

from ou_vce_ext.backups.mongo.strategy import MongoStrategy
from ou_vce_ext.backups.strategy import Built, Layer, Source
from ou_vce_ext.backups.watch import Watch
from ou_vce_ext.launch import Launcher
from tests.backup_file import back_up

from .mongo_rig import MongoRig

Client = MongoClient[dict[str, Any]]


class BackupRig(MongoRig):
    """The rig of a MongoDB service, and its strategy."""

    def __init__(self, root: Path, launcher: Launcher, **declaration: Any) -> None:
        super().__init__(root, launcher, **declaration)
        self.root = root
        self.strategy = MongoStrategy(self.driver)

    @contextmanager
    def admin(self) -> Iterator[Client]:
        """A client with all rights, as a server has on itself."""
        server = self.driver.server()
        with all_rights(server.socket, server.key) as client:
            yield client

    async def back_up(self, path: Path, watch: Watch | None = None) -> Path:
        """One whole backup file."""
        await back_up(self.strategy, path, watch)
        return path

    async def open(self, path: Path) -> Source:
        """A file, opened."""
        return await self.strategy.open(path, path.name)

    async def build(self, *layers: Layer) -> Built:
        """New data, kept."""
        built = await self.strategy.build(layers, Watch(), keep=True)
        assert built is not None
        return built

    async def swap(self, built: Built) -> None:
        """The new data in the place of the old, and served."""
        await self.stop()
        built.live.rename(self.root / f"old-{len(list(self.root.iterdir()))}")
        built.folder.rename(built.live)
        await self.start()
        await self.strategy.check_live()


@contextmanager
def all_rights(socket: str, key: str | None) -> Iterator[Client]:
    """A client that a server takes for itself."""
    client: Client = MongoClient(
        f"mongodb://{quote(socket, safe='')}/",
        directConnection=True,
        username="__system",
        password=key,
        authSource="local",
        authMechanism="SCRAM-SHA-256",
        serverMonitoringMode="poll",
        datetime_conversion="DATETIME_AUTO",
    )
    with client:
        yield client


@asynccontextmanager
async def running(root: Path, launcher: Launcher, **declaration: Any) -> AsyncIterator[BackupRig]:
    """A service that runs until the block ends."""
    rig = BackupRig(root, launcher, **declaration)
    await rig.start()
    try:
        yield rig
    finally:
        await rig.stop()

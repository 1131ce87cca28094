"""PostgreSQL's backups: taken by pg_dump, proven, restored and reset in a scratch server."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from ...drivers.base import Driver
from ...drivers.postgres.driver import PostgresDriver
from ...drivers.postgres.place import find_place, usable
from ...drivers.postgres.programs import Server
from ...errors import VceError
from ...models_backup import DataItem
from ...services.private_files import make_private_folder
from .. import scratch
from ..reader import Archive
from ..strategy import Built, Layer, Source, Strategy, Taken
from ..threads import in_thread
from ..watch import Watch
from ..writer import ArchiveWriter
from .building import Build
from .scratch_server import ScratchServer, choose
from .sources import OwnBackup
from .taking import Taking
from .tool import Tools


class PostgresStrategy(Strategy):
    """Backups of one PostgreSQL service."""

    kind: ClassVar[str] = "postgres"
    needs_running: ClassVar[bool] = True

    def __init__(self, driver: Driver) -> None:
        super().__init__(driver)
        if not isinstance(driver, PostgresDriver):
            raise TypeError("backups of PostgreSQL are of its own driver")
        self.live = driver

    async def look(self) -> tuple[DataItem, ...]:
        """Databases and tables."""
        return ()

    async def estimate(self) -> int | None:
        """Half of what the tables take: they are compressed, and indexes are left out."""
        return None

    async def take(self, archive: ArchiveWriter, watch: Watch) -> Taken:
        """Each database by pg_dump, the roles by pg_dumpall."""
        with explained(), self._private_folder() as folder:
            door = await self.live.door().proven()
            server = await self._tools_for(door_major=None)
            tools = Tools(self.live.launcher, server, folder, door)
            return await Taking(self.live.spec.name, tools, door, archive, watch).take()

    async def open(
        self, path: Path, filename: str, *, offset: int = 0, length: int | None = None
    ) -> Source:
        """Ours, with its checksums compared."""
        watch = Watch()

        def read() -> OwnBackup:
            archive = Archive(path, offset=offset, length=length)
            source = OwnBackup(archive)
            archive.check(watch)
            return source

        return await in_thread(watch, read)

    async def build(self, layers: Sequence[Layer], watch: Watch, *, keep: bool) -> Built | None:
        """In a scratch server of the live one's release, or of the oldest that may take it."""
        oldest = max(
            (layer.source.major for layer in layers if isinstance(layer.source, OwnBackup)),
            default=0,
        )
        with explained():
            home = (await find_place(self.live.site, self.live.launcher)).folder
            server = choose(self.live, await self._servers(), home, oldest)
            built = ScratchServer(self.live, home, server)
            kept = False
            try:
                watch.step("Starting a server to build it in")
                async with built.running(lambda message, share: None):
                    door = built.driver.door()
                    tools = Tools(
                        self.live.launcher,
                        server,
                        built.site.private_dir,
                        await door.proven(),
                        nice=scratch.NICE,
                    )
                    await Build(built, tools, door, watch, layers).build()
                if not keep:
                    return None
                watch.step("Writing all of it to the disk")
                await built.sync()
                kept = True
                return Built(built.driver.data_dir, home)
            finally:
                await built.discard(keep_data=kept)

    async def _servers(self) -> list[Server]:
        place = await find_place(self.live.site, self.live.launcher)
        servers = await asyncio.to_thread(self.live.find_servers)
        return usable(servers, place)

    async def _tools_for(self, door_major: int | None) -> Server:
        server = self.live.server
        if server is None:
            raise VceError("not-running", "PostgreSQL does not run.", "Start it first.")
        return server

    @contextmanager
    def _private_folder(self) -> Iterator[Path]:
        """A folder of this call's own, for pipes and a password file."""
        folder = self.live.site.private_dir / f"{scratch.MARK}{secrets.token_hex(3)}"
        make_private_folder(folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def explained() -> Iterator[None]:
    """What the client library or the disk raises, in words for a person."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        told = str(error).strip().splitlines()
        raise VceError(
            "command-failed",
            f"PostgreSQL refused: {told[0] if told else type(error).__name__}. Your data are as "
            "they were.",
            "Try again. If it goes on, its log says more.",
        ) from error

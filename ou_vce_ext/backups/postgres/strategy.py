"""PostgreSQL's backups: taken by pg_dump, proven, restored and reset in a scratch server."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import ClassVar

from ...drivers.base import Driver
from ...drivers.postgres.door import Door
from ...drivers.postgres.driver import PostgresDriver
from ...drivers.postgres.place import find_place, usable
from ...drivers.postgres.programs import Server
from ...errors import UnsuitableError, VceError
from ...models_backup import DataItem
from ...sentences import say
from ...services.private_files import make_private_folder
from .. import scratch
from ..strategy import Built, Layer, Source, Strategy, Taken
from ..watch import Watch
from ..writer import ArchiveWriter
from . import beside, closed, looking, moments, seeds
from .blame import no_room
from .building import Build, Parts, parts_of, parts_of_seed
from .foreign import ForeignDump
from .leftovers import clear
from .opening import open_source
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
        self._written: str | None = None

    # -- looking ---------------------------------------------------------------------------------

    async def look(self) -> tuple[DataItem, ...]:
        """Databases and their tables, with rows and sizes."""
        with explained():
            return await looking.look(self.live.spec.name, self.live.door())

    async def estimate(self) -> int | None:
        """Half of what the databases take: dumps are compressed, and indexes are left out."""
        size = await self._sizes()
        return None if size is None else size // 2

    async def data_bytes(self) -> int | None:
        """What the databases take, and what any server does."""
        size = await self._sizes()
        return None if size is None else size + scratch_size(size)

    async def _sizes(self) -> int | None:
        try:
            return await looking.sizes(self.live.door())
        except Exception:  # an estimate is never a reason to fail
            return None

    def stays(self) -> tuple[str, ...]:
        """Not the databases."""
        return (
            say("Your backups"),
            say("Your password, and how programs reach the server"),
        )

    def becomes(self) -> str:
        """The declared databases, with their seeds."""
        return seeds.in_words(self.live)

    async def changed(self) -> bool | None:
        """By the server's own counters of rows written."""
        before = self._written
        try:
            async with asyncio.timeout(10):
                self._written = await looking.state_of_writing(self.live.door())
        except Exception:  # nobody can say while it does not answer
            return None
        return None if before is None else before != self._written

    # -- backing up and reading ------------------------------------------------------------------

    async def take(self, archive: ArchiveWriter, watch: Watch) -> Taken:
        """Each database by pg_dump, the roles by pg_dumpall."""
        with explained(), self._private_folder() as folder:
            door = await self.live.door().proven()
            before = self.moment = await self._now(door)
            async with door.connected() as connection:
                major = connection.info.server_version // 10_000
            tools = Tools(self.live.launcher, await self._tools_for(major), folder, door)
            async with closed.opened(door, self.live.site.private_dir) as shut:
                taking = Taking(self.live.spec.name, tools, door, archive, watch, shut)
                taken = await taking.take()
            if before and shut:
                ours = closed.TRANSACTIONS * len(shut)
                self.moment = before.but_for(ours, await self._now(door))
            return taken

    async def moved_on(self, moment: object) -> bool:
        """By the transactions that were numbered since, as the server or its folder tells."""
        if moment is None:
            return True
        found = await self._now(self.live.door())
        if found is None:
            try:
                home = (await find_place(self.live.site, self.live.launcher)).folder
                found = await asyncio.to_thread(moments.at_rest, home)
            except (OSError, VceError):
                return True
        return found != moment

    async def _now(self, door: Door) -> moments.Moment | None:
        try:
            async with asyncio.timeout(10), door.connected() as connection:
                return await moments.now(connection)
        except Exception:  # of a server that others run it may be nobody's to ask
            return None

    async def open(
        self, path: Path, filename: str, *, offset: int = 0, length: int | None = None
    ) -> Source:
        """Ours, with its checksums compared; or any dump of PostgreSQL's own tools."""
        servers = await self._servers()
        if not servers:
            raise await self._missing()
        newest = max(servers, key=lambda server: server.major)
        with self._private_folder() as folder:
            tools = Tools(self.live.launcher, newest, folder)
            return await open_source(tools, path, filename, offset, length)

    # -- building --------------------------------------------------------------------------------

    async def build(self, layers: Sequence[Layer], watch: Watch, *, keep: bool) -> Built | None:
        """In a scratch server of the live one's release, or of the oldest that may take it."""
        parts = parts_of(layers) if layers else parts_of_seed(await self._seed())
        sources = [part.source for some in parts.values() for part in some]
        sources += [layer.source for layer in layers if isinstance(layer.source, OwnBackup)]
        oldest = max((source.major for source in sources), default=0)
        with explained():
            home = (await find_place(self.live.site, self.live.launcher)).folder
            servers = await self._servers()
            if not servers:
                raise await self._missing()
            server = choose(servers, home, oldest)
            return await self._built(
                ScratchServer(self.live, home, server), layers, parts, watch, keep
            )

    async def _built(
        self,
        built: ScratchServer,
        layers: Sequence[Layer],
        parts: Parts,
        watch: Watch,
        keep: bool,
    ) -> Built | None:
        kept = False
        try:
            watch.step(say("Starting a server to build it in"))
            async with built.running():
                door = await built.driver.door().proven()
                folder = built.site.private_dir
                tools = Tools(self.live.launcher, built.server, folder, door, nice=scratch.NICE)
                await Build(built, tools, door, watch).build(layers, parts)
            if not keep:
                return None
            watch.step(say("Writing all of it to the disk"))
            await built.sync(watch)
            kept = True
            return Built(built.driver.data_dir, built.home)
        finally:
            await built.discard(keep_data=kept)

    async def _seed(self) -> Mapping[str, Sequence[ForeignDump]]:
        found: dict[str, list[ForeignDump]] = {}
        for name, paths in seeds.files(self.live.spec).items():
            for path in paths:
                try:
                    source = await self.open(path, path.name)
                except (UnsuitableError, OSError) as error:
                    raise seeds.unusable(path, error) from error
                if not isinstance(source, ForeignDump):
                    raise seeds.unusable(path, None)
                found.setdefault(name, []).append(source)
        return found

    async def load_beside(
        self, source: Source, items: frozenset[str] | None, name: str, watch: Watch
    ) -> None:
        """One database, under a new name, as the student's."""
        if not isinstance(source, OwnBackup | ForeignDump):
            raise TypeError("this is no source of PostgreSQL's")
        beside.check_name(name)
        database = beside.one_of(source, items)
        with explained(), self._private_folder() as folder:
            door = await self.live.door().proven()
            async with door.connected() as connection:
                major = connection.info.server_version // 10_000
            if source.major > major:
                raise beside.too_new(source.major, major)
            declared = self.live.declared
            owner = (
                door if self.live.spec.external else door.as_user(declared.user, declared.password)
            )
            tools = Tools(self.live.launcher, await self._tools_for(major), folder)
            await beside.Beside(door, owner, tools, watch).load(source, database, name)

    async def clean(self) -> None:
        """Scratch folders whose server has ended, and databases that were never whole."""
        home = (await find_place(self.live.site, self.live.launcher)).folder
        await asyncio.to_thread(clear, self.live.site, home)
        with suppress(Exception):
            async with asyncio.timeout(10):
                await closed.close_left(self.live.door(), self.live.site.private_dir)
                await beside.drop_leftovers(self.live.door())

    # -- programs --------------------------------------------------------------------------------

    async def _servers(self) -> list[Server]:
        servers = await asyncio.to_thread(self.live.find_servers)
        if self.live.spec.external:
            return servers
        return usable(servers, await find_place(self.live.site, self.live.launcher))

    async def _missing(self) -> VceError:
        missing = await self.live.missing()
        told = say("PostgreSQL's programs are not installed on this machine.")
        hint = missing.hint if missing else "`apt-get install postgresql`"
        return VceError("program-missing", missing.message if missing else told, hint)

    async def _tools_for(self, major: int) -> Server:
        """The tools of the live server; for one that others run, the oldest that know it."""
        if self.live.server is not None:
            return self.live.server
        servers = sorted(await self._servers(), key=lambda server: server.major)
        for server in servers:
            if server.major >= major:
                return server
        raise VceError(
            "program-missing",
            say(
                "That server is PostgreSQL {major}, and this machine has no tools of that "
                "release or a newer one to copy it with. Its data are as they were.",
                major=major,
            ),
            say("Ask for `apt-get install postgresql-client-{major}`.", major=major),
        )

    @contextmanager
    def _private_folder(self) -> Iterator[Path]:
        """A folder of this call's own, for pipes and a password file."""
        folder = self.live.site.private_dir / f"{scratch.MARK}{secrets.token_hex(3)}"
        make_private_folder(folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def scratch_size(size: int) -> int:
    """Bytes a server takes besides its data: its own catalogues, and a log of limited length."""
    return 100_000_000 + min(size // 2, 512_000_000)


@contextmanager
def explained() -> Iterator[None]:
    """What the client library or the disk raises, in words for a person."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        if full := no_room(str(error)):
            raise full from error
        told = str(error).strip().splitlines()
        raise VceError(
            "command-failed",
            say(
                "PostgreSQL refused: {answer}. Your data are as they were.",
                answer=told[0] if told else type(error).__name__,
            ),
            say("Try again. If it goes on, its log says more."),
        ) from error

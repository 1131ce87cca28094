"""MongoDB's part in backups: looking, taking, building, loading beside."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, cast

from ...drivers.base import Driver
from ...drivers.mongo.driver import MongoDriver
from ...drivers.mongo.programs import release_of
from ...drivers.mongo.provision import Server
from ...errors import VceError
from ...models_backup import DataItem
from ...sentences import say
from ..strategy import Built, Layer, Source, Strategy, Taken
from ..threads import in_thread, to_its_end
from ..watch import Watch
from ..writer import ArchiveWriter
from . import beside, looking, seeds
from .catalog import read_catalog, without_servers_own
from .compare import compare_documents, compare_metadata
from .connection import connected
from .dump import Dump
from .fill import Filling, Plan
from .memory import given_back
from .opening import open_dump
from .own_dump import KIND
from .patience import begun, in_patience
from .plan import decide, metadata_of, refuse_newer
from .scratch_server import discard, remove_left, scratch_server
from .take import write_snapshot


class MongoStrategy(Strategy):
    """Backups of one MongoDB service."""

    kind: ClassVar[str] = KIND
    driver: MongoDriver

    def __init__(self, driver: Driver) -> None:
        super().__init__(cast("MongoDriver", driver))
        self._last_change: Any = None
        self._built: dict[str, int] = {}
        self._last_of_all: Any = None
        """The last change before it was stopped, when no other could come any more."""

    @property
    def _place(self) -> Server | str:
        """How the live server is reached: with all rights where it is ours."""
        return self.driver.declared.uri if self._external else self.driver.server()

    @property
    def _external(self) -> bool:
        return self.driver.spec.external

    @property
    def _own_user(self) -> str | None:
        return self.driver.declared.user

    # -- looking ---------------------------------------------------------------------------------

    async def look(self) -> tuple[DataItem, ...]:
        """Its databases with their collections and views."""
        return await begun(looking.look, self._place)

    async def estimate(self) -> int | None:
        """Bytes of all documents."""
        with suppress(VceError):
            return await begun(looking.bytes_of_documents, self._place)
        return None

    async def data_bytes(self) -> int | None:
        """Bytes of its files."""
        with suppress(VceError):
            return await begun(looking.bytes_on_disk, self._place)
        return None

    async def changed(self) -> bool | None:
        """Whether anything was written, or any collection changed, since this was asked before."""
        before = self._last_change
        try:
            self._last_change = await begun(looking.last_change, self._place)
        except VceError:
            return None
        return None if before is None else before != self._last_change

    def stays(self) -> tuple[str, ...]:
        """What a reset leaves."""
        return say("Your backups"), say("The address and password that notebooks use")

    def becomes(self) -> str:
        """What is there afterwards."""
        return seeds.in_words(self.driver.spec)

    # -- backing up ------------------------------------------------------------------------------

    async def take(self, archive: ArchiveWriter, watch: Watch) -> Taken:
        """Write a snapshot of everything."""
        self._last_of_all = None
        self.moment = await self._now(looking.last_change)
        watch.step(say("Reading MongoDB"), await self.estimate())
        taken = await in_patience(watch, self._take, archive, watch)
        return taken

    async def hold(self) -> None:
        """Have it stop taking writes, and note the last one it took: at rest nobody can ask it."""
        self._last_of_all = None if self._external else await self._now(looking.end_writing)

    async def moved_on(self, moment: object) -> bool:
        """By the last entry in its oplog."""
        now = self._last_of_all or await self._now(looking.last_change)
        return moment is None or now is None or now != moment

    async def _now(self, ask: Callable[[Server | str], Any]) -> Any:
        try:
            return await begun(ask, self._place)
        except VceError:  # of a server that others run it may be nobody's to ask
            return None

    def _take(self, archive: ArchiveWriter, watch: Watch) -> Taken:
        with given_back(), connected(self._place) as client:
            found = write_snapshot(
                client, archive, watch, own_user=self._own_user, whole=not self._external
            )
        return Taken(
            found.contents, found.consistency, {"MongoDB": found.release}, dict(found.details)
        )

    # -- reading ---------------------------------------------------------------------------------

    async def open(
        self, path: Path, filename: str, *, offset: int = 0, length: int | None = None
    ) -> Source:
        """Recognise ours, and what mongodump makes."""
        watch = Watch()
        database = self.driver.declared.databases[0]
        return await in_thread(watch, open_dump, path, filename, offset, length, database, watch)

    # -- building --------------------------------------------------------------------------------

    async def build(self, layers: Sequence[Layer], watch: Watch, *, keep: bool) -> Built | None:
        """Build in a scratch server, compare, and keep its folder if wanted."""
        if keep and self._external:
            raise VceError(
                "capability-missing",
                say(
                    "This MongoDB server is run outside JupyterLab, so its databases are never "
                    "replaced from here. Nothing was changed."
                ),
                say("Load the backup beside what is there, under another name."),
            )
        release = release_of(self.driver.program)
        layers = layers or await in_thread(watch, self._seeds, watch)
        dumps = [cast("Dump", layer.source) for layer in layers]
        refuse_newer(dumps, release)
        plan = decide(layers)
        exactly = all(dump.whole and dump.versions.get("MongoDB") == release for dump in dumps)
        watch.step(say("Starting a second MongoDB"))
        async with scratch_server(self.driver) as (server, process):
            counts = await server.run(
                process, watch, self._build, server.server(), plan, watch, exactly
            )
            if keep:
                watch.step(say("Writing the new data to disk"))
                await server.settle(process)
        if not keep:
            await to_its_end(lambda: discard(server.site))
            return None
        self._built = counts
        return Built(server.site.data_dir, self.driver.data_dir)

    def _seeds(self, watch: Watch) -> list[Layer]:
        spec, database = self.driver.spec, self.driver.declared.databases[0]
        return [
            # Single collections go beside what a dump has in the same database.
            Layer(dump, frozenset(at.key for at in dump.stored))
            for dump in seeds.open_seeds(spec, database, watch)
        ]

    def _build(self, server: Server, plan: Plan, watch: Watch, exactly: bool) -> dict[str, int]:
        with given_back(), connected(server, silence_ms=None) as client:
            filling = Filling(client, watch)
            filling.documents(plan)
            compare_documents(client, read_catalog(client), filling.poured, watch)
            filling.all_else(plan)
            found = without_servers_own(read_catalog(client))
            compare_metadata(found, metadata_of(plan), exactly=exactly)
            filling.people(plan, self._own_user)
        return {at.key: each.documents for at, each in filling.poured.items()}

    async def load_beside(
        self, source: Source, items: frozenset[str] | None, name: str, watch: Watch
    ) -> None:
        """Put one database of ``source`` into the live server, as the database ``name``."""
        dump = cast("Dump", source)
        wanted = beside.choose(dump, items, name)
        await beside.Loading(self._place, name, watch).load(dump, wanted)

    async def check_live(self) -> None:
        """See that the collections that were built are there, each as full."""
        built, self._built = self._built, {}
        await begun(looking.expect, self._place, built)

    async def clean(self) -> None:
        """Remove what is left of builds, and of databases that were being loaded."""
        await asyncio.to_thread(remove_left, self.driver.site)
        # A server that does not run is cleaned when it does.
        with suppress(VceError):
            if isinstance(self._place, Server):
                await begun(beside.take_back_left, self._place)

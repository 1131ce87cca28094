"""Faults 18, 20, 21 and 22 on MongoDB's backups."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from ou_vce_ext.backups.strategy import Source
from ou_vce_ext.backups.watch import Watch
from ou_vce_ext.drivers.mongo.driver import MongoDriver
from tests.integration.backup_mongo_rig import Client, all_rights
from tests.integration.mongo_rich import describe_server

from .backup_service import OnService
from .backup_tries import BackupCut, BackupDamaged, RestoreCut, WriteLoad
from .fault import Fault
from .promises import expect

_T = TypeVar("_T")


class OnMongo(OnService):
    """Two collections with an index each."""

    kind = "mongo"
    documents = 20_000

    async def make(self) -> None:
        await self.on_live(self._make)

    def _make(self, client: Client) -> None:
        for name in ("one", "two"):
            client["shop"][name].insert_many(
                [{"n": n, "text": "x" * 1000} for n in range(self.documents)]
            )
            client["shop"][name].create_index([("n", 1), ("text", 1)])

    async def on_live(self, work: Callable[[Client], _T]) -> _T:
        """Do ``work`` in a thread, with a client that may do everything."""
        driver = self.live.driver
        assert isinstance(driver, MongoDriver)
        server = driver.server()

        def call() -> _T:
            with all_rights(server.socket, server.key) as client:
                return work(client)

        return await asyncio.to_thread(call)

    async def described(self) -> Any:
        return await self.on_live(describe_server)


class MongoBackupCut(OnMongo, BackupCut):
    """The mongod is killed."""

    title = "A MongoDB backup cut at a random moment"


class MongoBackupDamaged(OnMongo, BackupDamaged):
    """Every document is compared."""

    title = "A truncated or bit-flipped MongoDB backup"
    documents = 300

    async def held(self, source: Source, path: Path) -> Any:
        stored = source.stored  # type: ignore[attr-defined]
        documents = list(source.stream(set(stored), Watch()))  # type: ignore[attr-defined]
        return {at: (one.what.options, one.what.indexes) for at, one in stored.items()}, documents


class MongoRestoreCut(OnMongo, RestoreCut):
    """Built, or loaded as another database."""

    title = "A MongoDB restore cut at a random moment while it is built or loaded beside"
    documents = 8_000

    async def take_second(self) -> None:
        found = await self.described()
        same = found[f"{self.second}.two"] == found["shop.two"]
        expect(same, "what was loaded is not what was there")
        await self.on_live(lambda client: client.drop_database(self.second))


class MongoWriteLoad(OnMongo, WriteLoad):
    """Two sums cancel each other out, and one counts what is in its collection."""

    title = "A MongoDB backup under a load of transactions over two collections"
    documents = 3_000

    async def prepare(self) -> None:
        def make(client: Client) -> None:
            client["bank"]["from"].insert_one({"_id": 1, "sum": 0})
            client["bank"]["to"].insert_one({"_id": 1, "sum": 0})

        await self.on_live(make)

    async def write(self, ended: asyncio.Event) -> None:
        stop = threading.Event()
        moving = asyncio.ensure_future(self.on_live(lambda client: _move(client, stop)))
        await ended.wait()
        stop.set()
        await moving

    async def expect_of_one_moment(self, source: Source, before: Any, folder: Path) -> None:
        await self.strategy.load_beside(source, frozenset({"bank"}), "bank_2", Watch())

        def check(client: Client) -> None:
            bank = client["bank_2"]
            taken, given = bank["from"].find_one(), bank["to"].find_one()
            assert taken
            assert given
            expect(taken["sum"] + given["sum"] == 0, "half a transaction is in a backup")
            count = bank["to"].count_documents({"moved": 1})
            expect(count == given["sum"], "a sum and what it sums up are of two moments")

        try:
            await self.on_live(check)
        finally:
            await self.on_live(lambda client: client.drop_database("bank_2"))


def _move(client: Client, stop: threading.Event) -> None:
    """Move one from here to there, and again, each time as a whole."""
    bank = client["bank"]
    while not stop.is_set():
        with client.start_session() as session, session.start_transaction():
            bank["from"].update_one({"_id": 1}, {"$inc": {"sum": -1}}, session=session)
            bank["to"].update_one({"_id": 1}, {"$inc": {"sum": 1}}, session=session)
            bank["to"].insert_one({"moved": 1}, session=session)


FAULTS: tuple[type[Fault], ...] = (
    MongoBackupCut,
    MongoBackupDamaged,
    MongoRestoreCut,
    MongoWriteLoad,
)

"""Faults 18, 20, 21 and 22 on MongoDB's backups: cut, damaged, under a load of writes."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import psutil

from ou_vce_ext.backups import scratch
from ou_vce_ext.backups.manifest import Manifest
from ou_vce_ext.backups.mongo.strategy import MongoStrategy
from ou_vce_ext.backups.strategy import Layer, Source
from ou_vce_ext.backups.watch import Watch
from ou_vce_ext.backups.writer import ArchiveWriter
from ou_vce_ext.drivers.mongo.driver import MongoDriver
from ou_vce_ext.errors import UnsuitableError, VceError
from ou_vce_ext.models_backup import Reason
from ou_vce_ext.states import ServiceState
from tests.integration.backup_mongo_rig import Client, all_rights
from tests.integration.mongo_rich import describe_server

from .bench import Bench
from .fault import Attempt, Fault, Figures, Measure
from .promises import expect
from .supervised import Supervised

CANCELLED = "cancelled, all gone, after"
_T = TypeVar("_T")


async def back_up(strategy: MongoStrategy, path: Path) -> Path:
    """As the manager does it: a file that is whole, or nothing."""
    archive = ArchiveWriter(path, Watch())
    try:
        taken = await strategy.take(archive, archive.watch)
        archive.finish(
            Manifest(
                service=strategy.driver.spec.name,
                kind="mongo",
                title="MongoDB",
                created=datetime.now(UTC),
                reason=Reason.MANUAL,
                consistency=taken.consistency,
                versions=taken.versions,
                contents=taken.contents,
                members=tuple(archive.members),
                details=taken.details,
            )
        )
    except BaseException:
        archive.abandon()
        raise
    return path


class OnMongo(Fault):
    """Some collections in one MongoDB that all tries share."""

    limit = 180.0
    documents = 20_000

    async def set_up(self, bench: Bench) -> None:
        self.live = self.share(bench, "mongo")
        assert isinstance(self.live.driver, MongoDriver)
        self.strategy = MongoStrategy(self.live.driver)
        await self.live.start()
        await self.on_live(self._make)
        await self.prepare(self.live)

    async def prepare(self, live: Supervised) -> None:
        """What the tries of a fault share beside the data."""

    def _make(self, client: Client) -> None:
        for name in ("one", "two"):
            client["shop"][name].insert_many(
                [{"n": n, "text": "x" * 1000} for n in range(self.documents)]
            )
            client["shop"][name].create_index([("n", 1), ("text", 1)])

    async def on_live(self, work: Callable[[Client], _T]) -> _T:
        """Do ``work`` in a thread, with a client that may do everything."""
        server = self.strategy.driver.server()

        def call() -> _T:
            with all_rights(server.socket, server.key) as client:
                return work(client)

        return await asyncio.to_thread(call)

    async def described(self) -> dict[str, Any]:
        """All that the live server holds."""
        return await self.on_live(describe_server)

    async def opened(self, path: Path) -> Source:
        """A file, opened."""
        return await self.strategy.open(path, path.name)

    def expect_nothing_left(self, *folders: Path) -> None:
        """No partial file, and no folder of ours."""
        site = self.strategy.driver.site
        around = [site.data_dir, site.data_dir.parent, site.private_dir, *folders]
        names = [name for folder in around if folder.is_dir() for name in os.listdir(folder)]
        left = [name for name in names if scratch.MARK in name or name.endswith(".partial")]
        expect(not left, f"left behind: {', '.join(left)}")

    async def cut(self, work: asyncio.Future[Any], after: float) -> Figures:
        """Cancel ``work`` after so many seconds, unless it has ended."""
        await asyncio.wait({work}, timeout=after)
        if work.done():
            return {}
        asked = time.monotonic()
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work
        return {CANCELLED: time.monotonic() - asked}


class BackupCut(OnMongo):
    """Cancelled at any moment, or the server killed: a whole backup or none."""

    number = 18
    title = "A MongoDB backup cut at a random moment"
    tries = 60
    short_tries = 4
    measures = (Measure(CANCELLED, 2.0),)

    async def prepare(self, live: Supervised) -> None:
        began = time.monotonic()
        path = await back_up(self.strategy, self.strategy.driver.site.root_dir / "first.tar")
        self.takes = time.monotonic() - began
        self.keys = {item.key for item in (await self.opened(path)).contents}

    async def try_once(self, attempt: Attempt) -> Figures:
        since = len(self.live.moves)
        path = attempt.folder / "backup.tar"
        taking = asyncio.ensure_future(back_up(self.strategy, path))
        after = attempt.rng.uniform(0, 1.1 * self.takes)
        kill = attempt.number % 6 == 5
        figures = {}
        if kill:
            await asyncio.wait({taking}, timeout=after)
            self.live.kill(self.live.pid)
            with suppress(VceError):
                await taking
        else:
            figures = await self.cut(taking, after)
        self.expect_nothing_left(attempt.folder)
        if taking.cancelled() or taking.exception() is not None:
            expect(not path.exists(), "a backup that was cut off is listed")
        else:
            source = await self.opened(path)
            expect({item.key for item in source.contents} == self.keys, "something is missing")
        if kill:
            await self.live.moved_to(ServiceState.READY, since=since, seconds=60)
            # Deaths this close together would be given up on: a person's start wipes the slate.
            await self.live.stop()
            await self.live.start()
        return figures


class BackupDamaged(OnMongo):
    """Cut short or with one bit changed: refused, or nothing of what it holds is other."""

    number = 20
    title = "A truncated or bit-flipped MongoDB backup"
    tries = 400
    short_tries = 20
    documents = 300

    async def prepare(self, live: Supervised) -> None:
        home = self.strategy.driver.site.root_dir
        self.whole = (await back_up(self.strategy, home / "whole.tar")).read_bytes()
        await live.stop()
        self.good = await self._read(self.whole, home / "good.tar")

    async def try_once(self, attempt: Attempt) -> Figures:
        content = bytearray(self.whole)
        cut = attempt.number % 2 == 0
        if cut:
            # What comes after a tar's last member are zeros that nobody needs.
            del content[attempt.rng.randrange(len(content) - 2048) :]
        else:
            content[attempt.rng.randrange(len(content))] ^= 1 << attempt.rng.randrange(8)
        try:
            found = await self._read(bytes(content), attempt.folder / "damaged.tar")
        except UnsuitableError:
            return {}
        expect(not cut, "one that was cut was taken")
        expect(found == self.good, "one with a bit changed was taken for other data")
        return {}

    async def _read(self, content: bytes, path: Path) -> Any:
        path.write_bytes(content)
        source = await self.opened(path)
        stored = source.stored  # type: ignore[attr-defined]
        documents = list(source.stream(set(stored), Watch()))  # type: ignore[attr-defined]
        return {at: (one.what.options, one.what.indexes) for at, one in stored.items()}, documents


class RestoreCut(OnMongo):
    """Cancelled, or its server killed: nothing is left, and the live databases are untouched."""

    number = 21
    title = "A MongoDB restore cut at a random moment while it is built or loaded beside"
    tries = 60
    short_tries = 3
    measures = (Measure(CANCELLED, 2.0),)
    documents = 8_000

    async def prepare(self, live: Supervised) -> None:
        path = await back_up(self.strategy, self.strategy.driver.site.root_dir / "backup.tar")
        self.source = await self.opened(path)
        self.before = await self.described()
        began = time.monotonic()
        await self.strategy.build([Layer(self.source)], Watch(), keep=False)
        self.builds = time.monotonic() - began
        began = time.monotonic()
        await self.strategy.load_beside(self.source, None, "shop_2", Watch())
        self.loads = time.monotonic() - began
        await self.on_live(lambda client: client.drop_database("shop_2"))

    async def try_once(self, attempt: Attempt) -> Figures:
        if attempt.number % 3 == 1:
            figures = await self._beside(attempt)
        else:
            figures = await self._built(attempt, kill=attempt.number % 6 == 2)
        self.expect_nothing_left()
        expect(await self.described() == self.before, "the live databases have changed")
        return figures

    async def _beside(self, attempt: Attempt) -> Figures:
        loading = asyncio.ensure_future(
            self.strategy.load_beside(self.source, None, "shop_2", Watch())
        )
        figures = await self.cut(loading, attempt.rng.uniform(0, self.loads))
        if not loading.cancelled():
            loading.result()
            found = await self.described()
            expect(
                found["shop_2.two"] == found["shop.two"], "what was loaded is not what was there"
            )
            await self.on_live(lambda client: client.drop_database("shop_2"))
        return figures

    async def _built(self, attempt: Attempt, *, kill: bool) -> Figures:
        building = asyncio.ensure_future(
            self.strategy.build([Layer(self.source)], Watch(), keep=True)
        )
        after = attempt.rng.uniform(0, self.builds)
        figures = {}
        if kill:
            await asyncio.wait({building}, timeout=after)
            for process in psutil.process_iter(["cmdline"]):
                command = process.info["cmdline"] or []
                if "--dbpath" in command and any(
                    part.startswith(f"{self.strategy.driver.data_dir}{scratch.MARK}")
                    for part in command
                ):
                    process.kill()
        else:
            figures = await self.cut(building, after)
        if not building.cancelled():
            try:
                built = await building
                assert built
                await asyncio.to_thread(shutil.rmtree, built.folder)
            except UnsuitableError as error:
                raise AssertionError(f"a good backup was called bad: {error}") from error
            except VceError:
                expect(kill, "a build failed that nobody had cut")
        return figures


class WriteLoad(OnMongo):
    """Written to all the time, a backup is of one moment: what always holds, holds in it."""

    number = 22
    title = "A MongoDB backup under a load of transactions over two collections"
    tries = 50
    short_tries = 2
    documents = 3_000

    async def prepare(self, live: Supervised) -> None:
        def make(client: Client) -> None:
            client["bank"]["from"].insert_one({"_id": 1, "sum": 0})
            client["bank"]["to"].insert_one({"_id": 1, "sum": 0})

        await self.on_live(make)

    async def try_once(self, attempt: Attempt) -> Figures:
        stop = threading.Event()
        writing = asyncio.ensure_future(self.on_live(lambda client: _move(client, stop)))
        await asyncio.sleep(attempt.rng.uniform(0, 0.3))
        try:
            path = await back_up(self.strategy, attempt.folder / "backup.tar")
        finally:
            stop.set()
            await writing
        source = await self.opened(path)
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
        return {}


def _move(client: Client, stop: threading.Event) -> None:
    """Move one from here to there, and again, each time as a whole."""
    bank = client["bank"]
    while not stop.is_set():
        with client.start_session() as session, session.start_transaction():
            bank["from"].update_one({"_id": 1}, {"$inc": {"sum": -1}}, session=session)
            bank["to"].update_one({"_id": 1}, {"$inc": {"sum": 1}}, session=session)
            bank["to"].insert_one({"moved": 1}, session=session)


FAULTS: tuple[type[Fault], ...] = (BackupCut, BackupDamaged, RestoreCut, WriteLoad)

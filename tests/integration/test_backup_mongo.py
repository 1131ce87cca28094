"""MongoDB backed up, rebuilt and compared, by a real server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from ou_vce_ext.backups.mongo import take as taking
from ou_vce_ext.backups.mongo.catalog import read_database
from ou_vce_ext.backups.mongo.names import data_member
from ou_vce_ext.backups.mongo.reading import measure
from ou_vce_ext.backups.mongo.take import at_stored
from ou_vce_ext.backups.reader import Archive
from ou_vce_ext.backups.scratch import MARK
from ou_vce_ext.backups.strategy import Layer
from ou_vce_ext.backups.watch import Watch
from ou_vce_ext.errors import BadRequestError, ConflictError, UnsuitableError
from ou_vce_ext.models_backup import Consistency
from ou_vce_ext.services.keepers import KeeperLauncher

from .backup_mongo_rig import BackupRig, Client, running
from .mongo_rich import describe_server, make_rich


def in_server(rig: BackupRig, work: Any, *args: Any) -> Any:
    """Do ``work`` with a client that may do everything; from a thread."""
    with rig.admin() as client:
        return work(client, *args)


def of_database(told: dict[str, Any], db: str) -> dict[str, Any]:
    """What was told of one database, by the names of its collections."""
    return {
        name.removeprefix(f"{db}."): entry
        for name, entry in told.items()
        if name.startswith(f"{db}.")
    }


def sizes_of(client: Client, db: str) -> dict[str, int | None]:
    """How large the server thinks a database's collections are, by their names in a backup."""
    return {
        data_member(at_stored(at, what)): measure(client, at, what).bytes
        for at, what in read_database(client, db).items()
        if what.kind == "collection"
    }


def leftovers(rig: BackupRig) -> list[str]:
    """Whatever a build has left lying about."""
    return [str(path) for path in rig.root.rglob("*") if MARK in path.name]


async def test_all_of_it_comes_back(
    short_dir: Path, launcher: KeeperLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rich data: verified, loaded beside, rebuilt, swapped; each time the difference is empty.

    And whatever is only tried never touches the live server, though the environment names it.
    """
    async with running(short_dir, launcher) as rig:
        monkeypatch.setenv("MONGODB_URI", rig.uri)
        await asyncio.to_thread(in_server, rig, make_rich)
        before = await asyncio.to_thread(in_server, rig, describe_server)
        path = await rig.back_up(short_dir / "one.tar")
        source = await rig.open(path)
        assert source.consistency is Consistency.PER_COLLECTION
        assert {item.key for item in source.contents if item.within is None} == {
            "admin",
            "media",
            "shop",
            "roles",
        }
        expected = await asyncio.to_thread(in_server, rig, sizes_of, "shop")
        assert expected
        assert {name: Archive(path).bytes_of(name) for name in expected} == expected

        assert await rig.strategy.build([Layer(source)], Watch(), keep=False) is None
        assert leftovers(rig) == []
        assert await asyncio.to_thread(in_server, rig, describe_server) == before

        with pytest.raises(ConflictError, match="a database media already"):
            await rig.strategy.load_beside(source, frozenset({"shop"}), "Media", Watch())
        with pytest.raises(BadRequestError, match="3 databases"):
            await rig.strategy.load_beside(source, None, "two", Watch())
        await rig.strategy.load_beside(source, frozenset({"shop"}), "shop_2", Watch())
        after = await asyncio.to_thread(in_server, rig, describe_server)
        assert of_database(after, "shop_2") == of_database(before, "shop")
        assert {name: after[name] for name in before} == before

        built = await rig.build(Layer(source))
        await rig.swap(built)
        after = await asyncio.to_thread(in_server, rig, describe_server)
        assert after == before
        assert leftovers(rig) == []


async def test_layers_and_seeds(short_dir: Path, launcher: KeeperLauncher) -> None:
    """What is brought back lies over what stays; a fresh one holds what was declared."""
    (short_dir / "people.csv").write_text("name,born.year,pi\nÅsa,1999,3.0\nBo,,x\n")
    (short_dir / "roads.json").write_text('[{"_id": {"$oid": "' + "a" * 24 + '"}},\n {"n": 2}]')

    def make(client: Client, mark: str) -> None:
        for name in ("one", "two"):
            client["shop"][name].drop()
            client["shop"][name].insert_one({"_id": 1, "mark": mark})
        client["other"]["kept"].replace_one({"_id": 1}, {"_id": 1, "mark": mark}, upsert=True)

    def marks(client: Client) -> dict[str, str]:
        found = {
            f"{db}.{name}": client[db][name].find_one() or {}
            for db in client.list_database_names()
            if db not in ("admin", "config", "local")
            for name in client[db].list_collection_names()
        }
        return {name: str(entry.get("mark", "")) for name, entry in found.items()}

    seed = {
        "dump": (str(short_dir / "old.tar"),),
        "collections": {
            "roads": {
                "people": str(short_dir / "people.csv"),
                "roads": str(short_dir / "roads.json"),
            }
        },
    }
    async with running(short_dir, launcher, seed=seed) as rig:
        await asyncio.to_thread(in_server, rig, make, "old")
        assert await rig.strategy.changed() is None
        assert await rig.strategy.changed() is False
        old = await rig.open(await rig.back_up(short_dir / "old.tar"))
        assert old.consistency is Consistency.SNAPSHOT
        await asyncio.to_thread(in_server, rig, make, "new")
        assert await rig.strategy.changed() is True
        await asyncio.to_thread(
            in_server, rig, lambda client: client["shop"]["three"].insert_one({"mark": "new"})
        )
        new = await rig.open(await rig.back_up(short_dir / "new.tar"))

        built = await rig.build(Layer(new), Layer(old, frozenset({"shop/two"})))
        await rig.swap(built)
        assert await asyncio.to_thread(in_server, rig, marks) == {
            "shop.one": "new",
            "shop.two": "old",
            "shop.three": "new",
            "other.kept": "new",
        }
        built = await rig.build(Layer(new), Layer(old, frozenset({"shop"})))
        await rig.swap(built)
        assert await asyncio.to_thread(in_server, rig, marks) == {
            "shop.one": "old",
            "shop.two": "old",
            "other.kept": "new",
        }
        assert "people.csv" in rig.strategy.becomes()
        await rig.swap(await rig.build())
        assert await asyncio.to_thread(in_server, rig, marks) == {
            "shop.one": "old",
            "shop.two": "old",
            "other.kept": "old",
            "roads.people": "",
            "roads.roads": "",
        }
        people = await asyncio.to_thread(
            in_server,
            rig,
            lambda client: list(client["roads"]["people"].find({}, {"_id": 0})),
        )
        assert people == [
            {"name": "Åsa", "born": {"year": 1999}, "pi": 3.0},
            {"name": "Bo", "born": {"year": ""}, "pi": "x"},
        ]


async def test_what_changes_meanwhile(
    short_dir: Path, launcher: KeeperLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under a load of writes, a backup is of one moment: what always holds, holds in it.

    Collections that are dropped and made anew meanwhile make it begin again, and no more.
    """
    stop = threading.Event()
    dropped = threading.Event()
    moving = threading.Event()

    def make(client: Client) -> None:
        client["bank"]["ours"].insert_one({"_id": 1, "sum": 1000})
        client["bank"]["theirs"].insert_one({"_id": 1, "sum": 0})
        for part in range(4):
            client["bank"][f"bulk{part}"].insert_many([{"x": "y" * 5000} for _ in range(1000)])

    def write(client: Client) -> None:
        ours, theirs = client["bank"]["ours"], client["bank"]["theirs"]
        while not stop.is_set():
            with client.start_session() as session, session.start_transaction():
                ours.update_one({"_id": 1}, {"$inc": {"sum": -1}}, session=session)
                theirs.update_one({"_id": 1}, {"$inc": {"sum": 1}}, session=session)
                theirs.insert_one({"moved": 1}, session=session)
            moving.set()

    starts = []
    really = taking._Writing.write

    def write_and_drop(writing: Any) -> Any:
        starts.append(1)
        if len(starts) == 1:
            read = writing._collection

            def reading(at: Any, *rest: Any) -> Any:
                if at.name == "bulk1":
                    writing._client["bank"].drop_collection("bulk2")
                    dropped.set()
                return read(at, *rest)

            writing._collection = reading
        return really(writing)

    monkeypatch.setattr(taking._Writing, "write", write_and_drop)
    async with running(short_dir, launcher) as rig:
        await asyncio.to_thread(in_server, rig, make)
        load = asyncio.create_task(asyncio.to_thread(in_server, rig, write))
        try:
            assert await asyncio.to_thread(moving.wait, 120)
            path = await rig.back_up(short_dir / "one.tar")
        finally:
            stop.set()
            await load
        assert dropped.is_set()
        assert len(starts) == 2
        parameter = await asyncio.to_thread(
            in_server,
            rig,
            lambda client: client.admin.command(
                {"getParameter": 1, "minSnapshotHistoryWindowInSeconds": 1}
            ),
        )
        assert parameter["minSnapshotHistoryWindowInSeconds"] == 300
        source = await rig.open(path)
        await rig.strategy.load_beside(source, None, "bank_2", Watch())

        def totals(client: Client) -> tuple[int, int, int]:
            bank = client["bank_2"]
            ours, theirs = bank["ours"].find_one({"_id": 1}), bank["theirs"].find_one({"_id": 1})
            assert ours
            assert theirs
            assert "bulk2" not in bank.list_collection_names()
            moved = bank["theirs"].count_documents({"moved": 1})
            return ours["sum"], theirs["sum"], moved

        ours, theirs, moved = await asyncio.to_thread(in_server, rig, totals)
        assert moved > 0
        assert (ours + theirs, theirs) == (1000, moved)


async def cut_at(step: str, work: Callable[[Watch], Coroutine[Any, Any, object]]) -> object:
    """Have ``work`` go on until it says ``step``, and cancel it before it goes on from there."""
    loop = asyncio.get_running_loop()
    here = threading.get_ident()
    cut = threading.Event()

    def cancel() -> None:
        if not cut.is_set():
            task.cancel()
            cut.set()

    def tell(words: str, _: float | None = None) -> None:
        if not words.startswith(step):
            return
        if threading.get_ident() == here:
            cancel()
        else:
            # A thread might be through with all of it before the loop hears of this.
            loop.call_soon_threadsafe(cancel)
            cut.wait()

    task = asyncio.ensure_future(work(Watch(tell)))
    return await task


async def test_cut_at_any_moment(short_dir: Path, launcher: KeeperLauncher) -> None:
    """Cancelled at some of its moments, a piece of work leaves nothing, and ends soon."""

    def make(client: Client) -> None:
        client["shop"]["a"].insert_many([{"n": n, "x": "y" * 2000} for n in range(20_000)])
        client["shop"]["a"].create_index([("n", 1), ("x", 1)])

    async with running(short_dir, launcher) as rig:
        await asyncio.to_thread(in_server, rig, make)
        before = await asyncio.to_thread(in_server, rig, describe_server)
        source = await rig.open(await rig.back_up(short_dir / "one.tar"))
        works = {
            "take": lambda watch: rig.back_up(short_dir / "two.tar", watch),
            "build": lambda watch: rig.strategy.build([Layer(source)], watch, keep=True),
            "beside": lambda watch: rig.strategy.load_beside(source, None, "shop_2", watch),
        }
        moments = {
            "take": ["Reading"],
            "build": ["Starting", "Loading", "Comparing", "Making indexes", "Writing"],
            "beside": ["Loading", "Making indexes"],
        }
        for name, steps in moments.items():
            for step in steps:
                with pytest.raises(asyncio.CancelledError):
                    await cut_at(step, works[name])
                assert leftovers(rig) == [], (name, step)
                assert not list(short_dir.glob("two.tar*")), (name, step)
                after = await asyncio.to_thread(in_server, rig, describe_server)
                assert after == before, (name, step)


async def test_what_cannot_be_restored_is_refused(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    """A newer server's backup, one with a flipped bit, one that lies: nothing live is touched."""
    async with running(short_dir, launcher) as rig:
        await asyncio.to_thread(
            in_server,
            rig,
            lambda client: client["shop"]["a"].insert_many([{"n": n} for n in range(1000)]),
        )
        path = await rig.back_up(short_dir / "one.tar")
        content = bytearray(path.read_bytes())
        newer = content.replace(
            b'"feature_compatibility": "6.0"', b'"feature_compatibility": "9.0"'
        )
        (short_dir / "newer.tar").write_bytes(newer)
        source = await rig.open(short_dir / "newer.tar")
        with pytest.raises(UnsuitableError, match=r"MongoDB 9\.0.*older"):
            await rig.strategy.build([Layer(source)], Watch(), keep=False)
        with pytest.raises(UnsuitableError, match=r"MongoDB 9\.0.*older"):
            await rig.strategy.load_beside(source, None, "b", Watch())
        broken = [content[:length] for length in range(0, len(content), len(content) // 20)]
        for at in range(0, len(content), len(content) // 40):
            flipped = bytearray(content)
            flipped[at] ^= 1
            broken.append(flipped)
        for one in broken:
            (short_dir / "broken.tar").write_bytes(one)
            try:
                opened = await rig.open(short_dir / "broken.tar")
            except UnsuitableError:
                continue
            # Padding, or the words of the description: what it holds is the same.
            assert [item.count for item in opened.contents] == [1000, 1000]

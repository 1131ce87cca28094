"""Quick questions to a live server: what it holds, how much, and when that last changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from ...drivers.mongo.provision import Server
from ...errors import VceError
from ...models_backup import DataItem, ItemKind
from ...sentences import say, say_many
from .catalog import list_databases
from .connection import connected
from .names import ADMIN, BUCKETS, LOADING, is_kept

if TYPE_CHECKING:
    from pymongo import MongoClient

    Client = MongoClient[dict[str, Any]]

Place = Server | str
_FOR_GOOD: Final = 3600
"""Seconds in which it does not make itself the first again; it is stopped long before."""


def look(place: Place) -> tuple[DataItem, ...]:
    """Each database, its collections and views after it. Raises VceError."""
    with connected(place) as client:
        return tuple(item for db in list_databases(client) for item in _database(client, db))


def _database(client: Client, db: str) -> Iterator[DataItem]:
    from pymongo.errors import OperationFailure

    parts: list[DataItem] = []
    there = sorted(client[db].list_collections(), key=lambda item: str(item["name"]))
    if any(found["name"] == LOADING for found in there):
        return
    for found in there:
        name, kind = found["name"], found.get("type")
        if not is_kept(db, name) or (db == ADMIN and name.startswith("system.")):
            continue
        key = f"{db}/{name}"
        if kind == "view":
            parts.append(DataItem(key, None, ItemKind.VIEW, name, within=db))
            continue
        stored = BUCKETS + name if kind == "timeseries" else name
        try:
            figures = client[db].command("collStats", stored)
        except OperationFailure:
            continue
        parts.append(
            DataItem(
                key,
                None,
                ItemKind.COLLECTION,
                name,
                within=db,
                # Measurements are counted by none: a server knows how many buckets they fill.
                count=None if kind == "timeseries" else int(figures.get("count", 0)),
                bytes=int(figures.get("size", 0)),
            )
        )
    if parts:
        yield DataItem(
            db,
            None,
            ItemKind.DATABASE,
            db,
            count=sum(part.count or 0 for part in parts),
            bytes=sum(part.bytes or 0 for part in parts),
        )
        yield from parts


def bytes_of_documents(place: Place) -> int:
    """Bytes of all documents, uncompressed. Raises VceError."""
    with connected(place) as client:
        figures = (client[db].command("dbStats") for db in list_databases(client))
        return sum(int(each.get("dataSize", 0)) for each in figures)


def bytes_on_disk(place: Place) -> int:
    """Bytes of the files of all databases. Raises VceError."""
    with connected(place) as client:
        return int(client.admin.command("listDatabases").get("totalSize", 0))


def last_change(place: Place) -> Any:
    """A mark of the last write that was not the server's own. Raises VceError.

    A server writes down now and then that it is alive, and keeps books on sessions; neither counts.
    """
    with connected(place) as client:
        return _last_change(client)


def end_writing(place: Place) -> Any:
    """Have the server take no more writes until it is started anew; the last it took.

    Raises VceError.
    """
    with connected(place) as client:
        # Nobody can take over; who writes is told so, and what was acknowledged is in the oplog.
        client.admin.command(
            {"replSetStepDown": _FOR_GOOD, "secondaryCatchUpPeriodSecs": 0, "force": True}
        )
        return _last_change(client)


def _last_change(client: Client) -> Any:
    newest = client.local["oplog.rs"].find_one(
        {"op": {"$ne": "n"}, "ns": {"$not": {"$regex": r"^config\."}}},
        {"ts": 1},
        sort=[("$natural", -1)],
    )
    return newest["ts"] if newest else "nothing yet"


def expect(place: Place, counts: Mapping[str, int]) -> None:
    """Raise VceError unless each collection (by key) has as many documents as it should have."""
    with connected(place) as client:
        for key, count in counts.items():
            db, _, name = key.partition("/")
            kind = next(iter(client[db].list_collections(filter={"name": name})), {}).get("type")
            stored = BUCKETS + name if kind == "timeseries" else name
            found = client[db][stored].estimated_document_count() if kind else 0
            if found != count:
                raise VceError(
                    "data-corrupt",
                    say_many(
                        "{db}.{name} was built with {count} document, and the running MongoDB "
                        "shows {found}.",
                        "{db}.{name} was built with {count} documents, and the running MongoDB "
                        "shows {found}.",
                        count,
                        db=db,
                        name=name,
                        found=found,
                    ),
                    say("Try again. If it happens again, show your tutor the log."),
                )

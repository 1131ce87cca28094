"""What a server holds: its databases, their collections and views, options and indexes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from .metadata import Metadata
from .names import ADMIN, BUCKETS, LOADING, SERVERS_OWN, Namespace, is_kept

if TYPE_CHECKING:
    from pymongo import MongoClient
    from pymongo.database import Database

    Client = MongoClient[dict[str, Any]]

_NO_SUCH_NAMESPACE: Final = 26

Catalog = Mapping[Namespace, Metadata]


def list_databases(client: Client) -> list[str]:
    """The databases that hold somebody's data, ``admin`` among them."""
    told = client.admin.command("listDatabases", nameOnly=True)["databases"]
    return sorted(item["name"] for item in told if item["name"] not in SERVERS_OWN)


def read_catalog(client: Client, *, admin: bool = True) -> dict[Namespace, Metadata]:
    """Everything that is kept, in the order of its names. Blocks; raises PyMongoError.

    Without ``admin`` its users and roles are not asked for: that is not everybody's right.
    """
    databases = [db for db in list_databases(client) if admin or db != ADMIN]
    return {at: what for db in databases for at, what in _read(client[db])}


def read_database(client: Client, db: str) -> dict[Namespace, Metadata]:
    """One database's collections and views, while it is being loaded."""
    return dict(_read(client[db], while_loading=True))


def _read(
    database: Database[dict[str, Any]], *, while_loading: bool = False
) -> Iterator[tuple[Namespace, Metadata]]:
    """What is in a database; one that is only being loaded holds nothing for others."""
    found = sorted(database.list_collections(), key=lambda item: str(item["name"]))
    if not while_loading and any(item["name"] == LOADING for item in found):
        return
    uuids = {item["name"]: item["info"].get("uuid") for item in found}
    for item in found:
        name, kind = item["name"], item.get("type", "collection")
        if not is_kept(database.name, name):
            continue
        uuid = uuids.get(BUCKETS + name if kind == "timeseries" else name)
        indexes = () if kind == "view" else tuple(_indexes(database, name))
        yield (
            Namespace(database.name, name),
            Metadata(kind, item["options"], indexes, bytes(uuid).hex() if uuid else ""),
        )


def _indexes(database: Database[dict[str, Any]], name: str) -> Iterator[dict[str, Any]]:
    from pymongo.errors import OperationFailure

    try:
        yield from (dict(index) for index in database[name].list_indexes())
    except OperationFailure as failure:
        # It was dropped between the two questions: whoever reads a snapshot asks again.
        if failure.code != _NO_SUCH_NAMESPACE:
            raise


def without_servers_own(catalog: Catalog) -> dict[Namespace, Metadata]:
    """``catalog`` without the users, roles and versions in ``admin``."""
    return {
        at: what
        for at, what in catalog.items()
        if not (at.db == ADMIN and at.name.startswith("system."))
    }


def stored_in(at: Namespace, what: Metadata) -> str:
    """The collection that holds the documents of ``at``."""
    return BUCKETS + at.name if what.kind == "timeseries" else at.name

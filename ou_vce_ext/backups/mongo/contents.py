"""What a dump or a server holds, in parts a person knows: databases, collections, views, users."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ...models_backup import DataItem, ItemKind
from .catalog import Catalog
from .names import ADMIN, KEPT_OF_ADMIN, ROLES, USERS, Namespace

PEOPLE: Final = "roles"
"""The key of the users and roles, which belong to a whole server."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A collection's documents: how many, how many bytes, and their checksum in their order."""

    documents: int = 0
    bytes: int = 0
    sha256: str = ""


NOTHING: Final = Counted()


def is_servers_own(at: Namespace) -> bool:
    """Whether it is one of the users', roles' and versions' collections."""
    return at.db == ADMIN and at.name in KEPT_OF_ADMIN


def describe(catalog: Catalog, counted: Mapping[Namespace, Counted]) -> tuple[DataItem, ...]:
    """Each database with its collections and views after it, then the users and roles if any."""
    plain = {at: what for at, what in catalog.items() if not is_servers_own(at)}
    items: list[DataItem] = []
    for db in sorted({at.db for at in plain}):
        items += _database(db, {at: what for at, what in plain.items() if at.db == db}, counted)
    people = sum(
        counted[at].documents for at in counted if at.db == ADMIN and at.name in (USERS, ROLES)
    )
    if people:
        items.append(DataItem(PEOPLE, None, ItemKind.ROLES, "users and roles", count=people))
    return tuple(items)


def _database(
    db: str, catalog: Catalog, counted: Mapping[Namespace, Counted]
) -> Iterator[DataItem]:
    known = [counted[at] for at in catalog if at in counted]
    yield DataItem(
        db,
        None,
        ItemKind.DATABASE,
        db,
        count=sum(each.documents for each in known),
        bytes=sum(each.bytes for each in known),
    )
    for at, what in sorted(catalog.items()):
        one = counted.get(at)
        kind = ItemKind.VIEW if what.kind == "view" else ItemKind.COLLECTION
        yield DataItem(
            at.key,
            None,
            kind,
            at.name,
            within=db,
            count=one.documents if one else None,
            bytes=one.bytes if one else None,
        )

"""Where a collection lies in mongodump's folder layout, and what a database may be called."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote_plus, unquote_plus

from ...errors import BadRequestError
from ...sentences import say
from ..scratch import MARK

FOLDER: Final = "dump"
"""The folder that mongorestore looks for by itself."""
DATA: Final = ".bson"
METADATA: Final = ".metadata.json"
BUCKETS: Final = "system.buckets."
"""Before a time-series collection's name: where its measurements really lie."""
LOADING: Final = f"vce{MARK}loading"
"""A collection in a database for as long as that is being loaded: it is nobody's till then."""
ADMIN: Final = "admin"
USERS: Final = "system.users"
ROLES: Final = "system.roles"
VERSION: Final = "system.version"
KEPT_OF_ADMIN: Final = (USERS, ROLES, VERSION)
SERVERS_OWN: Final = ("config", "local")
"""Databases that belong to a server and not to the people who use it."""

_LONGEST_ESCAPED: Final = 238
_KEPT_OF_LONG: Final = 208
_LONGEST_DATABASE: Final = 63
_NOT_IN_DATABASE: Final = '/\\. "$*<>:|?\0'


@dataclass(frozen=True, slots=True, order=True)
class Namespace:
    """One collection or view: its database and its name."""

    db: str
    name: str

    @property
    def key(self) -> str:
        """What names it in a restore's ``items``."""
        return f"{self.db}/{self.name}"

    def __str__(self) -> str:
        return f"{self.db}.{self.name}"


def file_name(collection: str) -> str:
    """A collection's name as mongodump writes it, short enough for every file system."""
    escaped = quote_plus(collection, safe="")
    if len(escaped) <= _LONGEST_ESCAPED:
        return escaped
    digest = hashlib.sha1(collection.encode(), usedforsecurity=False).digest()
    short = base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")
    return f"{escaped[:_KEPT_OF_LONG]}%24{short}"


def collection_name(file: str) -> str:
    """A collection's name from mongodump's; one that was too long stands in its metadata only."""
    return unquote_plus(file)


def data_member(at: Namespace) -> str:
    """The member that holds its documents."""
    return f"{FOLDER}/{at.db}/{file_name(at.name)}{DATA}"


def metadata_member(at: Namespace) -> str:
    """The member that holds its options and indexes."""
    return f"{FOLDER}/{at.db}/{file_name(at.name)}{METADATA}"


def is_kept(db: str, collection: str) -> bool:
    """Whether a collection is somebody's data, not the server's own."""
    if db == ADMIN and collection.startswith("system."):
        return collection in KEPT_OF_ADMIN
    return collection == "system.js" or not collection.startswith("system.")


def check_database(name: str) -> None:
    """Raise BadRequestError where no database can be called ``name``."""
    if not name or set(name) & set(_NOT_IN_DATABASE) or len(name.encode()) > _LONGEST_DATABASE:
        raise BadRequestError(
            say("A database cannot be called {name!r}. Nothing was changed.", name=name[:80]),
            say(
                "Use a name of 1 to {most} bytes without spaces and without any of "
                '/ \\ . " $ * < > : | ?',
                most=_LONGEST_DATABASE,
            ),
        )
    if name in (ADMIN, *SERVERS_OWN):
        raise BadRequestError(
            say("The database {name} is MongoDB's own. Nothing was changed.", name=name),
            say("Use another name."),
        )


def database_name(folder: str) -> str | None:
    """The database that a folder of mongodump's stands for, or None where it stands for none."""
    if not folder or folder == FOLDER or set(folder) & set(_NOT_IN_DATABASE):
        return None
    return folder if len(folder.encode()) <= _LONGEST_DATABASE else None

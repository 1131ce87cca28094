"""A file that databases can be taken from: a backup of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ...errors import UnsuitableError
from ...models_backup import Consistency, DataItem, ItemKind
from ...sentences import say
from ..reader import Archive
from .database import Database
from .facts import Facts
from .roles import LARGEST, MEMBER

ROLES: Final = "roles"
"""The key of the roles among the items of a backup."""
VERSION: Final = "PostgreSQL"
_LARGEST_FACTS: Final = 256 * 1024 * 1024
_PLAIN: Final = re.compile(r"[\w .-]")


def file_name(database: str) -> str:
    """What a database is called in a backup: readable, and a name that is good everywhere."""
    return "".join(
        letter if _PLAIN.match(letter) else "".join(f"%{byte:02X}" for byte in letter.encode())
        for letter in database
    )


def dump_member(database: str) -> str:
    """The name of a database's dump in a backup."""
    return f"databases/{file_name(database)}.dump"


def facts_member(database: str) -> str:
    """The name of what is known of that database."""
    return f"databases/{file_name(database)}.facts.json"


@dataclass(frozen=True, slots=True)
class Dumped:
    """One database in a backup of ours."""

    database: Database
    dump: str
    facts: str | None


class OwnBackup:
    """A backup that this software made."""

    def __init__(self, archive: Archive) -> None:
        """Understand its manifest. Raises UnsuitableError."""
        self.archive = archive
        manifest = archive.manifest
        if manifest.kind != "postgres":
            raise UnsuitableError(
                say(
                    "This is a backup of {title}, not of PostgreSQL. Nothing was changed.",
                    title=manifest.title,
                ),
                say("Restore it from the menu of {title}.", title=manifest.title),
            )
        self.databases = tuple(self._databases(manifest.details))
        self.major = self._major(manifest.details)
        self.has_roles = MEMBER in archive.names

    @property
    def path(self) -> Path:
        """The file."""
        return self.archive.path

    @property
    def contents(self) -> tuple[DataItem, ...]:
        """Databases, and the roles."""
        return self.archive.manifest.contents

    @property
    def versions(self) -> Mapping[str, str]:
        """The server's release."""
        return self.archive.manifest.versions

    @property
    def consistency(self) -> Consistency:
        """One moment for all where there is one database."""
        return self.archive.manifest.consistency

    @property
    def whole(self) -> bool:
        """It is all that the server had."""
        return True

    def facts_of(self, dumped: Dumped) -> Facts | None:
        """What was true of a database when it was dumped, where that is known."""
        if dumped.facts is None or self.archive.bytes_of(dumped.facts) > _LARGEST_FACTS:
            return None
        with self.archive.open(dumped.facts) as member:
            return Facts.from_bytes(member.read())

    def roles(self) -> bytes | None:
        """Its globals.sql, or None."""
        if not self.has_roles or self.archive.bytes_of(MEMBER) > LARGEST:
            return None
        with self.archive.open(MEMBER) as member:
            return member.read()

    def _databases(self, details: Mapping[str, Any]) -> list[Dumped]:
        found = []
        try:
            for each in details["databases"]:
                database = Database.from_json(each)
                dump, facts = dump_member(database.name), facts_member(database.name)
                if dump not in self.archive.names:
                    raise KeyError(dump)
                there = facts in self.archive.names
                found.append(Dumped(database, dump, facts if there else None))
        except (KeyError, TypeError) as error:
            raise _unclear() from error
        return found

    @staticmethod
    def _major(details: Mapping[str, Any]) -> int:
        major = details.get("major")
        if not isinstance(major, int) or isinstance(major, bool):
            raise _unclear()
        return major


def _unclear() -> UnsuitableError:
    return UnsuitableError(
        say(
            "This backup is damaged: it does not say which databases are in it. Nothing "
            "was changed."
        ),
        say("Use another backup."),
    )


def item_of(service: str | None, database: Database, facts: Facts | None, size: int) -> DataItem:
    """A database as people see it in a list; ``size`` in bytes."""
    return DataItem(
        key=database.name,
        service=service,
        kind=ItemKind.DATABASE,
        name=database.name,
        count=None if facts is None else facts.rows,
        bytes=size,
    )

"""What is true of one database's content, found out by its server, and how two compare.

Taken in the very snapshot a dump is made of, and again of the database that is made of the dump.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ...drivers.postgres.session import Connection
from ...errors import UnsuitableError
from ...sentences import say, say_many
from . import facts_sql
from .snapshot import lock_tables

_SHOWN: Final = 4


@dataclass(slots=True)
class Facts:
    """Of each table: count of rows, and a sum of their hashes. ``schema``: definitions' hashes.

    A sequence is of no snapshot: it has the values before and after. ``major`` is the server's.
    """

    major: int
    tables: dict[str, tuple[int, str]] = field(default_factory=dict)
    sequences: dict[str, list[tuple[int, bool]]] = field(default_factory=dict)
    large_objects: tuple[int, str] = (0, "0")
    schema: dict[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many rows all tables have."""
        return sum(count for count, _ in self.tables.values())

    def to_bytes(self) -> bytes:
        """As a file."""
        body = {
            "major": self.major,
            "tables": self.tables,
            "sequences": self.sequences,
            "large_objects": self.large_objects,
            "schema": self.schema,
        }
        return (json.dumps(body, ensure_ascii=False, indent=1) + "\n").encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Facts:
        """Read them. Raises UnsuitableError."""
        try:
            body: dict[str, Any] = json.loads(content)
            return cls(
                major=int(body["major"]),
                tables={str(key): (int(n), str(s)) for key, (n, s) in body["tables"].items()},
                sequences={
                    str(key): [(int(last), bool(called)) for last, called in values]
                    for key, values in body["sequences"].items()
                },
                large_objects=(int(body["large_objects"][0]), str(body["large_objects"][1])),
                schema={str(key): str(value) for key, value in body["schema"].items()},
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise UnsuitableError(
                say(
                    "This backup is damaged: what it says of its databases cannot be read. Nothing "
                    "was changed."
                ),
                say("Use another backup."),
            ) from error


class Inquiry:
    """Asks one connection, in a transaction that its caller began."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.facts = Facts(major=connection.info.server_version // 10_000)

    async def prepare(self) -> None:
        """Have the tables stay as they are, and note what is of no snapshot, before a dump."""
        for setting in facts_sql.SETTINGS:
            await self._connection.execute(setting.encode())
        names = await self._names(facts_sql.TABLES)
        await lock_tables(self._connection, names)
        self.facts.tables = dict.fromkeys(names, (0, "0"))
        await self.note_sequences()

    async def note_sequences(self) -> None:
        """Note where the sequences are now."""
        for name in await self._names(facts_sql.SEQUENCES):
            [(last, called)] = await self._rows(facts_sql.SEQUENCE.format(name))
            self.facts.sequences.setdefault(name, []).append((int(last), bool(called)))

    async def contents(self) -> None:
        """Count and sum up, which reads everything once; and describe it."""
        for name in self.facts.tables:
            [(count, total)] = await self._rows(facts_sql.ROWS.format(name))
            self.facts.tables[name] = (int(count), str(total))
        [(all_pages,)] = await self._rows(facts_sql.MAY_READ_PAGES)
        [(count, total)] = await self._rows(
            facts_sql.LARGE_OBJECTS if all_pages else facts_sql.READ_LARGE_OBJECTS
        )
        self.facts.large_objects = (int(count), str(total))
        for kind, name, definition in await self._rows(facts_sql.SCHEMA):
            mark = hashlib.sha256(str(definition).encode()).hexdigest()[:16]
            # A view's rule and the like may share a name: nothing of one is lost.
            key = f"{kind} {name}"
            before = self.facts.schema.get(key, "")
            self.facts.schema[key] = before + mark

    async def _names(self, question: str) -> list[str]:
        return [str(name) for (name,) in await self._rows(question)]

    async def _rows(self, question: str) -> list[tuple[Any, ...]]:
        cursor = await self._connection.execute(question.encode())
        return await cursor.fetchall()


def differences(said: Facts, found: Facts) -> list[str]:
    """What is not as it was said, in words. Empty where all is."""
    return [
        *_tables(said.tables, found.tables),
        *_sequences(said.sequences, found.sequences),
        *_large_objects(said, found),
        *_schema(said, found),
    ]


def in_a_sentence(differences: list[str]) -> str:
    """The first of them."""
    told = differences[0]
    for another in differences[1:_SHOWN]:
        told = say("{several}; {another}", several=told, another=another)
    more = len(differences) - _SHOWN
    if more > 0:
        return say_many(
            "{several}; and {count} more", "{several}; and {count} more", more, several=told
        )
    return told


def _tables(
    said: Mapping[str, tuple[int, str]], found: Mapping[str, tuple[int, str]]
) -> Iterator[str]:
    for name in sorted(said.keys() | found.keys()):
        if name not in found:
            yield say("the table {name} is missing", name=name)
        elif name not in said:
            yield say("the table {name} was not there", name=name)
        elif said[name][0] != found[name][0]:
            yield say_many(
                "the table {name} has {count} row, not {expected}",
                "the table {name} has {count} rows, not {expected}",
                found[name][0],
                name=name,
                expected=said[name][0],
            )
        elif said[name] != found[name]:
            yield say("rows of the table {name} differ", name=name)


def _sequences(
    said: Mapping[str, list[tuple[int, bool]]], found: Mapping[str, list[tuple[int, bool]]]
) -> Iterator[str]:
    for name in sorted(said.keys() | found.keys()):
        here, there = said.get(name, []), found.get(name, [])
        if not here or not there:
            yield say("the sequence {name} is missing, or was not there", name=name)
        # Between two equal values there is no other; while others count on, any between will do.
        elif not min(here) <= there[0] <= max(here):
            yield say(
                "the sequence {name} is at {found}, not {expected}",
                name=name,
                found=there[0][0],
                expected=here[-1][0],
            )


def _large_objects(said: Facts, found: Facts) -> Iterator[str]:
    if said.large_objects[0] != found.large_objects[0]:
        yield say_many(
            "there is {count} large object, not {expected}",
            "there are {count} large objects, not {expected}",
            found.large_objects[0],
            expected=said.large_objects[0],
        )
    elif said.large_objects != found.large_objects:
        yield say("large objects differ")


def _schema(said: Facts, found: Facts) -> Iterator[str]:
    # Another release puts the same definition in other words, and names what it did not before.
    if said.major != found.major:
        for key in sorted(said.schema.keys() - found.schema.keys()):
            if not key.startswith(("constraint ", "comment ")):
                yield say("the {thing} is missing", thing=key)
        return
    for key in sorted(said.schema.keys() | found.schema.keys()):
        if said.schema.get(key) != found.schema.get(key):
            yield say("the {thing} is not as it was", thing=key)

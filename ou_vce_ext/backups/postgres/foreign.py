"""Files that pg_dump and pg_dumpall made, by hand or elsewhere: in any format, packed or not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from ...models_backup import Consistency, DataItem, ItemKind
from ...sentences import say
from ..watch import Watch
from .loading import blocks, connects_to, left_out
from .packed import Format, Packed, limited, no_dump, start_of, tail, understood
from .script import Command, Rows, statements, without_comments
from .sources import VERSION

_HEADER: Final = re.compile(rb"^-- Dumped from database version (\d+)\S*", re.M)
_DUMP: Final = re.compile(rb"^-- PostgreSQL database (cluster )?dump\s*$", re.M)
_COMPLETE: Final = re.compile(rb"^-- PostgreSQL database (cluster )?dump complete\s*$", re.M)
_MAKES: Final = re.compile(
    rb"(?:CREATE|INSERT|COPY|ALTER|COMMENT|SELECT\s+pg_catalog\.setval)\b", re.I
)
_NOT_A_NAME: Final = re.compile(r"[^\w.-]+")
_SUFFIXES: Final = re.compile(
    r"(\.(sql|dump|backup|custom|pgdump|tar|tgz|gz|zip|bak|out|txt))+$", re.I
)


@dataclass(frozen=True, slots=True)
class ForeignDump:
    """A dump that was not made by us. ``databases`` are the names it says, or is called by.

    Its statements start in the first of them.
    """

    path: Path
    packed: Packed
    format: Format
    databases: tuple[str, ...]
    begins_in: str
    major: int

    @property
    def contents(self) -> tuple[DataItem, ...]:
        """Its databases."""
        return tuple(
            DataItem(key=name, service=None, kind=ItemKind.DATABASE, name=name)
            for name in self.databases
        )

    @property
    def versions(self) -> Mapping[str, str]:
        """The release it was dumped from, where it says so."""
        return {VERSION: str(self.major)} if self.major else {}

    @property
    def consistency(self) -> Consistency:
        """pg_dump copies each database as of one moment."""
        one = len(self.databases) <= 1
        return Consistency.SNAPSHOT if one else Consistency.PER_DATABASE

    @property
    def whole(self) -> bool:
        """It is some of a server."""
        return False


def read_script(packed: Packed, filename: str, watch: Watch) -> ForeignDump:
    """Read a script from beginning to end, without running any of it. Raises UnsuitableError."""
    first = name_of(filename)
    current, filled, major = first, dict[str, bool](), 0
    with understood(), packed.open() as file:
        for part in statements(limited(blocks(file, watch), packed.path)):
            if isinstance(part, Rows):
                continue
            if isinstance(part, Command):
                current = connects_to(part) or current
                continue
            if told := _HEADER.search(part.text):
                major = max(major, int(told[1]))
            text = without_comments(part.text)
            if _MAKES.match(text) and not left_out(text):
                filled[current] = True
    with understood(), packed.open() as file:
        end = tail(file)
    # Each part of a dump says that it is complete; the last of it comes after all statements.
    if _DUMP.search(start_of(packed)) and not _COMPLETE.search(end):
        raise no_dump(say("it breaks off before its end"))
    if not filled:
        raise no_dump(say("there is nothing in it that makes a table or fills one"))
    return ForeignDump(packed.path, packed, "sql", tuple(filled), first, major)


_TOLD: Final = re.compile(r"^;\s+dbname: (.*)$", re.M)
_FROM: Final = re.compile(r"^;\s+Dumped from database version: (\d+)", re.M)


def from_listing(packed: Packed, kind: Format, listing: str, filename: str) -> ForeignDump:
    """What ``pg_restore --list`` says of an archive."""
    told, version = _TOLD.search(listing), _FROM.search(listing)
    name = told[1].strip() if told else name_of(filename)
    major = int(version[1]) if version else 0
    return ForeignDump(packed.path, packed, kind, (name,), name, major)


def name_of(filename: str) -> str:
    """A name for a database that does not say its own: that of its file."""
    stem = _SUFFIXES.sub("", PurePosixPath(filename).name)
    return _NOT_A_NAME.sub("_", stem).strip("._-")[:40] or "restored"

"""What is in a project, as OpenRefine has written it down: read without Java, all of it or a bit.

A project's ``data.zip`` holds ``data.txt``, line by line the columns, the history and the rows, and
``pool.txt``. OpenRefine may leave out rows without a word where it cannot write them, so a file is
whole only where every row it promises is there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from ...listing import listed
from ...models import Json
from ...sentences import say
from ..watch import Watch
from ..zips import BrokenZipError, member, opened, read_to_end

LONGEST_LINE: Final = 128 * 1024 * 1024
_MOST_MEMBERS: Final = 16
_END: Final = "/e/"
_WORDS: Final[Mapping[str, str]] = {
    "written_by": say("release of OpenRefine"),
    "columns": say("columns"),
    "past": say("steps"),
    "future": say("undone steps"),
    "history": say("history"),
    "rows": say("rows"),
    "starred": say("stars"),
    "flagged": say("flags"),
    "digest": say("values"),
    "name": say("name"),
    "tags": say("tags"),
    "lost_steps": say("lost steps"),
}
"""What may differ between two readings of a project, as its manifest names it."""


class BrokenProjectError(Exception):
    """A project's data cannot be read: ``reason`` says why, within a sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Facts:
    """A project's data in numbers.

    ``past`` and ``future`` are the ids of the steps that are done, and that were undone. ``digest``
    is the checksum of every row's marks and values, None where rows were not looked at; two
    releases of OpenRefine (``written_by``) may write the same value differently.
    """

    written_by: str
    columns: tuple[str, ...]
    past: tuple[int, ...]
    future: tuple[int, ...]
    rows: int
    starred: int = 0
    flagged: int = 0
    digest: str | None = None

    def to_json(self) -> dict[str, Json]:
        """For a manifest."""
        return {
            "written_by": self.written_by,
            "columns": len(self.columns),
            "past": len(self.past),
            "future": len(self.future),
            "rows": self.rows,
            "starred": self.starred,
            "flagged": self.flagged,
            "digest": self.digest,
        }


def facts_of(data: Path, watch: Watch) -> Facts:
    """Read all of a ``data.zip``. Raises BrokenProjectError, OSError, WorkCancelledError."""
    return _read(data, watch, rows=True)


def glance(data: Path, watch: Watch) -> Facts:
    """Read no further than to the number of rows, which is quick. Raises as :func:`facts_of`."""
    return _read(data, watch, rows=False)


def _read(data: Path, watch: Watch, *, rows: bool) -> Facts:
    try:
        with data.open("rb") as file, opened(file, _MOST_MEMBERS) as archive:
            with member(archive, "data.txt") as text:
                facts = _Reader(text, watch).read(rows=rows)
                if rows:
                    read_to_end(text, watch)
            if rows and "pool.txt" in archive.namelist():
                with member(archive, "pool.txt") as pool:
                    read_to_end(pool, watch)
            return facts
    except BrokenZipError as error:
        raise BrokenProjectError(error.reason) from error


def told_of(differing: Iterable[str]) -> str:
    """What differs, by the names that a manifest has for it, in words."""
    return listed(_WORDS.get(name, name) for name in differing)


class _Reader:
    """Goes through ``data.txt`` once."""

    def __init__(self, text: BinaryIO, watch: Watch) -> None:
        self._text = text
        self._watch = watch

    def read(self, *, rows: bool) -> Facts:
        try:
            return self._read(rows=rows)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise BrokenProjectError(say("its data are not as OpenRefine writes them")) from error

    def _read(self, *, rows: bool) -> Facts:
        written_by = self._line()[:100]
        columns: list[str] = []
        past: list[int] = []
        future: list[int] = []
        while (line := self._line()) or not self._at_end:
            field, _, value = line.partition("=")
            if field == "columnModel":
                self._section({"columnCount": columns, "columnGroupCount": None})
            elif field == "history":
                self._section({"pastEntryCount": past, "futureEntryCount": future})
            elif field == "rowCount":
                count = int(value)
                known = (written_by, tuple(columns), tuple(past), tuple(future), count)
                return Facts(*known, *self._rows(count)) if rows else Facts(*known)
        raise BrokenProjectError(say("it ends before its rows"))

    def _section(self, lists: Mapping[str, list[Any] | None]) -> None:
        """A part that ends with a mark of its own; some of its fields are followed by lists."""
        while (line := self._line()) != _END:
            if self._at_end:
                raise BrokenProjectError(say("it ends too early"))
            field, _, value = line.partition("=")
            if field not in lists:
                continue
            for _ in range(int(value)):
                entry = json.loads(self._line())
                names = lists[field]
                if names is not None:
                    wanted = int(entry["id"]) if "Entry" in field else str(entry["name"])
                    names.append(wanted)

    def _rows(self, count: int) -> tuple[int, int, str]:
        """Stars, flags and the checksum."""
        starred = flagged = 0
        digest = hashlib.sha256()
        for _ in range(count):
            line = self._line()
            row = json.loads(line)
            star, flag = bool(row["starred"]), bool(row["flagged"])
            starred += star
            flagged += flag
            values = [None if cell is None else _value(cell) for cell in row["cells"]]
            while values and values[-1] is None:
                values.pop()
            digest.update(json.dumps([star, flag, values], sort_keys=True).encode())
        return starred, flagged, digest.hexdigest()

    def _line(self) -> str:
        self._watch.raise_if_cancelled()
        line = self._text.readline(LONGEST_LINE)
        if len(line) >= LONGEST_LINE:
            raise BrokenProjectError(say("a line in it is absurdly long"))
        self._at_end = not line.endswith(b"\n")
        return line.decode("utf-8").rstrip("\r\n")


def _value(cell: dict[str, Any]) -> Any:
    """What a cell holds, without what OpenRefine adds to it."""
    kind = cell.get("t")
    return cell.get("e") if "e" in cell else [kind, cell.get("v")] if kind else cell.get("v")

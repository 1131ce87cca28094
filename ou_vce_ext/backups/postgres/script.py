"""Reading an SQL script as psql does, one statement at a time, at constant memory.

No program interprets a file that somebody else made: what is a command of psql's own (running a
program, writing a file) is only told of here, and never done.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from ...errors import UnsuitableError
from ...sentences import say

LONGEST: Final = 256 * 1024 * 1024
"""Bytes that one statement may have."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of SQL, without its semicolon; ``line`` is where it ends."""

    text: bytes
    line: int


@dataclass(frozen=True, slots=True)
class Rows:
    """Data for the COPY … FROM stdin before it: a block of whole or parted lines."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Command:
    r"""A command of psql's own, such as ``\connect``: its line."""

    text: str
    line: int


Part = Statement | Rows | Command

_TELLING: Final = re.compile(
    rb"""
    ' | " | \$(?:[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*)?\$ | -- | /\* | [;()\\]
    | (?<![A-Za-z0-9_$\x80-\xff])(?:BEGIN|CASE|END)(?![A-Za-z0-9_$\x80-\xff])
    """,
    re.VERBOSE | re.IGNORECASE,
)
_QUOTED: Final = re.compile(rb"'")
_ESCAPED: Final = re.compile(rb"'|\\.", re.DOTALL)
_NAMED: Final = re.compile(rb'"')
_COMMENT: Final = re.compile(rb"/\*|\*/")
_ROUTINE: Final = re.compile(rb"\s*CREATE\s+(?:OR\s+REPLACE\s+)?(?:FUNCTION|PROCEDURE)\b", re.I)
_COPY: Final = re.compile(rb"\s*COPY\s.*\sFROM\s+stdin\b", re.I | re.DOTALL)
_CONFORMING: Final = re.compile(
    rb"\s*SET\s+standard_conforming_strings\s*(?:=|TO)\s*'?(on|off)'?\s*\Z", re.I
)
_LETTER: Final = re.compile(rb"[A-Za-z0-9_$\x80-\xff]")
_END_OF_ROWS: Final = b"\\.\n"
_SAFE_TAIL: Final = 128
"""Bytes that are not judged before what follows them is known: a tag of dollars may be parted."""


def statements(blocks: Iterable[bytes]) -> Iterator[Part]:
    """The parts of a script that comes in ``blocks``. Raises UnsuitableError where it has no end.

    Comments before a statement are part of it.
    """
    return _Reader(blocks).parts()


class _Reader:
    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._buffer = bytearray()
        self._ended = False
        self._line = 1
        self._conforming = True

    def parts(self) -> Iterator[Part]:
        while True:
            found = self._statement()
            if found is None:
                return
            yield found
            if isinstance(found, Statement):
                if told := _CONFORMING.match(found.text):
                    self._conforming = told[1].lower() == b"on"
                if _COPY.match(without_comments(found.text)):
                    yield from self._rows()

    def _more(self) -> bool:
        """Read on; False at the end."""
        if self._ended:
            return False
        block = next(self._blocks, b"")
        # As a file may come from Windows; within values a line's end is written as \r and \n.
        self._ended = not block
        self._buffer += block
        if len(self._buffer) > LONGEST:
            raise UnsuitableError(
                say(
                    "This script has a statement that is far too long, at line {line}. Nothing was "
                    "changed.",
                    line=self._line,
                ),
                say("Make a new file with pg_dump, in its custom format."),
            )
        return not self._ended

    def _take(self, length: int) -> bytes:
        taken = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._line += taken.count(b"\n")
        return taken

    def _find(self, pattern: re.Pattern[bytes], start: int) -> re.Match[bytes] | None:
        """The next telling place, once enough is known of what follows it."""
        while True:
            found = pattern.search(self._buffer, start)
            if found and (self._ended or found.end() + _SAFE_TAIL <= len(self._buffer)):
                return found
            start = found.start() if found else max(start, len(self._buffer) - _SAFE_TAIL)
            # A match holds the buffer, which then cannot grow.
            del found
            if not self._more():
                return pattern.search(self._buffer, start)

    def _statement(self) -> Statement | Command | None:
        at = depth = begun = 0
        while True:
            found = self._find(_TELLING, at)
            if found is None:
                return self._last()
            sign, start, end = found[0], found.start(), found.end()
            del found
            at = end
            if sign == b";":
                if depth <= 0 and begun == 0:
                    text = self._take(end)[:-1]
                    return Statement(text, self._line)
            elif sign == b"(":
                depth += 1
            elif sign == b")":
                depth -= 1
            elif sign == b"'":
                at = self._past_string(start, end)
            elif sign == b'"':
                at = self._past(_NAMED, end)
            elif sign == b"--":
                at = self._past_line(end)
            elif sign == b"/*":
                at = self._past_comment(end)
            elif sign == b"\\":
                return self._command(start)
            elif sign.startswith(b"$"):
                if not (start and _LETTER.match(self._buffer, start - 1)):
                    at = self._past(re.compile(re.escape(sign)), end)
            else:
                begun = self._body(sign.upper(), begun)

    def _body(self, word: bytes, begun: int) -> int:
        """How deep in BEGIN … END of a routine's body we are after ``word``."""
        if word == b"END":
            return max(0, begun - 1)
        if word == b"CASE":
            return begun + 1 if begun else 0
        routine = _ROUTINE.match(without_comments(bytes(self._buffer[:4096])))
        return begun + 1 if begun or routine else 0

    def _last(self) -> Statement | None:
        text = self._take(len(self._buffer))
        if without_comments(text).strip():
            # psql runs a last statement without its semicolon only where a person typed it.
            raise _endless(self._line)
        return None

    def _past(self, pattern: re.Pattern[bytes], start: int) -> int:
        found = self._find(pattern, start)
        if found is None:
            raise _endless(self._line)
        return found.end()

    def _past_string(self, start: int, end: int) -> int:
        mark = self._buffer[start - 1 : start] if start else b""
        before = self._buffer[start - 2 : start - 1] if start > 1 else b""
        escapes = mark in (b"E", b"e") and not (before and _LETTER.match(before))
        if not escapes and self._conforming:
            return self._past(_QUOTED, end)
        while True:
            found = self._find(_ESCAPED, end)
            if found is None:
                raise _endless(self._line)
            sign, end = found[0], found.end()
            del found
            if sign == b"'":
                return end

    def _past_line(self, start: int) -> int:
        while (end := self._buffer.find(b"\n", start)) < 0:
            start = len(self._buffer)
            if not self._more():
                return len(self._buffer)
        return end + 1

    def _past_comment(self, end: int) -> int:
        depth = 1
        while depth:
            found = self._find(_COMMENT, end)
            if found is None:
                raise _endless(self._line)
            depth += 1 if found[0] == b"/*" else -1
            end = found.end()
            del found
        return end

    def _command(self, start: int) -> Command:
        end = self._past_line(start)
        before = without_comments(bytes(self._buffer[:start])).strip()
        text = self._take(end)[start:].decode("utf-8", "replace").strip()
        if before:
            # As in "SELECT 1 \gexec": whatever it does, it is no part of a dump.
            text = f"{text} after a statement"
        return Command(text, self._line)

    def _rows(self) -> Iterator[Rows]:
        """What follows a COPY, up to a line with a backslash and a dot."""
        self._past_to_line_end()
        fresh = True
        while True:
            end = self._end_of_rows(fresh=fresh)
            if end is not None:
                if end:
                    yield Rows(self._take(end))
                self._take(self._past_line(0))
                return
            keep = 4
            if len(self._buffer) > keep:
                block = self._take(len(self._buffer) - keep)
                fresh = block.endswith(b"\n")
                yield Rows(block)
            if not self._more():
                raise _endless(self._line)

    def _past_to_line_end(self) -> None:
        self._take(self._past_line(0))

    def _end_of_rows(self, *, fresh: bool) -> int | None:
        """Where the line is that ends the rows: at the buffer's start, or after a line's end."""
        while len(self._buffer) < 4 and self._more():
            pass
        last = (_END_OF_ROWS, b"\\.\r\n")
        if fresh and self._buffer.startswith(last):
            return 0
        places = [self._buffer.find(b"\n" + each) for each in last]
        found = [place for place in places if place >= 0]
        if found:
            return min(found) + 1
        if self._ended and self._buffer.endswith(b"\n\\."):
            return len(self._buffer) - 2
        return None


def without_comments(text: bytes) -> bytes:
    """A statement's beginning, without the comments before it."""
    while True:
        text = text.lstrip()
        if text.startswith(b"--"):
            text = text.partition(b"\n")[2]
        elif text.startswith(b"/*"):
            text = text.partition(b"*/")[2]
        else:
            return text


def _endless(line: int) -> UnsuitableError:
    return UnsuitableError(
        say(
            "This script ends in the middle of a statement that begins near line {line}: "
            "it is not whole, or no SQL at all. Nothing was changed.",
            line=line,
        ),
        say("Make the file again, or use another."),
    )

"""Running an SQL script in a database as a user without special rights.

Whose a thing was where the script comes from, and who had rights to it, does not matter here: all
of it becomes that user's. What would reach beyond the database is left out, or refused.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO, Final

from ...drivers.postgres.door import Door
from ...errors import UnsuitableError, VceError
from ...sentences import say
from ..watch import Watch
from .blame import is_gone, no_room
from .script import Command, Part, Rows, statements, without_comments

if TYPE_CHECKING:
    from psycopg import Connection

BLOCK: Final = 256 * 1024
_LEFT_OUT: Final = re.compile(
    rb"""
    (?: GRANT | REVOKE | ALTER \s+ DEFAULT \s+ PRIVILEGES
      | SET \s+ (?:SESSION \s+ AUTHORIZATION | (?:SESSION \s+ | LOCAL \s+)? ROLE) \b
      | RESET \s+ (?:SESSION|ROLE)
      | COMMENT \s+ ON \s+ (?:EXTENSION|DATABASE|ROLE|TABLESPACE|EVENT|SUBSCRIPTION)
      | (?:CREATE|ALTER|DROP) \s+ (?:ROLE|USER|GROUP|DATABASE|TABLESPACE|SUBSCRIPTION|EVENT) \b
        (?! \s+ MAPPING)
      | CREATE \s+ EXTENSION \s+ (?:IF \s+ NOT \s+ EXISTS \s+)? "?plpgsql"? \b
      | SET \s+ (?:default_tablespace|transaction_timeout)
    ) | ALTER \s [^']* \s OWNER \s+ TO \s+ (?:"(?:[^"]|"")+"|\S+) \s* \Z
    """,
    re.VERBOSE | re.IGNORECASE,
)
_DROP: Final = re.compile(
    rb"(?:DROP|ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?\S+\s+DROP)\b", re.I
)
_PUBLIC: Final = re.compile(rb"CREATE\s+SCHEMA\s+\"?public\"?\s*\Z", re.I)
_HARMLESS: Final = ("\\restrict", "\\unrestrict", "\\echo", "\\qecho", "\\encoding")
"""Of the encoding pg_dump tells the server, too."""
_CONNECT: Final = re.compile(r"\\(?:c|connect)\s+(?:-reuse-previous=\w+\s+)?(.+)")
_DBNAME: Final = re.compile(r"dbname='((?:[^'\\]|\\.)*)'")


def blocks(source: BinaryIO, watch: Watch | None = None) -> Iterator[bytes]:
    """A file's blocks, counted."""
    while block := source.read(BLOCK):
        if watch:
            watch.did(len(block))
        yield block


def left_out(statement: bytes) -> bool:
    """Whether a statement (without comments before it) is not for a database's own user."""
    return bool(_LEFT_OUT.match(statement))


def connects_to(command: Command) -> str | None:
    """The database that psql is told to go on with; None for what means nothing here.

    Raises UnsuitableError for what would do something outside of the database.
    """
    if command.text.startswith(_HARMLESS) and "after a statement" not in command.text:
        return None
    found = _CONNECT.fullmatch(command.text)
    if not found:
        raise UnsuitableError(
            say(
                "This script is for a person at a terminal: line {line} has the command "
                "{command}, which does more than SQL can. Nothing was changed.",
                line=command.line,
                command=command.text.split()[0],
            ),
            say("Make the file with pg_dump, or take that line out."),
        )
    told = found[1].strip()
    if quoted := told.startswith('"') and told.endswith('"'):
        told = told[1:-1].replace('""', '"')
    if named := _DBNAME.search(told):
        return re.sub(r"\\(.)", r"\1", named[1])
    return told if quoted else told.split()[0]


class Loader:
    """Runs a script in the database of ``door``, as its user.

    With ``only``, what the script does while connected to another database is passed over, and
    ``begins_with`` is the database it starts in.
    """

    def __init__(
        self, door: Door, watch: Watch, only: str | None = None, begins_with: str | None = None
    ) -> None:
        self._door = door
        self._watch = watch
        self._only = only
        self._current = begins_with
        self._connection: Connection[tuple[object, ...]] | None = None
        self._done = threading.Event()

    def run(self, source: BinaryIO) -> None:
        """Run it, in a thread. Raises UnsuitableError with the place and the reason."""
        connection = self._door.connect_blocking()
        self._connection = connection
        try:
            self._run(connection, statements(blocks(source)))
        finally:
            self._done.set()
            connection.close()

    async def mind_cancelling(self) -> None:
        """Until it is done: have the server end its query when the work is cancelled."""
        while not self._done.is_set():
            await asyncio.sleep(0.1)
            if self._watch.cancelled and self._connection:
                await asyncio.to_thread(self._connection.cancel)

    def _run(self, connection: Connection[tuple[object, ...]], parts: Iterable[Part]) -> None:
        import psycopg

        line = 0
        copying: bytes | None = None
        iterator = iter(parts)
        part = next(iterator, None)
        while part is not None:
            self._watch.raise_if_cancelled()
            if isinstance(part, Command):
                self._current = connects_to(part) or self._current
                part = next(iterator, None)
                continue
            if isinstance(part, Rows) or not self._wanted():
                part = next(iterator, None)
                continue
            line, text = part.line, without_comments(part.text)
            part = next(iterator, None)
            try:
                if isinstance(part, Rows):
                    copying = text
                    part = self._copy(connection, text, part, iterator)
                elif text.strip() and not left_out(text):
                    connection.execute(text, prepare=False)
            except psycopg.Error as error:
                self._watch.raise_if_cancelled()
                if is_gone(str(error)):
                    raise
                if not _forgivable(text, error):
                    raise _refused(line, copying or text, error) from error
            copying = None

    def _wanted(self) -> bool:
        return self._only is None or self._current is None or self._current == self._only

    def _copy(
        self,
        connection: Connection[tuple[object, ...]],
        statement: bytes,
        first: Rows,
        rest: Iterator[Part],
    ) -> Part | None:
        part: Part | None = first
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            while isinstance(part, Rows):
                self._watch.raise_if_cancelled()
                copy.write(part.data)
                part = next(rest, None)
        return part


def _forgivable(statement: bytes, error: Exception) -> bool:
    """Whether an error tells only that things are as they should be already."""
    import psycopg

    if _DROP.match(statement):
        return True
    return isinstance(error, psycopg.errors.DuplicateSchema) and bool(_PUBLIC.match(statement))


def _refused(line: int, statement: bytes, error: Exception) -> VceError:
    if full := no_room(str(error)):
        return full
    told = str(error).strip().splitlines()
    what = " ".join(statement[:80].decode("utf-8", "replace").split())
    return UnsuitableError(
        say(
            "The server refuses what this file says near line {line} ({statement} …): {answer}. "
            "Your data are as they were.",
            line=line,
            statement=what,
            answer=told[0] if told else type(error).__name__,
        ),
        say(
            "If it needs rights or an extension that students do not have, ask for a file "
            "made with `pg_dump --no-owner --no-privileges`."
        ),
    )

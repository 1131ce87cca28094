"""Putting one database beside the live ones, under a new name."""

from __future__ import annotations

import asyncio
import dataclasses
import secrets
from contextlib import suppress
from typing import Final

from ...drivers.postgres.door import Door
from ...drivers.postgres.session import Connection
from ...errors import BadRequestError, ConflictError, UnsuitableError
from ...sentences import say
from .. import scratch
from ..threads import in_thread
from ..watch import Watch
from .blame import not_the_files
from .building import create_for
from .database import create
from .facts import Facts, Inquiry, differences, in_a_sentence
from .foreign import ForeignDump
from .pouring import pour
from .sources import ROLES, Dumped, OwnBackup
from .tool import ToolFailedError, Tools

_LONGEST: Final = 63


def check_name(name: str) -> None:
    """Raise BadRequestError where ``name`` cannot be a database's."""
    if not name.strip() or not name.isprintable() or scratch.MARK in name:
        raise BadRequestError(
            say("A database needs a name of one line."), say("For instance the old name and _2.")
        )
    if len(name.encode()) > _LONGEST:
        raise BadRequestError(
            say("This name is longer than the {longest} bytes PostgreSQL keeps.", longest=_LONGEST),
            say("Use a shorter one."),
        )


def one_of(source: OwnBackup | ForeignDump, items: frozenset[str] | None) -> str:
    """The one database that is meant. Raises BadRequestError, which lists them."""
    names = [each.database.name if isinstance(each, Dumped) else each for each in source.databases]
    wanted = [name for name in names if items is None or name in items]
    if items is not None and (unknown := items - set(names) - {ROLES}):
        raise BadRequestError(
            say("There is no database {name} in this file.", name=sorted(unknown)[0]),
            say("It has: {names}.", names=", ".join(names)),
        )
    if len(wanted) != 1:
        raise BadRequestError(
            say(
                "One database can be put under a new name at a time, and this file has {names}.",
                names=", ".join(names),
            ),
            say("Say which one in `items`."),
        )
    return wanted[0]


def too_new(theirs: int, ours: int) -> UnsuitableError:
    """There is no way to an older release."""
    return UnsuitableError(
        say(
            "This was made by PostgreSQL {theirs}, and yours is {ours}: databases go from "
            "an older release to a newer one, never back. Nothing was changed.",
            theirs=theirs,
            ours=ours,
        ),
        say("Restore it where PostgreSQL {theirs} or newer is installed.", theirs=theirs),
    )


class Beside:
    """Into the server behind ``door``; the new database belongs to the user of ``owner``."""

    def __init__(self, door: Door, owner: Door, tools: Tools, watch: Watch) -> None:
        self._door = door
        self._owner = owner
        self._tools = tools
        self._watch = watch

    async def load(self, source: OwnBackup | ForeignDump, database: str, name: str) -> None:
        """Make it, whole or not at all. Raises VceError."""
        # Until it is whole it has a name that tells whoever finds it that nobody needs it.
        partial = f"{scratch.MARK[1:]}{secrets.token_hex(8)}"
        if self._door.address.own:
            # Only one piece of work at a time is done on a server of ours: it is left over.
            with suppress(Exception):
                await drop_leftovers(self._door)
        async with self._door.connected() as connection:
            await self._refuse_taken(connection, name)
            try:
                await self._fill(connection, source, database, partial)
                await self._name(connection, partial, name)
            except BaseException:
                await self._take_back(connection, partial)
                raise

    async def _name(self, connection: Connection, partial: str, name: str) -> None:
        """Give it its name; who cancels a moment too late has it undone all the same."""
        naming = asyncio.ensure_future(self._rename(connection, partial, name))
        try:
            await asyncio.shield(naming)
        except asyncio.CancelledError:
            await asyncio.wait({naming})
            if not naming.exception():
                await self._take_back(connection, name)
            raise

    async def _take_back(self, connection: Connection, partial: str) -> None:
        dropping = asyncio.ensure_future(self._drop(connection, partial))
        # Should the server be gone, the next load finds it by its name. Cancelled once more, it
        # goes on by itself.
        with suppress(Exception):
            await asyncio.shield(dropping)

    async def _drop(self, connection: Connection, partial: str) -> None:
        try:
            # On a full disk nobody can connect anew.
            await drop_by(connection, partial)
        except Exception:
            await drop(self._door, partial)

    async def _fill(
        self,
        connection: Connection,
        source: OwnBackup | ForeignDump,
        database: str,
        partial: str,
    ) -> None:
        owner = self._owner.address.user
        said: Facts | None = None
        self._watch.step(say("Loading {database}", database=database), source.path.stat().st_size)
        if isinstance(source, OwnBackup):
            [dumped] = [each for each in source.databases if each.database.name == database]
            said = await in_thread(self._watch, source.facts_of, dumped)
            await create(connection, dataclasses.replace(dumped.database, owner=owner), partial)
        else:
            await create_for(connection, partial, owner)
        try:
            await pour(self._tools, self._owner.into(partial), source, database, self._watch)
        except ToolFailedError as error:
            if other := not_the_files(error, self._tools.folder):
                raise other from error
            raise UnsuitableError(
                say(
                    "The database {database} cannot be read from this file: {reason}. Your data "
                    "are as they were.",
                    database=database,
                    reason=error.reason,
                ),
                say("Make the file again, or use another."),
            ) from error
        if said is not None:
            self._watch.step(say("Comparing {database}", database=database))
            await self._compare(partial, database, said)

    async def _compare(self, partial: str, database: str, said: Facts) -> None:
        async with self._door.into(partial).connected() as connection:
            await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            inquiry = Inquiry(connection)
            await inquiry.prepare()
            await inquiry.contents()
        # All of it belongs to somebody else now: definitions say so, rows do not.
        rows_only = dataclasses.replace(inquiry.facts, schema=said.schema, major=said.major)
        if found := differences(said, rows_only):
            raise UnsuitableError(
                say(
                    "The database {database}, loaded from this backup, is not what was backed up: "
                    "{difference}. It was taken back; your data are as they were.",
                    database=database,
                    difference=in_a_sentence(found),
                ),
                say("Use another backup."),
            )

    @staticmethod
    async def _refuse_taken(connection: Connection, name: str) -> None:
        question = "SELECT count(*) FROM pg_database WHERE datname = %s"
        cursor = await connection.execute(question, (name,))
        if await cursor.fetchone() != (0,):
            raise _taken(name)

    @staticmethod
    async def _rename(connection: Connection, partial: str, name: str) -> None:
        import psycopg
        from psycopg import sql

        words = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        # What was loaded lasts from here on, and so does all that came before.
        await connection.execute("SET synchronous_commit = on")
        try:
            await connection.execute(words.format(sql.Identifier(partial), sql.Identifier(name)))
        except psycopg.errors.DuplicateDatabase as error:
            raise _taken(name) from error


def _taken(name: str) -> ConflictError:
    return ConflictError(
        say("There is a database {name} already, and it is left as it is.", name=name),
        say("Use another name."),
    )


async def drop(door: Door, database: str) -> None:
    """Remove a database that was never whole, whoever is in it. Raises as psycopg does."""
    async with door.connected() as connection:
        await drop_by(connection, database)


async def drop_by(connection: Connection, database: str) -> None:
    """The same, over a connection into another one."""
    from psycopg import sql

    words = sql.SQL("DROP DATABASE IF EXISTS {}")
    if connection.info.server_version >= 130_000:
        words = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
    await connection.execute(words.format(sql.Identifier(database)))


async def drop_leftovers(door: Door) -> None:
    """Remove what loads that were cut off have left in a live server. Raises as psycopg does."""
    question = "SELECT datname FROM pg_database WHERE datname ~ %s"
    async with door.connected() as connection:
        cursor = await connection.execute(question, (f"^{scratch.MARK[1:]}[0-9a-f]{{16}}$",))
        names = [str(name) for (name,) in await cursor.fetchall()]
    for name in names:
        await drop(door, name)

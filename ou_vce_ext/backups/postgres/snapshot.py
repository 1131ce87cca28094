"""One moment of a database for several connections, whose tables keep their shape from before."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from ...drivers.postgres.session import Connection
from . import facts_sql

_BEGIN: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_LOCKED_AT_ONCE: Final = 500
_TRIES: Final = 5
"""Listings of the tables, where one is removed between that and its lock."""


@asynccontextmanager
async def shared_snapshot(holder: Connection, other: Connection) -> AsyncIterator[str]:
    """One snapshot for both, and its name for a third. Raises as psycopg does.

    The tables are locked first. A lock that is waited for is given when somebody has changed the
    shape of its table: in a snapshot of before, the rows would have one shape and what is known of
    the table another, and the dump would not be what its facts say.
    """
    for setting in facts_sql.SETTINGS:
        await holder.execute(setting.encode())
    await _begin_locked(holder, other)
    [(name,)] = await (await holder.execute("SELECT pg_export_snapshot()")).fetchall()
    await other.execute(_BEGIN)
    await other.execute(f"SET TRANSACTION SNAPSHOT '{name}'".encode())
    yield str(name)


async def lock_tables(connection: Connection, names: Sequence[str]) -> None:
    """Have the tables of these quoted names keep their shape until the transaction ends."""
    for start in range(0, len(names), _LOCKED_AT_ONCE):
        some = ", ".join(f"ONLY {name}" for name in names[start : start + _LOCKED_AT_ONCE])
        await connection.execute(f"LOCK TABLE {some} IN ACCESS SHARE MODE".encode())


async def _begin_locked(holder: Connection, asking: Connection) -> None:
    """Begin a transaction that has all tables locked, and no snapshot yet: a lock takes none."""
    import psycopg

    for left in reversed(range(_TRIES)):
        rows = await (await asking.execute(facts_sql.TABLES.encode())).fetchall()
        await holder.execute(_BEGIN)
        try:
            await lock_tables(holder, [str(name) for (name,) in rows])
            return
        except psycopg.errors.UndefinedTable:
            if not left:
                raise
            await holder.execute("ROLLBACK")

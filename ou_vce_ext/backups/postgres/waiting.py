"""What a backup waits for while somebody else has a table to themselves, and who that is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

from ...drivers.postgres.door import Door
from ...drivers.postgres.session import Connection
from ...errors import VceError
from ...sentences import say
from ..watch import Watch

_EVERY: Final = 0.5
"""Seconds between two looks. Most backups are over before the first."""
_OURS: Final = "ou_vce_ext"
"""What our own connections, and the server's tools for us, call themselves."""
_HELD: Final = """
WITH RECURSIVE chain AS (
  SELECT b.pid, l.relation FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
    CROSS JOIN LATERAL unnest(pg_blocking_pids(l.pid)) AS b(pid)
  WHERE NOT l.granted AND l.locktype = 'relation' AND a.application_name = %(ours)s
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  UNION
  SELECT b.pid, c.relation FROM chain c
    CROSS JOIN LATERAL unnest(pg_blocking_pids(c.pid)) AS b(pid))
SELECT CASE n.nspname WHEN 'public' THEN r.relname ELSE n.nspname || '.' || r.relname END,
  coalesce(a.application_name, ''), coalesce(a.state LIKE 'idle in transaction%%', true)
FROM chain c JOIN pg_class r ON r.oid = c.relation JOIN pg_namespace n ON n.oid = r.relnamespace
  LEFT JOIN pg_stat_activity a ON a.pid = c.pid
WHERE a.application_name IS DISTINCT FROM %(ours)s
ORDER BY cardinality(pg_blocking_pids(c.pid)), a.xact_start LIMIT 1"""
"""Who waits for nobody stands at the end of the chain: there a person can do something."""


@dataclass(frozen=True, slots=True)
class Held:
    """A table that ``program`` has to itself; that is empty where it gave itself no name.

    ``idle`` says that it does nothing any more, and has left its transaction unfinished.
    """

    table: str
    program: str
    idle: bool

    def waited_for(self) -> str:
        """What is going on, while that lasts."""
        if self.idle:
            return say(
                "Waiting for the table {table}: {holder} has an unfinished transaction on it",
                table=self.table,
                holder=self._holder(),
            )
        return say(
            "Waiting for the table {table}: {holder} is changing it",
            table=self.table,
            holder=self._holder(),
        )

    def error(self, database: str) -> VceError:
        """Why ``database`` was not copied, when that lasted too long."""
        if self.idle:
            return VceError(
                "command-failed",
                say(
                    "The database {name} was not copied: {holder} has an unfinished transaction "
                    "on the table {table}. Your data are as they were.",
                    name=database,
                    holder=self._holder(),
                    table=self.table,
                ),
                say(
                    "Finish it where you last changed {table}: in a notebook, run commit() on its "
                    "connection, or restart its kernel. Then try again.",
                    table=self.table,
                ),
            )
        return VceError(
            "command-failed",
            say(
                "The database {name} was not copied: {holder} has been changing the table {table} "
                "all the time. Your data are as they were.",
                name=database,
                holder=self._holder(),
                table=self.table,
            ),
            say("Wait until that is done, or interrupt it there. Then try again."),
        )

    def _holder(self) -> str:
        if not self.program:
            return say("a notebook or another program")
        return say("the program {name}", name=self.program)


class Waiting:
    """What work on one database waits for; ``held`` is what it last waited for, or None."""

    def __init__(self) -> None:
        self.held: Held | None = None

    async def follow(self, connection: Connection, watch: Watch) -> None:
        """Look now and then, and have ``watch`` tell of it, until cancelled."""
        waits = False
        while True:
            await asyncio.sleep(_EVERY)
            now = await held(connection)
            if now:
                self.held = now
                watch.waits(now.waited_for())
            elif waits:
                watch.waits(None)
            waits = now is not None


@asynccontextmanager
async def looked_after(door: Door, watch: Watch) -> AsyncIterator[Waiting]:
    """While the block works on the database of ``door``, tell what it waits for."""
    waiting = Waiting()
    async with door.connected() as connection:
        following = asyncio.ensure_future(waiting.follow(connection, watch))
        try:
            yield waiting
        finally:
            following.cancel()
            # What cannot be found out is not told: the work itself says what goes wrong.
            with suppress(asyncio.CancelledError, Exception):
                await following


async def held(connection: Connection) -> Held | None:
    """What work of ours on this connection's database waits for now. Raises as psycopg does."""
    rows = await (await connection.execute(_HELD.encode(), {"ours": _OURS})).fetchall()
    for table, program, idle in rows:
        return Held(str(table), str(program), idle is True)
    return None

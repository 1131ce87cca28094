"""Databases that let nobody in, as pristine ones are kept to copy from: opened to be backed up.

Not even a superuser comes into one, so that it is opened for as long as it is copied.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

from ...drivers.postgres.door import Door
from ...drivers.postgres.session import Connection
from .. import scratch

TRANSACTIONS: Final = 2
"""Numbers of the server that a database takes to be opened and closed again."""
_CLOSED: Final = """
SELECT datname FROM pg_database WHERE NOT datallowconn AND datconnlimit <> -2
  AND datname <> 'template0' AND NOT starts_with(datname, %s) ORDER BY datname"""


@asynccontextmanager
async def opened(door: Door) -> AsyncIterator[frozenset[str]]:
    """For the block, have each database of a server of ours let us in.

    Gives their names: each costs :data:`TRANSACTIONS` of the server's numbers. However the block
    ends, they are closed again. Raises as psycopg does.
    """
    if not door.address.own:
        yield frozenset()
        return
    async with door.connected() as connection:
        cursor = await connection.execute(_CLOSED, (scratch.MARK[1:],))
        names = [str(name) for (name,) in await cursor.fetchall()]
        try:
            for name in names:
                await let_in(connection, name, True)
            yield frozenset(names)
        finally:
            closing = asyncio.ensure_future(_close(connection, names))
            # Cancelled once more, it goes on by itself.
            await asyncio.shield(closing)


async def _close(connection: Connection, names: Sequence[str]) -> None:
    with suppress(Exception):  # a server that has died meanwhile: the backup fails of that
        for name in names:
            await let_in(connection, name, False)


async def let_in(connection: Connection, database: str, allowed: bool) -> None:
    """Have a database let people in, or nobody. Raises as psycopg does."""
    from psycopg import sql

    words = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    await connection.execute(words.format(sql.Identifier(database), sql.Literal(allowed)))

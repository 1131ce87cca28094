"""Databases that let nobody in, as pristine ones are kept to copy from: opened to be backed up.

Not even a superuser comes into one, so that it is opened for as long as it is copied. A note says
so meanwhile: where Jupyter is killed, it is closed again when the server is looked at next.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from ...drivers.postgres.door import Door
from ...drivers.postgres.session import Connection
from ...services.private_files import read_private, write_private
from .. import scratch

NOTE: Final = "opened-databases.json"
"""Names, in the service's private folder, those of which are to be closed again."""
TRANSACTIONS: Final = 2
"""Numbers of the server that a database takes to be opened and closed again."""
_CLOSED: Final = """
SELECT datname FROM pg_database WHERE NOT datallowconn AND datconnlimit <> -2
  AND datname <> 'template0' AND NOT starts_with(datname, %s) ORDER BY datname"""
_THERE: Final = "SELECT datname FROM pg_database WHERE datname = ANY(%s) ORDER BY datname"


@asynccontextmanager
async def opened(door: Door, folder: Path) -> AsyncIterator[frozenset[str]]:
    """For the block, have each database of a server of ours let us in; ``folder`` has the note.

    Gives their names: each costs :data:`TRANSACTIONS` of the server's numbers. However the block
    ends, they are closed again. Raises as psycopg does, and OSError.
    """
    if not door.address.own:
        yield frozenset()
        return
    async with door.connected() as connection:
        cursor = await connection.execute(_CLOSED, (scratch.MARK[1:],))
        shut = [str(name) for (name,) in await cursor.fetchall()]
        # What was cut off before this has left open is no more open than these are.
        left = await _there(connection, await asyncio.to_thread(_read, folder))
        names = sorted({*shut, *left})
        if names:
            await asyncio.to_thread(write_private, folder / NOTE, json.dumps(names).encode())
        try:
            for name in names:
                await let_in(connection, name, True)
            yield frozenset(names)
        finally:
            closing = asyncio.ensure_future(_close(connection, names, folder))
            # Cancelled once more, it goes on by itself.
            await asyncio.shield(closing)


async def close_left(door: Door, folder: Path) -> None:
    """Close what a backup that was cut off has left open: cheap where there is nothing.

    Never while one is being taken. Raises as psycopg does.
    """
    names = await asyncio.to_thread(_read, folder)
    if names:
        async with door.connected() as connection:
            await _close_all(connection, await _there(connection, names), folder)


async def _close(connection: Connection, names: Sequence[str], folder: Path) -> None:
    with suppress(Exception):  # a server that has died meanwhile: the backup fails of that
        await _close_all(connection, names, folder)


async def _close_all(connection: Connection, names: Sequence[str], folder: Path) -> None:
    for name in names:
        await let_in(connection, name, False)
    await asyncio.to_thread((folder / NOTE).unlink, missing_ok=True)


async def _there(connection: Connection, names: Collection[str]) -> list[str]:
    """Those of ``names`` that are databases of the server."""
    if not names:
        return []
    cursor = await connection.execute(_THERE, (list(names),))
    return [str(name) for (name,) in await cursor.fetchall()]


def _read(folder: Path) -> list[str]:
    """The names in the note; none where it is not there, or is not ours. Blocks; never raises."""
    with suppress(OSError, ValueError):
        names = json.loads(read_private(folder / NOTE) or b"[]")
        if isinstance(names, list):
            return [name for name in names if isinstance(name, str)]
    return []


async def let_in(connection: Connection, database: str, allowed: bool) -> None:
    """Have a database let people in, or nobody. Raises as psycopg does."""
    from psycopg import sql

    words = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    await connection.execute(words.format(sql.Identifier(database), sql.Literal(allowed)))

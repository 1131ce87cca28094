"""What a live PostgreSQL server holds, for a person who is asked to give it up."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from ...drivers.postgres.door import Door
from ...drivers.postgres.session import Connection
from ...models_backup import DataItem, ItemKind
from .. import scratch
from .database import databases_of
from .roles import names_of_roles
from .sources import ROLES

_COUNTED_BYTES: Final = 32_000_000
"""Of larger tables the server's own estimate is told."""
_OWN: Final = ("postgres", "template1")
FILLED: Final = """
SELECT EXISTS (SELECT FROM pg_class WHERE oid >= 16384) OR EXISTS (SELECT FROM pg_proc WHERE
  oid >= 16384) OR EXISTS (SELECT FROM pg_namespace WHERE oid >= 16384 AND nspname !~ '^pg_')
  OR EXISTS (SELECT FROM pg_type WHERE oid >= 16384) OR EXISTS (SELECT FROM pg_extension WHERE
  oid >= 16384) OR EXISTS (SELECT FROM pg_largeobject_metadata)"""
_TABLES: Final = """
WITH RECURSIVE tree AS (
  SELECT c.oid AS root, c.oid FROM pg_class c
  WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
  UNION ALL SELECT tree.root, i.inhrelid FROM tree JOIN pg_inherits i ON i.inhparent = tree.oid
    JOIN pg_class p ON p.oid = i.inhrelid AND p.relispartition)
SELECT n.nspname, c.relname, sum({size}),
  sum(greatest(p.reltuples, s.n_live_tup, 0))::bigint, format('%I.%I', n.nspname, c.relname)
FROM tree t JOIN pg_class c ON c.oid = t.root JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_class p ON p.oid = t.oid LEFT JOIN pg_stat_all_tables s ON s.relid = t.oid
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
GROUP BY 1, 2, 5 ORDER BY 1, 2"""
_SIZE: Final = "pg_total_relation_size(t.oid)"
_LAST_SIZE: Final = "greatest(p.relpages, 0) * current_setting('block_size')::bigint"
"""As its statistics say, where somebody has a table locked and nobody can look."""
_COUNT: Final = "SELECT count(*) FROM {}"
_WRITTEN: Final = """
SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::text, count(*)::text
FROM pg_stat_all_tables WHERE relname NOT LIKE 'pg\\_statistic%'"""


async def look(service: str, door: Door) -> tuple[DataItem, ...]:
    """Databases with their tables, and the roles. Raises as psycopg does."""
    items: list[DataItem] = []
    async with door.connected() as connection:
        databases = await databases_of(connection)
        roles = [name for name in await names_of_roles(connection) if not name.startswith("pg_")]
    for database in databases:
        name = database.name
        if scratch.MARK[1:] in name:
            continue
        if not database.connectable:
            size = await _size(door, name)
            items.append(DataItem(name, service, ItemKind.DATABASE, name, bytes=size))
            continue
        async with door.into(name).connected() as connection:
            if name in _OWN and not await is_filled(connection):
                continue
            items += await _database(service, name, connection)
    items.append(DataItem(ROLES, service, ItemKind.ROLES, "Roles", count=len(roles)))
    return tuple(items)


async def is_filled(connection: Connection) -> bool:
    """Whether somebody has put something into the database of ``connection``."""
    return (await _rows(connection, FILLED))[0][0] is True


async def _database(service: str, name: str, connection: Connection) -> list[DataItem]:
    tables = []
    await connection.execute("SET statement_timeout = '3s'")
    # Somebody may have one locked, or be just removing it: nobody waits for that here.
    await connection.execute("SET lock_timeout = '100ms'")
    for schema, table, size, estimate, quoted in await _sized(connection):
        count = int(estimate)
        if size <= _COUNTED_BYTES:
            count = await _count(connection, quoted, count)
        shown = table if schema == "public" else f"{schema}.{table}"
        tables.append(
            DataItem(
                key=f"{name}/{schema}/{table}",
                service=service,
                kind=ItemKind.TABLE,
                name=shown,
                within=name,
                count=count,
                bytes=int(size),
            )
        )
    [(size,)] = await _rows(connection, "SELECT pg_database_size(current_database())")
    rows = sum(table.count or 0 for table in tables)
    whole = DataItem(name, service, ItemKind.DATABASE, name, count=rows, bytes=int(size))
    return [whole, *tables]


async def _sized(connection: Connection) -> list[tuple[Any, ...]]:
    import psycopg

    try:
        return await _rows(connection, _TABLES.format(size=_SIZE))
    except psycopg.errors.LockNotAvailable:
        return await _rows(connection, _TABLES.format(size=_LAST_SIZE))


async def _size(door: Door, database: str) -> int:
    async with door.connected() as connection:
        cursor = await connection.execute("SELECT pg_database_size(%s::name)", (database,))
        [(size,)] = await cursor.fetchall()
    return int(str(size))


async def _count(connection: Connection, table: str, estimate: int) -> int:
    import psycopg

    try:
        [(count,)] = await _rows(connection, _COUNT.format(table))
    except psycopg.Error:
        return estimate
    return int(count)


async def sizes(door: Door) -> int:
    """Bytes that all databases take. Raises as psycopg does."""
    question = "SELECT sum(pg_database_size(oid)) FROM pg_database WHERE datname <> 'template0'"
    async with door.connected() as connection:
        [(size,)] = await _rows(connection, question)
    return int(size or 0)


async def state_of_writing(door: Door) -> str:
    """A text that changes when anybody has changed anything. Raises as psycopg does.

    What the server does for itself (its statistics of tables, its checkpoints) does not count, nor
    does looking.
    """
    found = hashlib.sha256()
    async with door.connected() as connection:
        identity = await _rows(connection, "SELECT system_identifier FROM pg_control_system()")
        names = [each.name for each in await databases_of(connection) if each.connectable]
        roles = await _rows(
            connection, "SELECT string_agg(r::text, ',' ORDER BY oid) FROM pg_roles r"
        )
    found.update(repr((identity, names, roles)).encode())
    for name in names:
        async with door.into(name).connected() as connection:
            found.update(repr(await _rows(connection, _WRITTEN)).encode())
    return found.hexdigest()


async def _rows(connection: Connection, question: str) -> list[tuple[Any, ...]]:
    cursor = await connection.execute(question.encode())
    return await cursor.fetchall()

"""Asking the databases of a bench, as their student would."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg

from ou_vce_ext.drivers.base import Driver

Connection = psycopg.AsyncConnection[tuple[Any, ...]]


@asynccontextmanager
async def connected(driver: Driver) -> AsyncIterator[Connection]:
    """A connection with nothing but what kernels are given."""
    env = driver.environment()
    connection = await psycopg.AsyncConnection.connect(
        host=env["PGHOST"],
        port=env["PGPORT"],
        user=env["PGUSER"],
        dbname=env["PGDATABASE"],
        passfile=env["PGPASSFILE"],
        connect_timeout=60,
        autocommit=True,
    )
    try:
        yield connection
    finally:
        await connection.close()


async def ask(driver: Driver, sql: str) -> list[tuple[Any, ...]]:
    """The rows of one statement over a connection of its own."""
    async with connected(driver) as connection:
        cursor = await connection.execute(sql.encode())
        return await cursor.fetchall() if cursor.description else []


async def ask_until_answered(driver: Driver, sql: str, seconds: float) -> list[tuple[Any, ...]]:
    """The rows, as soon as the server answers; raises what the last try raised."""
    end = time.monotonic() + seconds
    while True:
        try:
            return await ask(driver, sql)
        except psycopg.OperationalError:
            if time.monotonic() > end:
                raise
            await asyncio.sleep(0.01)

"""What a database of a home holds, written and read as its student would, through REST's words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.integration.jupyter_rig import Jupyter

from .homes import database

ROWS = 400
"""Enough that a backup takes a moment, few enough that a try does not take minutes."""


class PostgresData:
    """Two tables that must be of one mind."""

    kind = "postgres"

    def write(self, server: Jupyter, value: int) -> None:
        """Have everything say ``value``."""
        with database(server.service(self.kind)) as connection, connection.transaction():
            for table in ("one", "other"):
                connection.execute(f"DROP TABLE IF EXISTS {table}")
                connection.execute(
                    f"CREATE TABLE {table} AS SELECT n, {value} AS v, "
                    f"repeat('x', 500) AS filler FROM generate_series(1, {ROWS}) n"
                )

    def read(self, server: Jupyter) -> list[tuple[Any, ...]]:
        """What everything says: (value, how many rows) for each table."""
        with database(server.service(self.kind)) as connection:
            return [
                row
                for table in ("one", "other")
                for row in connection.execute(
                    f"SELECT v, count(*) FROM {table} GROUP BY v ORDER BY v"
                ).fetchall()
            ]


class MongoData:
    """Two collections that must be of one mind."""

    kind = "mongo"

    @contextmanager
    def client(self, server: Jupyter, **options: Any) -> Iterator[Any]:
        """A client with its password."""
        from pymongo import MongoClient

        told = server.service(self.kind)["connection"]
        secret = Path(told["password_file"]).read_text().strip()
        with MongoClient(
            told["host"],
            told["port"],
            username=told["user"],
            password=secret,
            directConnection=True,
            **options,
        ) as client:
            yield client

    def write(self, server: Jupyter, value: int) -> None:
        """Have everything say ``value``."""
        with self.client(server) as client:
            for name in ("one", "other"):
                client.work[name].drop()
                client.work[name].insert_many(
                    [{"n": n, "v": value, "filler": "x" * 500} for n in range(ROWS)]
                )

    def read(self, server: Jupyter) -> list[tuple[Any, ...]]:
        """What everything says: (value, how many documents) for each collection."""
        with self.client(server) as client:
            return [
                (each["_id"], each["count"])
                for name in ("one", "other")
                for each in client.work[name].aggregate(
                    [
                        {"$group": {"_id": "$v", "count": {"$sum": 1}}},
                        {"$sort": {"_id": 1}},
                    ]
                )
            ]


Data = PostgresData | MongoData


def says(value: int) -> list[tuple[Any, ...]]:
    """What :meth:`read` gives where everything says ``value``."""
    return [(value, ROWS), (value, ROWS)]

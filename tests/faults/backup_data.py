"""What a service of a home holds, written and read as its student would, through REST's words."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.free_ports import free_port
from tests.integration.jupyter_rig import Jupyter, wait
from tests.integration.openrefine_rig import OpenRefineClient
from tests.integration.rich_projects import asked

from .homes import database, only

ROWS = 400
"""Enough that a backup takes a moment, few enough that a try does not take minutes."""


class PostgresData:
    """Two tables that must be of one mind."""

    kind = "postgres"
    toml = only("postgres")
    outlives_its_keeper = True

    def make(self, server: Jupyter) -> None:
        """Nothing has to be there before the first write."""

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
    toml = only("mongo")
    outlives_its_keeper = True

    def make(self, server: Jupyter) -> None:
        """Nothing has to be there before the first write."""

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


_OPENREFINE = """
[services.openrefine]
profile = "light"
private = false
autostart = true
port = {port}
"""


class OpenRefineData:
    """Two projects that must be of one mind."""

    kind = "openrefine"
    outlives_its_keeper = False
    """Where its keeper is killed as well, what was edited in the last half minute may be lost."""

    def __init__(self) -> None:
        port = free_port()
        self.toml = only("openrefine") + _OPENREFINE.format(port=port)
        self.client = OpenRefineClient(port)
        self.projects: list[str] = []

    def make(self, server: Jupyter) -> None:
        """Have the projects, and the classes of Java: then each try starts in half the time."""
        lines = "".join(f"Zoë {row},Łódź {row % 7},{row}\n" for row in range(ROWS))
        for name in ("one", "other"):
            made = self.client.create_project(name, "name,town,number\n" + lines)
            self.projects.append(asyncio.run(made))
        home = server.log.parent
        wait(lambda: list(home.rglob("classes/*.jsa")), 240, lambda: "no class-data archive")

    def write(self, server: Jupyter, value: int) -> None:
        """Have everything say ``value``."""
        for project in self.projects:
            asyncio.run(self.client.edit(project, 0, 0, f"{value}"))

    def read(self, server: Jupyter) -> list[tuple[Any, ...]]:
        """What everything says: (value, how many rows) for each project."""
        found = []
        for project in self.projects:
            told = asyncio.run(asked(self.client, "get-rows", project, start="0", limit="1"))
            found.append((int(told["rows"][0]["cells"][0]["v"]), told["total"]))
        return found


Data = PostgresData | MongoData | OpenRefineData
DATA: Mapping[str, type[Data]] = {
    kind.kind: kind for kind in (PostgresData, MongoData, OpenRefineData)
}


def says(value: int) -> list[tuple[Any, ...]]:
    """What ``read`` gives where everything says ``value``."""
    return [(value, ROWS), (value, ROWS)]

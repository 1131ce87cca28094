"""Building a whole new data folder from backups, in a server of its own, and proving it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ...drivers.postgres.door import Door
from ...drivers.postgres.options import ADMIN
from ...drivers.postgres.roles import set_up
from ...drivers.postgres.session import Connection
from ...errors import UnsuitableError, VceError
from ..strategy import Layer
from ..threads import in_thread
from ..watch import Watch
from . import roles
from .database import create, dress
from .facts import Facts, Inquiry, differences, in_a_sentence
from .pipes import PipeWriter
from .scratch_server import ScratchServer
from .sources import ROLES, Dumped, OwnBackup
from .taking import connection_string
from .tool import ToolFailedError, Tools

_OWN: Final = (ADMIN, "template1")
"""Databases that every server has: filled, not made."""
_MOST_AT_ONCE: Final = 60_000
"""Things (tables, indexes, large objects …) restored in one transaction, which locks each."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A database of one of the layers."""

    source: OwnBackup
    dumped: Dumped


class Build:
    """What is built from ``layers`` in ``scratch``, which runs."""

    def __init__(
        self,
        scratch: ScratchServer,
        tools: Tools,
        door: Door,
        watch: Watch,
        layers: Sequence[Layer],
    ) -> None:
        self._scratch = scratch
        self._tools = tools
        self._door = door
        self._watch = watch
        self._layers = layers

    async def build(self) -> None:
        """Fill the scratch server and compare. Raises VceError."""
        declared = self._scratch.live.declared
        async with self._door.connected() as connection:
            await self._roles(connection)
            await set_up(connection, dataclasses.replace(declared, databases=()))
            parts = list(self._parts())
            total = sum(part.source.archive.bytes_of(part.dumped.dump) for part in parts) or 1
            done = 0
            for part in parts:
                size = part.source.archive.bytes_of(part.dumped.dump)
                with self._watch.share(0.9 * done / total, 0.9 * (done + size) / total):
                    await self._database(connection, part)
                done += size
            await set_up(connection, declared)

    def _parts(self) -> Iterator[_Part]:
        """Each database from the last layer that has it."""
        found: dict[str, _Part] = {}
        for layer in self._layers:
            if not isinstance(layer.source, OwnBackup):
                continue
            for dumped in layer.source.databases:
                name = dumped.database.name
                if layer.items is None or name in layer.items:
                    found[name] = _Part(layer.source, dumped)
        return iter(found.values())

    async def _roles(self, connection: Connection) -> None:
        """Those a layer is to bring become as it says; those its databases need are made."""
        for layer in self._layers:
            if isinstance(layer.source, OwnBackup) and (content := layer.source.roles()):
                over = layer.items is None or ROLES in layer.items
                await roles.put(connection, content, over=over)

    async def _database(self, connection: Connection, part: _Part) -> None:
        database = part.dumped.database
        name = database.name
        size = part.source.archive.bytes_of(part.dumped.dump)
        self._watch.step(f"Building the database {name}", size)
        known = await roles.names_of_roles(connection)
        if database.owner not in known:
            database = dataclasses.replace(database, owner=ADMIN)
        if name not in _OWN:
            await create(connection, database)
        said = part.source.facts_of(part.dumped)
        await self._restore(part, said)
        await dress(connection, database, known)
        if said is not None:
            self._watch.step(f"Comparing the database {name}")
            await self._compare(name, said)

    async def _restore(self, part: _Part, said: Facts | None) -> None:
        archive, member = part.source.archive, part.dumped.dump

        def give(writer: PipeWriter) -> None:
            with archive.open(member) as source:
                writer.copy(source)

        things = 0 if said is None else len(said.schema) + said.large_objects[0]
        at_once = ["--single-transaction"] if 0 < things < _MOST_AT_ONCE else []
        try:
            await self._tools.feeding(
                self._watch,
                give,
                "pg_restore",
                "--exit-on-error",
                "--no-tablespaces",
                *at_once,
                "--format=custom",
                "--dbname=" + connection_string(part.dumped.database.name),
                "{pipe}",
            )
        except ToolFailedError as error:
            raise UnsuitableError(
                f"The database {part.dumped.database.name} of this backup cannot be restored: "
                f"{error.reason}. Your data are as they were.",
                "Use another backup, or restore only the other databases of this one.",
            ) from error

    async def _compare(self, name: str, said: Facts) -> None:
        import psycopg

        async with self._door.into(name).connected() as connection:
            await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            inquiry = Inquiry(connection)
            try:
                await inquiry.prepare()
                await inquiry.contents()
            except psycopg.Error as error:
                raise VceError(
                    "command-failed",
                    f"The database {name} was restored, and could not be compared: {error}. Your "
                    "data are as they were.",
                    "Try again.",
                ) from error
        found = await in_thread(self._watch, differences, said, inquiry.facts)
        if found:
            raise UnsuitableError(
                f"The database {name}, restored from this backup, is not what was backed up: "
                f"{in_a_sentence(found)}. Your data are as they were.",
                "Use another backup, and make a new one.",
            )

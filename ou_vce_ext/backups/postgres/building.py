"""Building a whole new data folder from backups, in a server of its own, and proving it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ...drivers.postgres.door import Door
from ...drivers.postgres.options import ADMIN
from ...drivers.postgres.roles import set_up
from ...drivers.postgres.session import Connection
from ...errors import UnsuitableError, VceError
from ...sentences import say
from ..strategy import Layer
from ..threads import in_thread
from ..watch import Watch
from . import roles
from .blame import no_room, not_the_files
from .closed import let_in
from .database import create, dress
from .facts import Facts, Inquiry, differences, in_a_sentence
from .foreign import ForeignDump
from .pipes import PipeWriter
from .pouring import pour
from .scratch_server import ScratchServer
from .sources import ROLES, Dumped, OwnBackup
from .taking import connection_string
from .tool import ToolFailedError, Tools

if TYPE_CHECKING:
    from psycopg.sql import Composed

_OWN: Final = (ADMIN, "template1")
"""Databases that every server has: filled, not made."""
_MOST_AT_ONCE: Final = 60_000
"""Things (tables, indexes, large objects …) restored in one transaction, which locks each."""


@dataclass(frozen=True, slots=True)
class _Own:
    """A database of a backup of ours."""

    source: OwnBackup
    dumped: Dumped

    @property
    def bytes(self) -> int:
        """The size of its dump."""
        return self.source.archive.bytes_of(self.dumped.dump)


@dataclass(frozen=True, slots=True)
class _Foreign:
    """A database of somebody's dump, called ``name`` there (None: all of it)."""

    source: ForeignDump
    name: str | None

    @property
    def bytes(self) -> int:
        """The size of the file it is in."""
        return self.source.path.stat().st_size


Parts = Mapping[str, Sequence[_Own | _Foreign]]
"""What each database is filled from, one after the other."""


def parts_of(layers: Sequence[Layer]) -> Parts:
    """Each database from the last layer that has it."""
    found: dict[str, Sequence[_Own | _Foreign]] = {}
    for layer in layers:
        if isinstance(layer.source, OwnBackup):
            for dumped in layer.source.databases:
                if layer.items is None or dumped.database.name in layer.items:
                    found[dumped.database.name] = [_Own(layer.source, dumped)]
        elif isinstance(layer.source, ForeignDump):
            for name in layer.source.databases:
                if layer.items is None or name in layer.items:
                    found[name] = [_Foreign(layer.source, name)]
    return found


def parts_of_seed(seed: Mapping[str, Sequence[ForeignDump]]) -> Parts:
    """Each declared database from its files."""
    return {name: [_Foreign(source, None) for source in sources] for name, sources in seed.items()}


class Build:
    """What is built in ``scratch``, which runs: ``parts``, and the roles of ``layers``."""

    def __init__(
        self,
        scratch: ScratchServer,
        tools: Tools,
        door: Door,
        watch: Watch,
    ) -> None:
        self._scratch = scratch
        self._tools = tools
        self._door = door
        self._watch = watch

    async def build(self, layers: Sequence[Layer], parts: Parts) -> None:
        """Fill the scratch server and compare. Raises VceError."""
        declared = self._scratch.live.declared
        async with self._door.connected() as connection:
            await self._roles(connection, layers)
            await set_up(connection, dataclasses.replace(declared, databases=()))
            total = sum(part.bytes for some in parts.values() for part in some) or 1
            done = 0
            for name, some in parts.items():
                for number, part in enumerate(some):
                    size = part.bytes
                    with self._watch.share(0.9 * done / total, 0.9 * (done + size) / total):
                        if isinstance(part, _Own):
                            await self._database(connection, part)
                        else:
                            await self._foreign(connection, name, part, first=number == 0)
                    done += size
            await set_up(connection, declared)

    async def _foreign(
        self, connection: Connection, name: str, part: _Foreign, *, first: bool
    ) -> None:
        declared = self._scratch.live.declared
        self._watch.step(say("Building the database {name}", name=name), part.bytes)
        if first and name not in _OWN:
            await create_for(connection, name, declared.user)
        door = self._door.into(name)
        if name in _OWN:
            async with door.connected() as inside:
                await inside.execute(_allow(name, declared.user))
        try:
            await pour(
                self._tools.without_door(),
                door.as_user(declared.user, declared.password),
                part.source,
                part.name,
                self._watch,
            )
        except ToolFailedError as error:
            if other := not_the_files(error, self._tools.folder):
                raise other from error
            raise UnsuitableError(
                say(
                    "The database {name} cannot be read from this file: {reason}. Your data are as "
                    "they were.",
                    name=name,
                    reason=error.reason,
                ),
                say("Make the file again, or use another."),
            ) from error

    async def _roles(self, connection: Connection, layers: Sequence[Layer]) -> None:
        """Those a layer is to bring become as it says; those its databases need are made."""
        for layer in layers:
            if isinstance(layer.source, OwnBackup) and (content := layer.source.roles()):
                over = layer.items is None or ROLES in layer.items
                await roles.put(connection, content, over=over)

    async def _database(self, connection: Connection, part: _Own) -> None:
        database = part.dumped.database
        name = database.name
        self._watch.step(say("Building the database {name}", name=name), part.bytes)
        known = await roles.names_of_roles(connection)
        if database.owner not in known:
            database = dataclasses.replace(database, owner=ADMIN)
        if name not in _OWN:
            await create(connection, database)
        said = part.source.facts_of(part.dumped)
        await self._restore(part, said)
        await dress(connection, database, known)
        if said is not None:
            self._watch.step(say("Comparing the database {name}", name=name))
            await self._compare(name, said)
        if not database.connectable:
            await let_in(connection, name, False)

    async def _restore(self, part: _Own, said: Facts | None) -> None:
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
            if other := not_the_files(error, self._tools.folder):
                raise other from error
            raise UnsuitableError(
                say(
                    "The database {name} of this backup cannot be restored: {reason}. Your data "
                    "are as they were.",
                    name=part.dumped.database.name,
                    reason=error.reason,
                ),
                say("Use another backup, or restore only the other databases of this one."),
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
                if full := no_room(str(error), self._tools.folder):
                    raise full from error
                raise VceError(
                    "command-failed",
                    say(
                        "The database {name} was restored, and could not be compared: {answer}. "
                        "Your data are as they were.",
                        name=name,
                        answer=str(error).strip(),
                    ),
                    say("Try again."),
                ) from error
        found = await in_thread(self._watch, differences, said, inquiry.facts)
        if found:
            raise UnsuitableError(
                say(
                    "The database {name}, restored from this backup, is not what was backed up: "
                    "{difference}. Your data are as they were.",
                    name=name,
                    difference=in_a_sentence(found),
                ),
                say("Use another backup, and make a new one."),
            )


async def create_for(connection: Connection, name: str, owner: str) -> None:
    """Make an empty database that ``owner`` has. Raises as psycopg does."""
    from psycopg import sql

    await connection.execute(
        sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0").format(
            sql.Identifier(name), sql.Identifier(owner)
        )
    )


def _allow(database: str, user: str) -> Composed:
    from psycopg import sql

    return sql.SQL("GRANT ALL ON DATABASE {} TO {}; GRANT ALL ON SCHEMA public TO {}").format(
        sql.Identifier(database), sql.Identifier(user), sql.Identifier(user)
    )

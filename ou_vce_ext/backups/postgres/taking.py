"""Taking a backup: each database by the server's own pg_dump, with what is true of it just then."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import BinaryIO, Final

from ...drivers.postgres.door import Door
from ...drivers.postgres.session import Connection
from ...errors import VceError
from ...models_backup import Consistency, DataItem, ItemKind
from ...sentences import say
from .. import scratch
from ..strategy import Taken
from ..threads import in_thread
from ..watch import Watch
from ..writer import ArchiveWriter
from . import roles
from .blame import no_room
from .database import Database, databases_of
from .facts import Facts, Inquiry
from .looking import is_filled
from .snapshot import shared_snapshot
from .sources import ROLES, VERSION, dump_member, facts_member, item_of
from .tool import ToolFailedError, Tools
from .waiting import Held, looked_after

_LOCK_WAIT: Final = "30s"
_OWN: Final = ("postgres", "template1")
"""Databases that come with every server: backed up only where somebody has put something there."""
_EMPTY: Final = 7_500_000
"""Bytes that a database takes with nothing in it."""
_SMALLEST: Final = 10_000


class Taking:
    """One backup on its way into ``archive``. ``tools`` have the door to the live server."""

    def __init__(
        self,
        service: str,
        tools: Tools,
        door: Door,
        archive: ArchiveWriter,
        watch: Watch,
        shut: frozenset[str] = frozenset(),
    ) -> None:
        """``shut`` are databases that let nobody in but for this."""
        self._service = service
        self._tools = tools
        self._door = door
        self._archive = archive
        self._watch = watch
        self._shut = shut
        self._items: list[DataItem] = []

    async def take(self) -> Taken:
        """Write all of it. Raises VceError with the reason."""
        async with self._door.connected() as connection:
            databases = await self._wanted(await self._theirs(connection))
            sizes = [await _expected(connection, each.name) for each in databases]
            release = connection.info.parameter_status("server_version") or ""
            major = connection.info.server_version // 10_000
            known = await roles.names_of_roles(connection)
        await self._roles(len([name for name in known if not name.startswith("pg_")]))
        total, done = sum(sizes), 0
        for database, size in zip(databases, sizes, strict=True):
            with self._watch.share(done / total, (done + size) / total):
                await self._database(database, size)
            done += size
        one = len(databases) <= 1
        return Taken(
            contents=tuple(self._items),
            consistency=Consistency.SNAPSHOT if one else Consistency.PER_DATABASE,
            versions={VERSION: release.split(" ")[0]},
            details={"major": major, "databases": [each.to_json() for each in databases]},
        )

    async def _theirs(self, connection: Connection) -> list[Database]:
        """All databases; of a server that others run, the declared one and those of its account.

        What else is there belongs to other people, and may be closed to us.
        """
        found = list(await databases_of(connection))
        if self._own:
            # Those that are shut say now that they are not.
            return [replace(each, connectable=each.name not in self._shut) for each in found]
        cursor = await connection.execute(
            "SELECT datname FROM pg_database WHERE pg_has_role(datdba, 'USAGE')"
        )
        ours = {name for (name,) in await cursor.fetchall()} | {self._door.address.database}
        return [each for each in found if each.name in ours and each.connectable]

    async def _wanted(self, databases: Sequence[Database]) -> list[Database]:
        wanted = []
        for database in databases:
            # A load beside the live ones that is under way, or was cut off.
            if database.name.startswith(scratch.MARK[1:]):
                continue
            if database.name in _OWN:
                async with self._door.into(database.name).connected() as connection:
                    if not await is_filled(connection):
                        continue
            wanted.append(database)
        return wanted

    async def _roles(self, count: int) -> None:
        self._watch.step(say("Copying roles"))

        def keep(source: BinaryIO) -> None:
            with self._archive.member(roles.MEMBER) as member:
                member.copy(source)

        options = ["--roles-only", "--no-role-passwords"] if not self._own else ["--roles-only"]
        await self._tools.reading(
            self._watch,
            keep,
            "pg_dumpall",
            *options,
            f"--database={self._door.address.database}",
            # A pipe cannot be synced: that is our own file's to be.
            "--no-sync",
            "--file={pipe}",
        )
        self._items.append(
            DataItem(ROLES, self._service, ItemKind.ROLES, "Roles and their passwords", count=count)
        )

    @property
    def _own(self) -> bool:
        return self._door.address.own

    async def _database(self, database: Database, size: int) -> None:
        import psycopg

        door = self._door.into(database.name)
        self._watch.step(say("Copying the database {name}", name=database.name), size)
        async with looked_after(door, self._watch) as waiting:
            try:
                facts, written = await self._copied(database, door)
            except (ToolFailedError, psycopg.errors.LockNotAvailable) as error:
                raise _not_copied(database.name, error, waiting.held) from error
        member = facts_member(database.name)
        await in_thread(self._watch, self._archive.add, member, facts.to_bytes())
        self._items.append(item_of(self._service, database, facts, written))

    async def _copied(self, database: Database, door: Door) -> tuple[Facts, int]:
        """Dump it; what is true of it, and the bytes that were written."""
        async with (
            door.connected() as holder,
            door.connected() as asking,
            shared_snapshot(holder, asking) as snapshot,
        ):
            inquiry = Inquiry(asking)
            await inquiry.prepare()
            written = await self._dump_beside(database, snapshot, inquiry)
            await inquiry.note_sequences()
        return inquiry.facts, written

    async def _dump_beside(self, database: Database, snapshot: str, inquiry: Inquiry) -> int:
        """Dump, and ask at the same time: that takes as long as the longer of the two."""
        asking = asyncio.ensure_future(inquiry.contents())
        try:
            written = await self._dump(database, snapshot)
            await asking
            return written
        finally:
            asking.cancel()
            await asyncio.wait({asking})

    async def _dump(self, database: Database, snapshot: str) -> int:
        def keep(source: BinaryIO) -> int:
            with self._archive.member(dump_member(database.name)) as member:
                member.copy(source)
            return member.bytes

        return await self._tools.reading(
            self._watch,
            keep,
            "pg_dump",
            "--format=custom",
            f"--snapshot={snapshot}",
            f"--lock-wait-timeout={_LOCK_WAIT}",
            "--no-tablespaces",
            "--no-sync",
            "--file={pipe}",
            "--dbname=" + connection_string(database.name),
        )


async def _expected(connection: Connection, database: str) -> int:
    """About how many bytes its dump will have: it is packed, and without indexes."""
    cursor = await connection.execute("SELECT pg_database_size(%s::name)", (database,))
    [(size,)] = await cursor.fetchall()
    return max(_SMALLEST, (int(str(size)) - _EMPTY) // 2)


def _not_copied(name: str, error: Exception, held: Held | None) -> VceError:
    """Why the database ``name`` was not; ``held`` is what was waited for last."""
    told = error.said if isinstance(error, ToolFailedError) else str(error)
    if full := no_room(told):
        return full
    if held and "lock timeout" in told:
        return held.error(name)
    lines = told.strip().splitlines()
    return VceError(
        "command-failed",
        say(
            "The database {name} could not be copied: {reason}. Your data are as they were.",
            name=name,
            reason=error.reason if isinstance(error, ToolFailedError) else lines[0],
        ),
        say(
            "If a program has a table locked, or is just changing its shape, try again "
            "when it is done."
        ),
    )


def connection_string(database: str) -> str:
    """A database's name as no tool takes it for anything else, be there a ``=`` in it."""
    return "dbname='{}'".format(database.replace("\\", "\\\\").replace("'", "\\'"))

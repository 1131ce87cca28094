"""How we ourselves get into a server: for backups, which no connection of a student's is used for.

Tools are told the address as arguments and the password in a file of their own, never in arguments
or in an environment that others could read.
"""

from __future__ import annotations

import asyncio
import dataclasses
import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ...errors import VceError
from ...sentences import say
from ...services.private_files import write_private
from ...services.turns import giving_way
from ..base import scrubbed_environment
from .passfile import password_lines
from .reach import Reach
from .session import Address, Connection, connect

if TYPE_CHECKING:
    from psycopg import Connection as _Connection

BlockingConnection: TypeAlias = "_Connection[tuple[object, ...]]"
_PASSFILE = "pgpass"


@dataclass(frozen=True, slots=True)
class Door:
    """An address and the passwords to try there, likeliest first."""

    address: Address
    passwords: tuple[str, ...] = field(repr=False)

    @classmethod
    def of_others(cls, reach: Reach) -> Door:
        """Into a server that others run, as the declared user."""
        declared = reach.declared
        address = Address(
            reach.hosts[0], declared.port, declared.user, declared.databases[0], own=False
        )
        return cls(address, (reach.password() or "",))

    def into(self, database: str) -> Door:
        """The same, into another database."""
        return dataclasses.replace(self, address=self.address._replace(database=database))

    def as_user(self, name: str, password: str) -> Door:
        """The same, as somebody else."""
        return Door(self.address._replace(user=name), (password,))

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Connection]:
        """A connection of its own that commits by itself. Raises as psycopg does."""
        connection = await self._connect()
        try:
            yield connection
        finally:
            await connection.close()

    async def _connect(self) -> Connection:
        # Where no server of ours was started yet, it is not there: the loop must go on meanwhile.
        await asyncio.to_thread(giving_way(importlib.import_module), "psycopg")
        import psycopg

        trouble: Exception | None = None
        for password in self.passwords:
            try:
                return await connect(self.address, password)
            except psycopg.OperationalError as error:
                trouble = error
        raise trouble or VceError(
            "credentials-refused", say("No password of this server is known.")
        )

    def connect_blocking(self) -> BlockingConnection:
        """A connection for a thread, that commits by itself. Raises as psycopg does."""
        import psycopg

        address, own = self.address, self.address.own
        return psycopg.connect(
            host=address.host,
            hostaddr="",
            port=address.port,
            user=address.user,
            password=self.passwords[0],
            dbname=address.database,
            autocommit=True,
            connect_timeout=10,
            application_name="ou_vce_ext",
            client_encoding="utf8",
            # A script commits each statement; whoever runs it commits once for good at its end.
            options="-c synchronous_commit=off" if own else "",
            target_session_attrs="any",
            gssencmode="disable" if own else "prefer",
            sslmode="disable" if own else "prefer",
        )

    async def proven(self) -> Door:
        """The same, with the one password that is right. Raises as psycopg does."""
        import psycopg

        for password in self.passwords[:-1]:
            door = dataclasses.replace(self, passwords=(password,))
            try:
                async with door.connected():
                    return door
            except psycopg.OperationalError:
                continue
        return dataclasses.replace(self, passwords=self.passwords[-1:])

    def arguments(self) -> list[str]:
        """What libpq's programs are told of the address, without the database."""
        address = self.address
        return [
            f"--host={address.host}",
            f"--port={address.port}",
            f"--username={address.user}",
            "--no-password",
        ]

    @staticmethod
    def without_address() -> dict[str, str]:
        """The environment of a tool that works on files alone."""
        # Its messages in English, whatever the student's language: we read them.
        return scrubbed_environment({"LC_ALL": "C", "LANGUAGE": "C"})

    def environment(self, folder: Path) -> dict[str, str]:
        """What such a program finds in its environment: no address, and the name of a file.

        That file, with the passwords, is written into ``folder``, which is private. Raises OSError.
        """
        address = self.address
        path = folder / _PASSFILE
        logins = [(address.user, password) for password in self.passwords[:1]]
        write_private(path, password_lines([address.host], address.port, logins).encode())
        own = {"PGSSLMODE": "disable", "PGGSSENCMODE": "disable"} if address.own else {}
        own |= {"PGPASSFILE": str(path), "PGAPPNAME": "ou_vce_ext"}
        return self.without_address() | own

"""One kept connection to a PostgreSQL server, for probing it and for setting it up."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import struct
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar

from ...errors import VceError
from ...sentences import say

if TYPE_CHECKING:
    from psycopg import AsyncConnection

Connection: TypeAlias = "AsyncConnection[tuple[object, ...]]"
Result = TypeVar("Result")

PROBE_TIMEOUT = 2.5
_HALF_WAY = 0.5
"""Seconds that whoever is cancelled while connecting waits for that at most."""
# Length and code, as the protocol has it. To leave after the answer is not worth a line of its log.
_ENCRYPTION_REQUEST = struct.pack("!ii", 8, 80877103)
log = logging.getLogger(__name__)

_REFUSALS = (
    "password authentication failed",
    "no password supplied",
    "no pg_hba.conf entry",
    "is not permitted to log in",
    "authentication failed for user",
    'role "',
    'database "',
    "permission denied for database",
)


class LoginRefusedError(VceError):
    """The server answers, and does not accept the user, password or database."""

    def __init__(self, detail: str) -> None:
        super().__init__("credentials-refused", detail)


class Address(NamedTuple):
    """Where to connect, and as whom. ``host`` may be the folder of a unix socket."""

    host: str
    port: int
    user: str
    database: str
    own: bool = True
    """Whether the server is ours, on this machine: no encryption is tried then."""


class Session:
    """A connection that is made when first needed, and again when it was lost."""

    def __init__(self) -> None:
        self._connection: Connection | None = None
        self.trouble = ""
        """Why the last question went without an answer, in the words of the client library."""

    async def answers(self, address: Address, passwords: Sequence[str]) -> bool:
        """Whether the server answers a query now; False while it does not, or not yet.

        ``passwords`` are tried in turn. Takes :data:`PROBE_TIMEOUT` seconds at most. Raises
        :class:`LoginRefusedError`.
        """
        import psycopg

        try:
            async with asyncio.timeout(PROBE_TIMEOUT):
                kept = self._connection is not None
                connection = await self.connect(address, passwords)
                if not await self.guard(_ask(connection)):
                    return False
                # Sessions live on where the server itself was stopped and lets nobody else in.
                return not (kept and address.own) or await _lets_in(address)
        except (psycopg.Error, OSError, TimeoutError) as error:
            self.trouble = (str(error).strip().splitlines() or [type(error).__name__])[-1]
            log.debug("PostgreSQL does not answer: %s", self.trouble)
            await self.close()
            return False

    async def guard(self, work: Coroutine[object, object, Result]) -> Result:
        """Do ``work`` on the connection, so that cancelling it takes effect at once.

        By itself psycopg would ask the server to end the query, and wait for the answer: a server
        that hangs gives none. The connection is lost when we are cancelled.
        """
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            self._cut()
            await asyncio.wait({task})
            if not task.cancelled():
                task.exception()
            await self.close()
            raise
        return task.result()

    def _cut(self) -> None:
        if self._connection and not self._connection.closed:
            with (
                suppress(OSError),
                socket.socket(fileno=os.dup(self._connection.pgconn.socket)) as line,
            ):
                line.shutdown(socket.SHUT_RDWR)

    async def connect(self, address: Address, passwords: Sequence[str]) -> Connection:
        """Give the kept connection, made anew where it is gone. Raises as psycopg does."""
        import psycopg

        if self._connection and not self._connection.closed:
            return self._connection
        refused: LoginRefusedError | None = None
        for password in passwords:
            try:
                self._connection = await connect(address, password)
                return self._connection
            except psycopg.OperationalError as error:
                # There is no SQLSTATE for a connection that was never made, only words: English
                # ones, from a server of ours. Others' are told as "does not answer".
                told = str(error).strip().splitlines()
                if not any(sign in str(error) for sign in _REFUSALS):
                    raise
                refused = LoginRefusedError(told[-1] if told else say("the login was refused"))
        raise refused or LoginRefusedError(say("no password is known"))

    async def close(self) -> None:
        """Let go of the connection."""
        connection, self._connection = self._connection, None
        if connection:
            await connection.close()


async def _ask(connection: Connection) -> bool:
    cursor = await connection.execute("SELECT 1")
    return await cursor.fetchone() is not None


async def _lets_in(address: Address) -> bool:
    """Whether a new session is answered: we ask for encryption, are told no or yes, and go."""
    path = f"{address.host}/.s.PGSQL.{address.port}"
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        writer.write(_ENCRYPTION_REQUEST)
        return await reader.read(1) != b""
    finally:
        writer.close()


async def connect(address: Address, password: str) -> Connection:
    """Make a connection that commits by itself. Raises as psycopg does.

    Cancelled half-way it is made all the same, for a moment, and closed: else the server would wait
    a minute for its password, and for as long nobody could drop a database.
    """
    connecting = asyncio.ensure_future(_connect(address, password))
    try:
        return await asyncio.shield(connecting)
    except asyncio.CancelledError:
        try:
            await asyncio.wait({connecting}, timeout=_HALF_WAY)
        finally:
            connecting.cancel()
            if connecting.done() and not connecting.cancelled() and not connecting.exception():
                await connecting.result().close()
        raise


async def _connect(address: Address, password: str) -> Connection:
    import psycopg

    # All that matters is said here: PG* variables of Jupyter's own environment must not.
    return await psycopg.AsyncConnection.connect(
        host=address.host,
        hostaddr="",
        port=address.port,
        user=address.user,
        password=password,
        dbname=address.database,
        autocommit=True,
        connect_timeout=3,
        application_name="ou_vce_ext",
        client_encoding="utf8",
        # What we set up is set up again where a crash took it: no need to wait for the disk.
        options="-c synchronous_commit=off" if address.own else "",
        target_session_attrs="any",
        gssencmode="disable" if address.own else "prefer",
        sslmode="disable" if address.own else "prefer",
    )

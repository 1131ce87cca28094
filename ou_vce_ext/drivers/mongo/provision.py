"""Making a MongoDB server that answers one a student can write to: replica set and account."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from ...errors import DefiniteError
from ...sentences import say
from .wire import Line, has_configuration, is_writable

if TYPE_CHECKING:
    from pymongo import AsyncMongoClient

    Client = AsyncMongoClient[dict[str, Any]]

REPLICA_SET: Final = "vce"
_ADMIN: Final = "admin"
_AUTHENTICATION_FAILED: Final = 18
_ROLE_NOT_FOUND: Final = 31
_ALREADY_INITIALISED: Final = 23
_PATIENCE: Final = 30.0


@dataclass(frozen=True, slots=True)
class Account:
    """A user in the database ``admin``. Each role is a name and the database it counts for."""

    user: str
    password: str = field(repr=False)
    roles: tuple[tuple[str, str], ...]

    @property
    def role_documents(self) -> list[dict[str, str]]:
        """The roles in MongoDB's own form."""
        return [{"role": role, "db": database} for role, database in self.roles]


@dataclass(frozen=True, slots=True)
class Server:
    """A server of ours: its unix socket, the address it has in its replica set, its key.

    With the key of a replica set one logs in as its internal user ``__system``, as its members do.
    That account is nowhere in the data, so no restore and no mistake of a student's can take it
    away, and there is no moment at which a server would have to trust somebody without a password.
    ``key`` is None for a server without authentication.
    """

    socket: str
    address: str
    key: str | None = field(repr=False)


async def make_writable(server: Server) -> None:
    """Give the replica set its one member, at its present address, and wait until it takes writes.

    Raises DefiniteError, OSError or a PyMongoError.
    """
    async with await Line.open(server.socket) as line:
        hello = await line.hello()
        if not has_configuration(hello):
            async with _closed(_log_in(server)) as client:
                await _configure(client, server.address)
            hello = await line.hello()
        async with asyncio.timeout(_PATIENCE):
            while not is_writable(hello):
                hello = await line.hello(changed_from=hello)


async def _configure(client: Client, address: str) -> None:
    from pymongo.errors import OperationFailure

    members = [{"_id": 0, "host": address}]
    try:
        wanted = {"_id": REPLICA_SET, "members": members}
        await client.admin.command("replSetInitiate", wanted)
        return
    except OperationFailure as failure:
        if failure.code != _ALREADY_INITIALISED:
            raise
    # It was set up at another port, or on another machine.
    config = (await client.admin.command("replSetGetConfig"))["config"]
    if config["_id"] != REPLICA_SET:
        raise DefiniteError(
            "config-invalid",
            say(
                "These databases belong to a MongoDB replica set named {theirs}, and this "
                "service runs one named {ours}. They have not been touched.",
                theirs=config["_id"],
                ours=REPLICA_SET,
            ),
            say(
                "Declare another `data_dir` for this service, and bring the databases over "
                "with mongodump and mongorestore."
            ),
        )
    config |= {"version": config["version"] + 1, "members": members}
    config.pop("term", None)
    await client.admin.command("replSetReconfig", config, force=True)


async def ensure_account(server: Server, account: Account) -> None:
    """Have ``account`` exist with this password and these roles, and no others.

    Raises DefiniteError, OSError or a PyMongoError.
    """
    if await _is_right(server, account):
        return
    from pymongo.errors import OperationFailure

    async with _closed(_log_in(server)) as client:
        known = await client.admin.command("usersInfo", {"user": account.user, "db": _ADMIN})
        try:
            await client.admin.command(
                "updateUser" if known["users"] else "createUser",
                account.user,
                pwd=account.password,
                roles=account.role_documents,
            )
        except OperationFailure as failure:
            if failure.code != _ROLE_NOT_FOUND:
                raise
            raise DefiniteError(
                "config-invalid",
                say(
                    "MongoDB knows no such role: {reason}. The databases are safe.",
                    reason=_reason(failure.details),
                ),
                say("Correct `roles` in this service's declaration."),
            ) from failure


async def _is_right(server: Server, account: Account) -> bool:
    """Whether the account can log in, and holds just what it should."""
    from pymongo.errors import OperationFailure

    client = _client(server, username=account.user, password=account.password)
    async with _closed(client):
        try:
            status = await client.admin.command("connectionStatus")
        except OperationFailure as failure:
            if failure.code != _AUTHENTICATION_FAILED:
                raise
            return False
    roles = status["authInfo"]["authenticatedUserRoles"]
    return {(item["role"], item["db"]) for item in roles} == set(account.roles)


@asynccontextmanager
async def _closed(client: Client) -> AsyncIterator[Client]:
    """A client for the block, closed after it also where the caller is cancelled meanwhile.

    It takes leave of its server, which may be slow: then it goes on by itself.
    """
    try:
        yield client
    finally:
        await asyncio.shield(asyncio.ensure_future(client.close()))


def _log_in(server: Server) -> Client:
    if server.key is None:
        return _client(server)
    return _client(
        server,
        username="__system",
        password=server.key,
        authSource="local",
        authMechanism="SCRAM-SHA-256",
    )


def _client(server: Server, **credentials: Any) -> Client:
    from pymongo import AsyncMongoClient

    return AsyncMongoClient(
        f"mongodb://{quote(server.socket, safe='')}/",
        directConnection=True,
        serverSelectionTimeoutMS=5000,
        serverMonitoringMode="poll",
        heartbeatFrequencyMS=60_000,
        **credentials,
    )


def _reason(details: Mapping[str, Any] | None) -> str:
    return (details or {}).get("errmsg") or say("no reason given")

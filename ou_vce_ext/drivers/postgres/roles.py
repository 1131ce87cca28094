"""Setting up what a declaration promises inside a PostgreSQL server: roles and databases."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, LiteralString

from .options import ADMIN, Declared, Role
from .session import Connection

if TYPE_CHECKING:
    from psycopg.sql import Composed

STUDENT_GROUPS = ("pg_monitor", "pg_signal_backend")
"""Built-in roles a student is a member of: to see all activity, and to end a runaway query."""

_VERIFIER = re.compile(r"SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):(.+)")


def verifier_accepts(verifier: str, password: str) -> bool:
    """Whether ``password`` fits what the server keeps of it (RFC 5802, in PostgreSQL's form)."""
    found = _VERIFIER.fullmatch(verifier)
    if not found:
        return False
    rounds, salt = int(found[1]), base64.b64decode(found[2])
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    return hmac.compare_digest(hashlib.sha256(client_key).digest(), base64.b64decode(found[3]))


async def set_up(connection: Connection, declared: Declared) -> None:
    """Make the declared roles and databases that are missing; what is there stays as it is.

    Passwords are the exception: one that the server would not accept is set again, so that what
    the declaration says, or the generated secret, always works.
    """
    known = await _known_roles(connection)
    for role in declared.roles:
        await _ensure_role(connection, role, known)
    groups = {role.name: role.member_of for role in declared.roles}
    if declared.user != ADMIN:
        groups[declared.user] += STUDENT_GROUPS
    await _ensure_members(connection, groups)
    await _ensure_databases(connection, declared)


async def set_password(connection: Connection, name: str, password: str) -> None:
    """Set the password of a role, in a form that no log of the server can give away."""
    from psycopg import sql

    await connection.execute(
        sql.SQL("ALTER ROLE {} PASSWORD {}").format(
            sql.Identifier(name), _verifier(connection, name, password)
        )
    )


def _verifier(connection: Connection, name: str, password: str) -> Composed:
    from psycopg import sql

    made = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256")
    return sql.Composed([sql.Literal(made.decode("ascii"))])


async def _known_roles(
    connection: Connection,
) -> dict[str, str | None]:
    cursor = await connection.execute("SELECT rolname, rolpassword FROM pg_authid")
    return {
        str(name): None if verifier is None else str(verifier)
        for name, verifier in await cursor.fetchall()
    }


async def _ensure_role(
    connection: Connection,
    role: Role,
    known: Mapping[str, str | None],
) -> None:
    from psycopg import sql

    if role.name in known:
        verifier = known[role.name]
        if role.password and not (verifier and verifier_accepts(verifier, role.password)):
            await set_password(connection, role.name, role.password)
        return
    attributes: list[tuple[bool, LiteralString]] = [
        (role.login, "LOGIN"),
        (role.superuser, "SUPERUSER"),
        (role.createdb, "CREATEDB"),
        (role.createrole, "CREATEROLE"),
    ]
    statement = sql.SQL("CREATE ROLE {} ").format(sql.Identifier(role.name))
    statement += sql.SQL(" ").join(sql.SQL(word) for wanted, word in attributes if wanted)
    if role.password:
        verifier_text = _verifier(connection, role.name, role.password)
        statement += sql.SQL(" PASSWORD {}").format(verifier_text)
    await connection.execute(statement)


async def _ensure_members(connection: Connection, groups: Mapping[str, tuple[str, ...]]) -> None:
    from psycopg import sql

    cursor = await connection.execute(
        "SELECT pg_get_userbyid(member), pg_get_userbyid(roleid) FROM pg_auth_members"
    )
    already = {(str(member), str(group)) for member, group in await cursor.fetchall()}
    for member, wanted in groups.items():
        for group in wanted:
            if (member, group) not in already:
                await connection.execute(
                    sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), sql.Identifier(member))
                )


async def _ensure_databases(connection: Connection, declared: Declared) -> None:
    from psycopg import sql

    cursor = await connection.execute("SELECT datname FROM pg_database")
    already = {str(row[0]) for row in await cursor.fetchall()}
    for name in declared.databases:
        if name not in already:
            await connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(
                    sql.Identifier(name), sql.Identifier(declared.user)
                )
            )

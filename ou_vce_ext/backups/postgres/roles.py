"""Roles in a backup: ``globals.sql`` as pg_dumpall writes it, and putting it into a new server.

Passwords are in it only as the verifiers the server keeps (SCRAM), from which nobody can log in.
The superuser we work as is left out when it is put back: the new server's own is as we made it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ...drivers.postgres.options import ADMIN
from ...drivers.postgres.session import Connection
from ...errors import UnsuitableError
from ...sentences import say
from .script import Statement, statements, without_comments

MEMBER: Final = "globals.sql"
LARGEST: Final = 64 * 1024 * 1024
_NAME: Final = rb'("(?:[^"]|"")+"|[^\s";]+)'
_CREATE: Final = re.compile(rb"CREATE ROLE " + _NAME)
_ALTER: Final = re.compile(rb"ALTER ROLE " + _NAME + rb" (WITH|SET|IN)\b")
_COMMENT: Final = re.compile(rb"COMMENT ON ROLE " + _NAME)
_MEMBER: Final = re.compile(rb"GRANT " + _NAME + rb" TO " + _NAME)
_SESSION: Final = re.compile(rb"SET \w+ = ")
_PARAMETER: Final = re.compile(rb"GRANT [\w, ]+ ON PARAMETER ")


async def names_of_roles(connection: Connection) -> frozenset[str]:
    """Every role of a server."""
    cursor = await connection.execute("SELECT rolname FROM pg_roles")
    return frozenset(str(name) for (name,) in await cursor.fetchall())


async def put(connection: Connection, content: bytes, *, over: bool) -> None:
    """Make the roles that ``content`` (a globals.sql) tells of.

    With ``over``, those that are there already become as it says; else they stay as they are.
    Raises UnsuitableError for anything in it that is no role's, or that the server refuses.
    """
    import psycopg

    there = set(await names_of_roles(connection))
    for statement in _accepted(content, there, over=over):
        try:
            await connection.execute(statement)
        except psycopg.Error as error:
            told = str(error).strip().splitlines()
            raise UnsuitableError(
                say(
                    "The roles in this backup could not be made: {answer}. Your data are as they "
                    "were.",
                    answer=told[0] if told else say("the server refused"),
                ),
                say("Restore single databases of it instead."),
            ) from error


def _accepted(content: bytes, there: set[str], *, over: bool) -> Iterator[bytes]:
    fresh: set[str] = set()
    for part in statements([content]):
        if not isinstance(part, Statement):
            # \restrict and \unrestrict mean something to psql alone.
            continue
        text = without_comments(part.text).strip()
        if found := _CREATE.match(text):
            name = _unquoted(found[1])
            if name in there:
                continue
            there.add(name)
            fresh.add(name)
        elif found := _ALTER.match(text):
            name = _unquoted(found[1])
            if (name == ADMIN and found[2] == b"WITH") or not (over or name in fresh):
                continue
            if found[2] == b"IN":
                # Of one database: that is set with the database.
                continue
        elif found := _MEMBER.match(text):
            if not (over or _unquoted(found[2]) in fresh):
                continue
        elif found := _COMMENT.match(text):
            if not (over or _unquoted(found[1]) in fresh):
                continue
        elif _PARAMETER.match(text):
            if not over:
                continue
        elif _SESSION.match(text):
            continue
        else:
            raise UnsuitableError(
                say(
                    "This backup is not as this software makes them: its roles come with something "
                    "else. Nothing was changed."
                ),
                say("Use another backup."),
            )
        yield text


def _unquoted(name: bytes) -> str:
    text = name.decode("utf-8", "replace")
    return text[1:-1].replace('""', '"') if text.startswith('"') else text

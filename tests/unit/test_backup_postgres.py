"""Scripts read as psql reads them, roles chosen, names and facts compared: without any server."""

from __future__ import annotations

import dataclasses
import struct
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ou_vce_ext.backups.postgres.beside import check_name
from ou_vce_ext.backups.postgres.facts import Facts, differences
from ou_vce_ext.backups.postgres.foreign import name_of
from ou_vce_ext.backups.postgres.loading import connects_to, left_out
from ou_vce_ext.backups.postgres.moments import Moment, at_rest
from ou_vce_ext.backups.postgres.script import Command, Part, Rows, Statement, statements
from ou_vce_ext.backups.postgres.sources import dump_member
from ou_vce_ext.backups.reader import check_name as check_member
from ou_vce_ext.errors import BadRequestError, UnsuitableError

SCRIPT = rb"""-- a comment; with a semicolon and a 'quote
\restrict abc
CREATE TABLE "a;b" (t text DEFAULT 'x;''y', u text DEFAULT E'\';'); /* one; /* two; */ */
CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $body$ BEGIN; $$ ; END; $body$;
CREATE OR REPLACE FUNCTION g(a int) RETURNS int LANGUAGE sql
BEGIN ATOMIC SELECT CASE WHEN a > 1 THEN 1 ELSE 2 END; SELECT 2; END;
CREATE RULE r AS ON DELETE TO a DO (SELECT 1; SELECT 2);
COPY a FROM stdin;
one;\tit's
\\.two
\.
COPY b (c) FROM stdin WITH (FORMAT text);
\.
BEGIN;
SELECT 'end' AS "END", $x1$;$x1$, a$b FROM t;
COMMIT;
SET standard_conforming_strings = off;
SELECT 'a\';b';
\connect -reuse-previous=on "dbname='x y'"
"""
EXPECTED = [
    (Command, "\\restrict abc"),
    (Statement, "CREATE TABLE"),
    (Statement, "/* one"),
    (Statement, "CREATE OR"),
    (Statement, "CREATE RULE"),
    (Statement, "COPY a"),
    (Rows, "one;\\tit's\n\\\\.two\n"),
    (Statement, "COPY b"),
    (Statement, "BEGIN"),
    (Statement, "SELECT 'end'"),
    (Statement, "COMMIT"),
    (Statement, "SET standard"),
    (Statement, "SELECT 'a"),
    (Command, "\\connect"),
]


def read(script: bytes, size: int) -> list[tuple[type[Part], str]]:
    """A script's parts, read in blocks of ``size``; data in several parts are joined."""
    found: list[tuple[type[Part], str]] = []
    blocks = (script[start : start + size] for start in range(0, len(script), size))
    for part in statements(blocks):
        if isinstance(part, Command):
            found.append((Command, part.text))
        elif isinstance(part, Statement):
            found.append((Statement, part.text.decode().strip()))
        elif found[-1][0] is Rows:
            found[-1] = (Rows, found[-1][1] + part.data.decode())
        else:
            found.append((Rows, part.data.decode()))
    return found


@given(some.integers(1, len(SCRIPT)))
def test_a_script_has_the_same_parts_however_it_comes(size: int) -> None:
    found = read(SCRIPT, size)
    assert [kind for kind, _ in found] == [kind for kind, _ in EXPECTED]
    for (_, text), (_, beginning) in zip(found, EXPECTED, strict=True):
        assert text.startswith(beginning)


@pytest.mark.parametrize(
    "script", [b"SELECT 1", b"SELECT 'x;", b"SELECT $a$;", b"/* ", b"COPY a FROM stdin;\nx\n"]
)
def test_a_script_that_breaks_off_is_refused(script: bytes) -> None:
    with pytest.raises(UnsuitableError):
        list(statements([script]))


@given(some.binary(max_size=300))
def test_anything_is_read_or_refused(script: bytes) -> None:
    with suppress(UnsuitableError):
        list(statements([script]))


def test_commands_reach_no_further_than_a_database() -> None:
    [(_, text)] = read(SCRIPT, 9999)[-1:]
    assert connects_to(Command(text, 1)) == "x y"
    assert connects_to(Command('\\connect "a ""b"', 1)) == 'a "b'
    dumped_all = r'''\connect -reuse-previous=on "dbname='Anna\'s ""big"" one'"'''
    assert connects_to(Command(dumped_all, 1)) == 'Anna\'s "big" one'
    assert connects_to(Command("\\encoding UTF8", 1)) is None
    assert connects_to(Command("\\unrestrict x", 1)) is None
    for bad in ("\\! rm", "\\o |rm", "\\copy a from program 'x'", "\\gexec after a statement"):
        with pytest.raises(UnsuitableError):
            connects_to(Command(bad, 1))


@pytest.mark.parametrize(
    ("statement", "out"),
    [
        (b"GRANT ALL ON a TO b", True),
        (b'ALTER TABLE public.a OWNER TO "x y"', True),
        (b"ALTER FUNCTION f(a text DEFAULT 1) OWNER TO tm351", True),
        (b"SET SESSION AUTHORIZATION postgres", True),
        (b"CREATE ROLE x", True),
        (b"CREATE USER MAPPING FOR x SERVER y", False),
        (b"CREATE TABLE granted (a int)", False),
        (b"ALTER TABLE a ADD CHECK (b <> ' OWNER TO x')", False),
        (b"CREATE EXTENSION IF NOT EXISTS plpgsql WITH SCHEMA pg_catalog", True),
        (b"CREATE EXTENSION hstore", False),
    ],
)
def test_what_is_not_for_a_databases_user_is_left_out(statement: bytes, out: bool) -> None:
    assert left_out(statement) is out


@given(some.text(min_size=1, max_size=63))
def test_every_name_of_a_database_is_a_good_name_of_a_member(name: str) -> None:
    name = name.encode("utf-8", "ignore").decode()
    check_member(dump_member(name))


def test_names_for_new_databases() -> None:
    check_name("tm351_2")
    check_name("Kürs 3")
    for bad in ("", "  ", "a\nb", "a\0b", "ü" * 40, "x.scratch-1"):
        with pytest.raises(BadRequestError):
            check_name(bad)
    assert name_of("tm351 2024.sql.gz") == "tm351_2024"
    assert name_of(".dump")


def test_whatever_differs_is_told() -> None:
    said = Facts(
        15,
        {"public.a": (2, "17")},
        {"public.s": [(5, True), (9, True)]},
        (1, "3"),
        {"table public.a": "x"},
    )
    assert Facts.from_bytes(said.to_bytes()) == said
    found = dataclasses.replace(said, sequences={"public.s": [(7, True)]})
    assert differences(said, found) == []
    for change, words in (
        ({"tables": {"public.a": (3, "17")}}, "3 rows, not 2"),
        ({"tables": {"public.a": (2, "18")}}, "rows of the table public.a differ"),
        ({"tables": {}}, "public.a is missing"),
        ({"sequences": {"public.s": [(10, True)]}}, "sequence public.s is at 10"),
        ({"large_objects": (2, "3")}, "2 large objects"),
        ({"schema": {"table public.a": "y"}}, "table public.a is not as it was"),
        ({"schema": {}}, "table public.a is not as it was"),
    ):
        told = differences(said, dataclasses.replace(found, **change))
        assert words in " ".join(told), change
    newer = dataclasses.replace(found, major=18, schema={"table public.a": "y"})
    assert differences(said, newer) == []
    with pytest.raises(UnsuitableError):
        Facts.from_bytes(b"{}")


def test_the_last_moment_of_a_server_is_read_from_its_folder(tmp_path: Path) -> None:
    def control(state: int, following: int, *, length: int = 8192) -> Path:
        (tmp_path / "global").mkdir(exist_ok=True)
        content = bytearray(8192)
        struct.pack_into("=QIII", content, 0, 7_000_000_000_000_000_001, 1300, 202107181, state)
        struct.pack_into("=Q", content, 64, following)
        (tmp_path / "global" / "pg_control").write_bytes(content[:length])
        return tmp_path

    shut_down, in_recovery, running = 1, 2, 6
    found = at_rest(control(shut_down, 2**33 + 5))
    assert found == Moment(7_000_000_000_000_000_001, 2**33 + 5)
    for state in (in_recovery, running):
        assert at_rest(control(state, 5)) is None
    assert at_rest(control(shut_down, 5, length=100)) is None
    (tmp_path / "global" / "pg_control").unlink()
    with pytest.raises(OSError, match="No such file"):
        at_rest(tmp_path)

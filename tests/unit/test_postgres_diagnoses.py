"""What the server's own words are taken to mean."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from ou_vce_ext.drivers.postgres.diagnoses import (
    explain_ending,
    explain_lines,
    explain_os_error,
)
from ou_vce_ext.launch import Ending

HERE = Path("/data")
STAMP = "2026-11-21 21:03:31.000 UTC [7] "


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('LOG:  could not bind IPv4 address "127.0.0.1": Address already in use', "port-in-use"),
        ("FATAL:  could not create any TCP/IP sockets", "port-in-use"),
        ('FATAL:  lock file "/run/x/.s.PGSQL.5432.lock" already exists', "port-in-use"),
        ('FATAL:  lock file "postmaster.pid" already exists', "data-in-use"),
        (
            "FATAL:  pre-existing shared memory block (key 1, ID 2) is still in use",
            "data-in-use",
        ),
        ('FATAL:  could not write lock file "x": No space left on device', "disk-full"),
        (
            "could not resize shared memory segment /1 to 8 bytes: No space left on device",
            "out-of-memory",
        ),
        ("FATAL:  could not map anonymous shared memory: Cannot allocate memory", "out-of-memory"),
        ("FATAL:  incorrect checksum in control file", "data-corrupt"),
        ("PANIC:  could not locate a valid checkpoint record at 0/1", "data-corrupt"),
        ("FATAL:  could not load /data/pg_hba.conf", "data-corrupt"),
        ("FATAL:  database files are incompatible with server", "data-wrong-version"),
        ('FATAL:  data directory "/data" has wrong ownership', "data-wrong-owner"),
        ('FATAL:  could not open file "global/1262": Permission denied', "data-wrong-owner"),
        (
            'FATAL:  could not create lock file "postmaster.pid": Read-only file system',
            "data-unwritable",
        ),
        ('PANIC:  could not fsync file "pg_wal/0": Input/output error', "folder-unsuitable"),
        ('FATAL:  unrecognized configuration parameter "x"', "config-invalid"),
        ('"root" execution of the PostgreSQL server is not permitted.', "not-permitted"),
        ("initdb: could not look up effective user ID 9: user does not exist", "not-permitted"),
        (
            "postgres: error while loading shared libraries: libssl.so.3: cannot open",
            "program-unsuitable",
        ),
    ],
)
def test_each_known_line(line: str, code: str) -> None:
    told = explain_lines([STAMP + line, STAMP + "LOG:  database system is shut down"], HERE, 5432)
    assert told is not None
    assert told.code == code
    assert told.hint


def test_the_newest_telling_line_counts() -> None:
    lines = ["FATAL:  incorrect checksum in control file", "No space left on device", "shut down"]
    told = explain_lines(lines, HERE, 5432)
    assert told is not None
    assert told.code == "disk-full"


def test_what_tells_nothing_is_left_to_others() -> None:
    assert explain_lines(["LOG:  database system is ready"], HERE, 5432) is None
    assert explain_ending(Ending(exit_code=1), [], HERE, 5432) is None


@pytest.mark.parametrize(
    "ending", [Ending(exit_code=0, asked=True), Ending(keeper_lost=True)], ids=["asked", "keeper"]
)
def test_an_ending_that_is_not_its_own_is_not_explained(ending: Ending) -> None:
    assert explain_ending(ending, ["No space left on device"], HERE, 5432) is None


def test_killed_from_outside() -> None:
    told = explain_ending(Ending(signal="SIGKILL"), ["No space left on device"], HERE, 5432)
    assert told is not None
    assert told.code == "killed"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "disk-full"),
        (errno.EDQUOT, "disk-full"),
        (errno.EROFS, "data-unwritable"),
        (errno.EACCES, "data-unwritable"),
        (errno.EINVAL, "folder-unsuitable"),
        (errno.ENOTSUP, "folder-unsuitable"),
    ],
)
def test_failed_system_calls(number: int, code: str) -> None:
    assert explain_os_error(OSError(number, "x"), HERE).code == code

"""Passwords: how they are written for libpq, and how the server's own form of one is checked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ou_vce_ext.drivers.postgres.passfile import (
    password_lines,
    read_password,
    write_password_file,
)
from ou_vce_ext.drivers.postgres.roles import verifier_accepts

# As PostgreSQL 15 keeps the password "pencil".
KEPT = (
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
)


def test_a_kept_password_is_known_again() -> None:
    assert verifier_accepts(KEPT, "pencil")
    assert not verifier_accepts(KEPT, "pencils")
    assert not verifier_accepts("md5a3556571e93b0d20722ba62be61e8c2d", "pencil")


def test_each_login_at_each_way_in() -> None:
    text = password_lines(["/run/x", "localhost"], 5432, [("ann", "a:b\\c"), ("bob", "d")])
    assert text.splitlines() == [
        "/run/x:5432:*:ann:a\\:b\\\\c",
        "localhost:5432:*:ann:a\\:b\\\\c",
        "/run/x:5432:*:bob:d",
        "localhost:5432:*:bob:d",
    ]


def test_the_file_is_private_and_written_only_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "new" / "pgpass"
    write_password_file(path, "one\n")
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.stat().st_ino
    write_password_file(path, "one\n")
    assert path.stat().st_ino == before
    write_password_file(path, "two\n")
    assert path.read_text() == "two\n"
    assert os.listdir(path.parent) == ["pgpass"]


@pytest.mark.parametrize(
    ("content", "password"),
    [(b"secret\nmore\n", "secret"), (b" a b \r\n", " a b "), (b"", None), (b"\xff", None)],
)
def test_a_file_with_a_password(tmp_path: Path, content: bytes, password: str | None) -> None:
    (tmp_path / "password").write_bytes(content)
    assert read_password(tmp_path / "password") == password
    assert read_password(tmp_path / "none") is None

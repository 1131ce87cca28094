"""The password file that programs of the student's find in PGPASSFILE."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from pathlib import Path


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace(":", "\\:")


def password_lines(hosts: Iterable[str], port: int, logins: Iterable[tuple[str, str]]) -> str:
    """The text of a libpq password file: each login at each way to reach the server."""
    hosts = tuple(hosts)
    return "".join(
        f"{_escape(host)}:{port}:*:{_escape(user)}:{_escape(password)}\n"
        for user, password in logins
        for host in hosts
    )


def write_private_text(path: Path, text: str) -> None:
    """Replace ``path`` by a file that only its owner can read; never half of it. Raises OSError."""
    try:
        status = path.stat()
        if path.read_text("utf-8") == text and status.st_mode & 0o777 == 0o600:
            return
    except (OSError, UnicodeDecodeError):
        pass
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{secrets.token_hex(4)}.partial")
    try:
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)


def read_password(path: Path) -> str | None:
    """The first line of a file that holds a password and nothing else; None where it cannot."""
    try:
        with path.open(encoding="utf-8") as file:
            return file.readline().rstrip("\r\n") or None
    except (OSError, UnicodeDecodeError):
        return None

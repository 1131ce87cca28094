"""The password file that programs of the student's find in PGPASSFILE."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ...services.private_files import read_private, write_private


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


def write_password_file(path: Path, text: str) -> None:
    """Replace ``path`` by a file that only its owner can read; never half of it. Raises OSError."""
    content = text.encode()
    if read_private(path) != content:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, content)


def read_password(path: Path) -> str | None:
    """The first line of a file that holds a password and nothing else; None where it cannot."""
    try:
        with path.open(encoding="utf-8") as file:
            return file.readline().rstrip("\r\n") or None
    except (OSError, UnicodeDecodeError):
        return None

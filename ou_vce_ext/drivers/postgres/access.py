"""The superuser's password: where it is kept, and how it is won back when it is lost."""

from __future__ import annotations

import secrets
from pathlib import Path

from ...services.private_files import write_private
from .options import ADMIN, Declared
from .place import Place
from .roles import set_password
from .session import Connection

_SECRET = "ou-vce-ext.secret"  # noqa: S105 - the name of a file
_RECOVERY = "ou-vce-ext.hba.conf"


def read_secret(folder: Path) -> str | None:
    """The superuser's password of the databases in ``folder``, None where we know of none."""
    try:
        return (folder / _SECRET).read_text("utf-8").strip() or None
    except OSError:
        return None


def write_secret(folder: Path, secret: str) -> None:
    """Keep the superuser's password in the data folder itself: it goes wherever that goes."""
    write_private(folder / _SECRET, f"{secret}\n".encode())


def keep_secret(password_file: Path, folder: Path) -> None:
    """Move the file with a new superuser's password to where :func:`read_secret` finds it."""
    password_file.rename(folder / _SECRET)


def forget_secret(folder: Path) -> None:
    """The password we know is refused: have the next start win the access back."""
    (folder / _SECRET).unlink(missing_ok=True)


def passwords_to_try(folder: Path, declared: Declared) -> list[str]:
    """What may be the superuser's password, likeliest first. Never empty.

    Where the superuser is declared (old notebooks log in as ``postgres``), a change of that
    password may have been cut short.
    """
    kept = read_secret(folder)
    known = [password for name, password in declared.logins if name == ADMIN]
    # While the access is being recovered, any will do.
    return [password for password in (kept, *known) if password] or ["unknown"]


def admit_for_recovery(place: Place) -> Path | None:
    """Rules by which the superuser may come in without a password, through the private socket.

    None, and nothing is written, where we know the password. Databases that were made elsewhere, or
    whose password was changed, are won back so; then :func:`end_recovery` closes the door again.
    """
    path = place.folder / _RECOVERY
    if read_secret(place.folder) is not None:
        path.unlink(missing_ok=True)
        return None
    rules = f"local all {ADMIN} trust\n" + _usual_rules(place.folder)
    write_private(path, rules.encode())
    return path


async def end_recovery(place: Place, connection: Connection) -> None:
    """Give the superuser a password again, keep it, and go back to the usual rules."""
    secret = secrets.token_urlsafe(24)
    await set_password(connection, ADMIN, secret)
    write_secret(place.folder, secret)
    write_private(place.folder / _RECOVERY, _usual_rules(place.folder).encode())
    await connection.execute("SELECT pg_reload_conf()")


def keep_declared_secret(place: Place, declared: Declared) -> None:
    """Where the declaration gives the superuser a password, that is the one to keep."""
    for name, password in declared.logins:
        if name == ADMIN and password != read_secret(place.folder):
            write_secret(place.folder, password)


def _usual_rules(folder: Path) -> str:
    return (folder / "pg_hba.conf").read_text("utf-8", "replace")

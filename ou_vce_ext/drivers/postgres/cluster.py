"""Making a new PostgreSQL data folder, whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import DefiniteError, VceError
from ...launch import Launcher
from ...sentences import say
from ...services.private_files import sync_folder, write_private
from ...services.tools import run_tool
from ..base import Progress, scrubbed_environment
from .access import keep_secret
from .diagnoses import explain_lines, explain_os_error
from .files import SPACE_TO_CREATE, check_space, unsuitable
from .options import ADMIN
from .place import Place
from .programs import Server

_INITDB_TIMEOUT = 300.0
_PASSWORD = "password"  # noqa: S105 - the name of a file
_LOCALES = ("C.UTF-8", "C")


def remove_leftovers(folder: Path) -> None:
    """Clear away what a start that was cut short left beside ``folder``. Its lock must be held."""
    for left in folder.parent.glob(f"{folder.name}.*.partial"):
        shutil.rmtree(left, ignore_errors=True)


async def create_cluster(
    place: Place,
    server: Server,
    launcher: Launcher,
    output: Path,
    progress: Progress,
    *,
    sync: bool = True,
) -> None:
    """Make new databases in ``place.folder``, which must be empty or missing.

    Everything happens in a folder beside it, renamed when it is whole and on disk: a start that is
    cut short leaves nothing that could be taken for databases. ``output`` takes what initdb prints.
    Without ``sync`` it is the caller who sees to that, later.
    Raises VceError with the reason; the folder's lock must be held.
    """
    parent = place.folder.parent
    check_space(parent, SPACE_TO_CREATE)
    progress(say("Making a place for your databases"), None)
    with _staging(place) as staging:
        made = staging / "cluster"
        await _initdb(place, server, launcher, output, made, sync=sync)
        try:
            # Each fsync is a wait for the disk. initdb has done its own, the secret was one; should
            # the rename be lost with the power, so is all that came after it.
            keep_secret(staging / _PASSWORD, made)
            os.rename(made, place.folder)
            sync_folder(parent)
        except OSError as error:
            raise explain_os_error(error, place.folder) from error


@contextmanager
def _staging(place: Place) -> Iterator[Path]:
    """A private folder beside the data folder, with a new superuser's password in it.

    The file system is proven to keep permissions and owners, and to be told to write.
    """
    folder = place.folder
    staging = folder.with_name(f"{folder.name}.{secrets.token_hex(4)}.partial")
    try:
        try:
            staging.mkdir(0o700)
            if place.identity.mode == "user":
                os.chown(staging, place.account.uid, place.account.gid)
            _prove_private(staging, place)
            write_private(staging / _PASSWORD, f"{secrets.token_urlsafe(24)}\n".encode())
        except OSError as error:
            raise explain_os_error(error, folder.parent) from error
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _prove_private(staging: Path, place: Place) -> None:
    status = staging.stat()
    if status.st_mode & 0o777 != 0o700:
        raise unsuitable(place.folder, say("it does not keep file permissions"))
    if status.st_uid != place.account.uid:
        raise unsuitable(place.folder, say("it does not keep the owner of files"))


async def _initdb(
    place: Place, server: Server, launcher: Launcher, output: Path, folder: Path, *, sync: bool
) -> None:
    result = None
    for locale in _LOCALES:
        command = [
            server.tool("initdb"),
            f"--pgdata={folder}",
            f"--username={ADMIN}",
            f"--pwfile={folder.parent / _PASSWORD}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--data-checksums",
            *_locale_flags(server, locale),
            *([] if sync else ["--no-sync"]),
        ]
        try:
            result = await run_tool(
                launcher,
                command,
                # Its messages in English, whatever the student's language: we read them.
                env=scrubbed_environment({"LC_ALL": "C", "LANGUAGE": "C"}),
                cwd=str(folder.parent),
                output=output,
                identity=place.identity,
                timeout=_INITDB_TIMEOUT,
            )
        except TimeoutError:
            raise VceError(
                "start-timeout",
                say(
                    "Making the databases took more than five minutes, and was given up. Nothing "
                    "has been left behind."
                ),
                say("The disk may be very slow or busy. Try again later."),
            ) from None
        if result.ok or "locale name" not in result.output:
            break
    if result is None or not result.ok:
        raise _initdb_failed(place.folder, result.output if result else "")


def _locale_flags(server: Server, locale: str) -> list[str]:
    flags = [f"--locale={locale}"]
    if server.major >= 17:
        # Its own tables sort the same on every machine, so that databases may move about.
        flags += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return flags


def _initdb_failed(folder: Path, output: str) -> VceError:
    lines = [line for line in output.splitlines() if line.strip()]
    known = explain_lines(lines, folder, 0)
    if known:
        return DefiniteError(known.code, known.message, known.hint)
    telling = [line for line in lines if "error" in line.lower() or "FATAL" in line]
    last = (telling or lines or [say("it said nothing")])[-1]
    return DefiniteError(
        "command-failed",
        say(
            "PostgreSQL could not make its data folder: {reason}. Nothing has been left behind.",
            reason=last,
        ),
        say("The service's log has all that it said."),
    )

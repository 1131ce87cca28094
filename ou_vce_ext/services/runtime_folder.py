"""The short, private folder for sockets. Its name is the same after each restart."""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import socket
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from ..errors import VceError
from ..oserrors import why
from ..sentences import in_a_row, say
from .ports import user_name
from .private_files import SAFE

LONGEST: Final = 48
"""Bytes, so that a service's folder in it has 80 at most: PostgreSQL and Xvnc fail above 107 with
the socket's own name behind that."""


def hash8(folder: Path) -> str:
    """Eight characters that tell one house's folders from another's."""
    return hashlib.sha256(os.fsencode(folder)).hexdigest()[:8]


def candidates(data_dir: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    """Where the folder may be, best first; names that are too long are left out."""
    mark = hash8(data_dir)
    own = f"vce-{os.geteuid()}-{mark}"
    places = [Path(base, own) for base in ("/tmp", "/var/tmp", "/dev/shm")]  # noqa: S108
    session = environ.get("XDG_RUNTIME_DIR", "")
    if os.path.isabs(session):
        # Root's is closed to the accounts its services run as.
        places.insert(len(places) if os.geteuid() == 0 else 0, Path(session, f"vce-{mark}"))
    chosen = environ.get("VCE_RUNTIME_DIR", "")
    if os.path.isabs(chosen):
        places.insert(0, Path(chosen, own))
    for place in (*places, data_dir / "run"):
        if len(os.fsencode(place)) <= LONGEST:
            yield place


def claim_runtime_folder(data_dir: Path, environ: Mapping[str, str], log: logging.Logger) -> Path:
    """The first candidate that is, or can be made, a real folder of ours that holds sockets.

    Those that were passed over are told in the log. Raises VceError (``folder-unsuitable``) that
    says of each what is wrong with it.
    """
    refused = []
    for place in candidates(data_dir, environ):
        trouble = _claim(place)
        if trouble is None:
            return place
        refused.append(trouble)
        # A session's folder often has a name and is not there: nothing anybody needs to know.
        if "VCE_RUNTIME_DIR" in environ or os.path.isdir(place.parent):
            log.warning("Sockets are kept elsewhere: %s", trouble)
    raise VceError(
        "folder-unsuitable",
        say(
            "No folder was found that can hold the sockets of databases: {reasons}. {safe}",
            reasons=in_a_row(refused, "; "),
            safe=SAFE,
        ),
        say(
            "Set VCE_RUNTIME_DIR to a folder of your own with a short name, on a Linux "
            "file system, and restart Jupyter."
        ),
    )


def _claim(place: Path) -> str | None:
    """Why ``place`` cannot be used, or None. Nothing that others put there is followed."""
    try:
        above = os.stat(place.parent)
        if above.st_mode & stat.S_IWOTH and not above.st_mode & stat.S_ISVTX:
            return say("{folder} could be exchanged by other users", folder=place)
        if above.st_uid not in (0, os.geteuid()):
            return say(
                "{folder} is in a folder of {owner}", folder=place, owner=user_name(above.st_uid)
            )
        with suppress(FileExistsError):
            os.mkdir(place, 0o700)
        found = os.lstat(place)
        if not stat.S_ISDIR(found.st_mode):
            return say("{folder} is there and is no folder", folder=place)
        if found.st_uid != os.geteuid():
            return say("{folder} belongs to {owner}", folder=place, owner=user_name(found.st_uid))
        descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        return say("{folder} cannot be used: {reason}", folder=place, reason=why(error))
    try:
        return _close_to_others(descriptor, place) or _try_socket(place)
    except OSError as error:
        return say("{folder} cannot hold sockets: {reason}", folder=place, reason=why(error))
    finally:
        os.close(descriptor)


def _close_to_others(descriptor: int, place: Path) -> str | None:
    # The accounts without rights that root's services run as pass through to what is theirs.
    wanted = 0o711 if os.geteuid() == 0 else 0o700
    if stat.S_IMODE(os.fstat(descriptor).st_mode) == wanted:
        return None
    os.fchmod(descriptor, wanted)
    if stat.S_IMODE(os.fstat(descriptor).st_mode) & ~wanted & 0o777:
        return say("{folder} cannot be closed to other users", folder=place)
    return None


def _try_socket(place: Path) -> str | None:
    path = place / f".try-{secrets.token_hex(4)}"
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.bind(str(path))
            probe.listen(1)
        finally:
            with suppress(OSError):
                path.unlink()
    return None

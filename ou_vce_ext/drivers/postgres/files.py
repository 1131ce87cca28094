"""Looking at a PostgreSQL data folder without a server: what it holds, what is wrong with it."""

from __future__ import annotations

import logging
import os
import re
import shutil
import stat
import struct
from pathlib import Path

from ... import oserrors
from ...errors import DefiniteError
from ...launch import Identity
from ...listing import listed
from ...sentences import say
from ...services.ports import user_name
from ..identity import Account, is_root

SPACE_TO_CREATE = 90_000_000
_SPACE_TO_START = 1_000_000
_VERSION = re.compile(r"[0-9]+(\.[0-9]+)?")
log = logging.getLogger(__name__)


def account_of(identity: Identity) -> Account:
    """Whose rights a program with this identity has on files."""
    if identity.mode == "user" and identity.uid is not None and identity.gid is not None:
        return Account(identity.uid, identity.gid)
    return Account(os.geteuid(), os.getegid())


def holds_cluster(folder: Path) -> bool:
    """Whether ``folder`` looks like a PostgreSQL data folder, be it a damaged one."""
    signs = ("PG_VERSION", "global/pg_control", "base/1", "postgresql.conf")
    return any(os.path.lexists(folder / sign) for sign in signs)


def is_fresh(folder: Path) -> bool:
    """Whether there is nothing in ``folder``, or no such folder."""
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None
    except FileNotFoundError:
        return True


def check_owner(folder: Path, account: Account) -> None:
    """Refuse a folder, or a part of it, that the server could not use for being somebody else's.

    What root left behind is handed over where we are root ourselves. Raises DefiniteError
    (``data-wrong-owner``, ``data-corrupt``).
    """
    if not os.path.lexists(folder):
        return
    if not folder.is_dir():
        raise DefiniteError(
            "data-corrupt",
            say(
                "{folder} should be the folder of the databases, and is a file. It has been "
                "left alone.",
                folder=folder,
            ),
            say("Move it away, or declare another `data_dir` for this service."),
        )
    strangers = _strangers(folder, account)
    if is_root() and account.uid != 0 and strangers == {0}:
        log.warning("handing %s over to %s, as whom the server runs", folder, account.name)
        _hand_over(folder, account)
        return
    if strangers:
        owners = listed(user_name(uid) for uid in sorted(strangers))
        raise DefiniteError(
            "data-wrong-owner",
            say(
                "The databases in {folder} belong to {owners}, in whole or in part, and the "
                "server would run as {user}. They have not been touched.",
                folder=folder,
                owners=owners,
                user=account.name,
            ),
            say(
                "Ask an administrator of this machine to run: chown -R {uid}:{gid} '{folder}'",
                uid=account.uid,
                gid=account.gid,
                folder=folder,
            ),
        )


def _strangers(folder: Path, account: Account) -> set[int]:
    found = {folder.stat().st_uid}
    if found == {account.uid}:
        for parent in (folder, folder / "global"):
            try:
                with os.scandir(parent) as entries:
                    found |= {entry.stat(follow_symlinks=False).st_uid for entry in entries}
            except OSError:
                continue
    return found - {account.uid}


def _hand_over(folder: Path, account: Account) -> None:
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(os.path.join(parent, name), account.uid, account.gid, follow_symlinks=False)
    # Last, so that a hand-over that was cut short is taken up again.
    os.chown(folder, account.uid, account.gid)


def close_to_others(folder: Path) -> None:
    """Give the folder the mode PostgreSQL insists on. Raises DefiniteError where it cannot be."""
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode == 0o700:
        return
    try:
        folder.chmod(0o700)
    except OSError as error:
        why = say("its permissions cannot be set ({reason})", reason=oserrors.why(error))
        raise unsuitable(folder, why) from error
    if stat.S_IMODE(folder.stat().st_mode) != 0o700:
        raise unsuitable(folder, say("it does not keep file permissions"))
    log.warning("%s was open to others (mode %04o); it is private again", folder, mode)


def unsuitable(folder: Path, why: str) -> DefiniteError:
    """What to tell of a file system that cannot hold a database."""
    return DefiniteError(
        "folder-unsuitable",
        say(
            "The folder {folder} cannot hold a database: {why}. This is usual for folders "
            "shared with the host computer or over a network. Nothing has been lost.",
            folder=folder,
            why=why,
        ),
        say(
            "Declare a `data_dir` on the machine's own disk for this service (or set VCE_DATA_DIR)."
        ),
    )


def check_contents(folder: Path) -> str:
    """The PG_VERSION of a data folder whose main parts are there and whole.

    Raises DefiniteError (``data-corrupt``): the hint is the same for all, a backup.
    """
    if not holds_cluster(folder):
        raise DefiniteError(
            "data-corrupt",
            say(
                "{folder} holds files that are no PostgreSQL databases. They have been left alone.",
                folder=folder,
            ),
            say("Move them away, or declare another `data_dir` for this service."),
        )
    try:
        version = (folder / "PG_VERSION").read_text("ascii", "replace").strip()
    except OSError as error:
        raise _unreadable(folder, "PG_VERSION", error) from error
    if not _VERSION.fullmatch(version):
        raise _corrupt(folder, say("PG_VERSION does not name a version"))
    try:
        control = (folder / "global/pg_control").read_bytes()
    except OSError as error:
        raise _unreadable(folder, "global/pg_control", error) from error
    if not control_is_whole(control):
        raise _corrupt(folder, say("global/pg_control is damaged"))
    for part in ("base", "pg_wal"):
        if not (folder / part).is_dir():
            raise _corrupt(folder, say("{part} is missing", part=part))
    for part in ("postgresql.conf", "pg_hba.conf"):
        if not (folder / part).is_file():
            raise _corrupt(folder, say("{part} is missing", part=part))
    return version


def _unreadable(folder: Path, part: str, error: OSError) -> DefiniteError:
    told = say("{part} cannot be read ({reason})", part=part, reason=oserrors.why(error))
    return _corrupt(folder, told)


def _corrupt(folder: Path, what: str) -> DefiniteError:
    return DefiniteError(
        "data-corrupt",
        say(
            "The databases in {folder} are damaged: {what}. Nothing has been changed.",
            folder=folder,
            what=what,
        ),
        say(
            "Keep a copy of that folder, then restore your newest backup. If you have "
            "none, ask for help before anything else: much can often be saved."
        ),
    )


def control_is_whole(content: bytes) -> bool:
    """Whether the bytes of a ``pg_control`` file agree with the CRC-32C they carry.

    Where in the file it stands differs from release to release, so every place is tried: that one
    of them agrees by chance is one in millions.
    """
    if len(content) < 512:
        return False
    crc = 0xFFFFFFFF
    for place in range(0, 1024, 4):
        if place >= 64 and struct.unpack_from("=I", content, place)[0] == crc ^ 0xFFFFFFFF:
            return True
        for byte in content[place : place + 4]:
            crc = _CRC_TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return False


def _crc_row(value: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value


_CRC_TABLE = tuple(map(_crc_row, range(256)))


def check_writable(folder: Path) -> None:
    """Refuse a folder on a disk that takes no files, or a full one. The folder must exist."""
    found = os.statvfs(folder)
    if found.f_flag & os.ST_RDONLY:
        raise unwritable(folder, say("the file system is read-only"))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise unwritable(folder, say("its permissions do not allow it"))
    check_space(folder, _SPACE_TO_START)


def check_space(folder: Path, wanted: int) -> None:
    """Raise DefiniteError (``disk-full``) unless ``wanted`` bytes are free beside ``folder``."""
    free = shutil.disk_usage(folder).free
    if free < wanted:
        raise _disk_full(
            say(
                "The disk that holds {folder} is full: {free:.0f} MB are free, {wanted:.0f} MB are "
                "needed. Your databases are safe.",
                folder=folder,
                free=free / 1e6,
                wanted=wanted / 1e6,
            )
        )


def unwritable(folder: Path, why: str) -> DefiniteError:
    """What to tell of a folder that cannot be written to."""
    return DefiniteError(
        "data-unwritable",
        say(
            "The folder {folder} cannot be written to: {why}. Nothing has been touched.",
            folder=folder,
            why=why,
        ),
        say(
            "Make it writable for the user Jupyter runs as, or declare another `data_dir` "
            "for this service (or set VCE_DATA_DIR)."
        ),
    )


def disk_full(folder: Path) -> DefiniteError:
    """What to tell of a full disk."""
    return _disk_full(
        say("The disk that holds {folder} is full. Your databases are safe.", folder=folder)
    )


def _disk_full(message: str) -> DefiniteError:
    return DefiniteError(
        "disk-full",
        message,
        say(
            "Free some space (empty the bin, delete large files you do not need), then start again."
        ),
    )

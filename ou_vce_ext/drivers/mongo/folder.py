"""What must be so of the folders before a mongod is let near them. Blocks; for a thread."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import socket
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from ...errors import DataInUseError, VceError
from ...oserrors import why
from ...sentences import say
from ...services.private_files import SAFE, explain, make_private_folder, sync_folder, wrong_owner
from ..identity import Account
from ..lock_file import held, try_lock

ROOM_TO_CREATE: Final = 150_000_000
"""Bytes a first start needs: 65 MB of journal and tables, and some to work with."""
ROOM_TO_START: Final = 70_000_000
"""Bytes a later start needs: WiredTiger prepares new journal files."""

FIRST_START: Final = "vce-first-start"
"""A file of ours in a folder in which no mongod has ever answered: nothing in it is anybody's."""

_CORE: Final = ("WiredTiger", "WiredTiger.wt", "WiredTiger.turtle")
_SIGNS: Final = (*_CORE, "storage.bson", "_mdb_catalog.wt", "sizeStorer.wt")


def lock_file_for(folder: Path) -> Path:
    """The file whose lock says that ``folder`` is in use; a keeper holds it while a mongod runs."""
    return folder.with_name(folder.name + ".lock")


def lock_is_free(folder: Path) -> bool:
    """Whether no keeper, and no other Jupyter, works on ``folder``."""
    with held(lock_file_for(folder)) as alone:
        return alone


def make_sockets_folder(folder: Path, port: int, account: Account) -> None:
    """Make the folder of the socket, ``account``'s alone, and prove that it takes one.

    Raises VceError (``folder-unsuitable`` and those of a private folder).
    """
    make_private_folder(folder)
    # As long a name as the real one: a path that is too long is refused here, by the same rule.
    trial = folder / f"mongodb-{port}.test"
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            if folder.stat().st_uid != account.uid:
                os.chown(folder, account.uid, account.gid)
            trial.unlink(missing_ok=True)
            probe.bind(str(trial))
        except OSError as error:
            raise VceError(
                "folder-unsuitable",
                say(
                    "The folder {folder} cannot hold MongoDB's socket: {reason}. {safe}",
                    folder=folder,
                    reason=why(error),
                    safe=SAFE,
                ),
                say(
                    "Set VCE_RUNTIME_DIR to a folder of your own with a short name, on a Linux "
                    "file system, and restart Jupyter."
                ),
            ) from error
        finally:
            trial.unlink(missing_ok=True)


def is_void(folder: Path) -> bool:
    """Whether there are no databases in ``folder``, not even ones being made. Raises VceError."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return True
    except OSError as error:
        raise explain(error, folder) from error
    return not {*_SIGNS, FIRST_START}.intersection(names)


def make_ready(folder: Path, account: Account) -> None:
    """Prove that ``account`` can keep databases in ``folder``; make it where it is missing.

    Databases that are there are never changed. Raises VceError with the reason and the cure. May
    be cut at any moment and called again. A run before this one that is still ending is no fault:
    whoever launches waits for its lock.
    """
    make_private_folder(folder)
    try:
        with held(lock_file_for(folder)) as alone:
            if alone:
                _refuse_running(folder)
                _try_file(folder)
                _check_contents(folder, account)
    except OSError as error:
        raise explain(error, folder) from error


def forget_first_start(folder: Path) -> None:
    """From now on the folder may hold a student's work. Raises VceError."""
    try:
        (folder / FIRST_START).unlink(missing_ok=True)
        sync_folder(folder)
    except OSError as error:
        raise explain(error, folder) from error


def _check_contents(folder: Path, account: Account) -> None:
    names = {entry.name for entry in os.scandir(folder)}
    if FIRST_START in names:
        _empty(folder)
        names = set()
    found = names.intersection(_SIGNS)
    if found:
        _check_data(folder, names, account)
    elif strangers := [name for name in names if not _is_harmless(name)]:
        raise VceError(
            "folder-unsuitable",
            say(
                "{folder} is not empty and holds no MongoDB databases (but {file}, for "
                "example). Its files have been left alone.",
                folder=folder,
                file=min(strangers),
            ),
            say("Move them away, or declare another `data_dir` for this service."),
        )
    _check_room(folder, ROOM_TO_START if found else ROOM_TO_CREATE)
    if not found:
        (folder / FIRST_START).touch(mode=0o600)


def _is_harmless(name: str) -> bool:
    return name.startswith(".") or name in ("lost+found", "mongod.lock")


def _check_data(folder: Path, names: set[str], account: Account) -> None:
    """Refuse what a mongod would misread: without some files it makes new, empty databases."""
    for name in _CORE:
        if name not in names:
            raise VceError(
                "data-corrupt",
                say(
                    "The databases in {folder} are damaged: the file {file} is missing. Nothing "
                    "has been changed.",
                    folder=folder,
                    file=name,
                ),
                say(
                    "Keep a copy of that folder, then restore your newest backup. If you have "
                    "none, ask for help before anything else: much can often be saved."
                ),
            )
    for entry in _all_entries(folder):
        owner = entry.stat(follow_symlinks=False).st_uid
        if os.geteuid() == 0 and owner == 0 != account.uid:
            # What a Jupyter of root's left in another user's folder.
            os.chown(entry.path, account.uid, account.gid, follow_symlinks=False)
        elif os.geteuid() and not os.access(entry.path, os.R_OK | os.W_OK):
            raise wrong_owner(Path(entry.path), owner)


def _all_entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    for entry in os.scandir(folder):
        yield entry
        if entry.is_dir(follow_symlinks=False):
            yield from _all_entries(Path(entry.path))


def _refuse_running(folder: Path) -> None:
    """Refuse a folder that a mongod which is not ours has open: it locks a file of its own."""
    try:
        descriptor = os.open(folder / "mongod.lock", os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return
    try:
        if try_lock(descriptor):
            return
        text = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
    finally:
        os.close(descriptor)
    holder = {"pid": int(text), "program": "mongod"} if text.isdecimal() else {}
    raise DataInUseError(
        say(
            "A MongoDB server that is not ours (process {pid}) already runs on the databases in "
            "{folder}. Nothing has been touched.",
            pid=text,
            folder=folder,
        )
        if holder
        else say(
            "A MongoDB server that is not ours already runs on the databases in {folder}. Nothing "
            "has been touched.",
            folder=folder,
        ),
        say(
            "Stop that server first, or, if it is meant to run, declare this service with "
            "`external = true` so that it is used instead."
        ),
        holder,
    )


def _try_file(folder: Path) -> None:
    """Write a small file the way a database does, and see that it is kept as it must be."""
    path = folder / f".vce-test-{secrets.token_hex(4)}"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, bytes(4096))
        os.fsync(descriptor)
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
            message = say(
                "The file system of {folder} cannot make sure that data is written, as databases "
                "need. {safe}",
                folder=folder,
                safe=SAFE,
            )
            raise _unsuitable(message) from error
        raise
    finally:
        os.close(descriptor)
        with suppress(OSError):
            path.unlink()
    if mode & 0o077:
        raise _unsuitable(
            say(
                "The file system of {folder} cannot keep a file closed to other users, as "
                "databases need. {safe}",
                folder=folder,
                safe=SAFE,
            )
        )


def _unsuitable(message: str) -> VceError:
    return VceError(
        "folder-unsuitable",
        message,
        say("Declare a `data_dir` on a Linux file system for this service, or set VCE_DATA_DIR."),
    )


def _check_room(folder: Path, wanted: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < wanted:
        raise VceError(
            "disk-full",
            say(
                "There are {free:.0f} MB free on the disk that holds {folder}, and MongoDB "
                "needs {wanted:.0f} MB to start. Your databases are safe.",
                free=free / 1e6,
                folder=folder,
                wanted=wanted / 1e6,
            ),
            say("Delete what is not needed, empty the bin, then start the service again."),
        )


def _empty(folder: Path) -> None:
    """Remove what a first start that was cut short has left; the marker stays."""
    for entry in os.scandir(folder):
        if entry.name == FIRST_START or _is_harmless(entry.name):
            continue
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)

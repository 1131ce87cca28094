"""What must be so of the folders before a mongod is let near them. Blocks; for a thread."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from ..errors import DataInUseError, DefiniteError
from ..services.ports import user_name
from .postgres_diagnoses import explain_os_error
from .postgres_files import disk_full, unsuitable, unwritable

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
    with _locked(lock_file_for(folder)) as alone:
        return alone


def make_ready(folder: Path, sockets: Path, port: int) -> None:
    """Prove that ``folder`` can hold the databases and ``sockets`` the socket; make both.

    Databases that are there are never changed. Raises DefiniteError with the reason and the cure.
    May be cut at any moment and called again. A run before this one that is still ending is no
    fault: whoever launches waits for its lock.
    """
    try:
        _make(folder)
        _make(sockets)
        _close_to_others(sockets)
        _try_socket(sockets, port)
        with _locked(lock_file_for(folder)) as alone:
            if alone:
                _check_contents(folder)
    except OSError as error:
        raise explain_os_error(error, folder) from error


def forget_first_start(folder: Path) -> None:
    """From now on the folder may hold a student's work. Raises DefiniteError."""
    try:
        (folder / FIRST_START).unlink(missing_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            # Some file systems know no fsync of a folder; its files' fsync was proven before.
            with suppress(OSError):
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise explain_os_error(error, folder) from error


def _make(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise DefiniteError(
            "data-unwritable",
            f"{folder} should be a folder, and is a file. It has been left alone.",
            "Move it away, or declare another `data_dir` for this service.",
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _close_to_others(folder: Path) -> None:
    """Make a folder of ours private where it is open to others."""
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        folder.chmod(0o700)
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        raise unsuitable(folder, "it does not keep file permissions")


def _try_socket(folder: Path, port: int) -> None:
    # As long a name as the real one: a path that is too long is refused here, by the same rule.
    trial = folder / f"mongodb-{port}.test"
    trial.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.bind(str(trial))
        except OSError as error:
            raise DefiniteError(
                "folder-unsuitable",
                f"The folder {folder} cannot hold MongoDB's socket ({error.strerror or error}). "
                "Your databases have not been touched.",
                "Set VCE_RUNTIME_DIR, or XDG_RUNTIME_DIR, to a short path on this machine's own "
                "disk.",
            ) from error
        finally:
            trial.unlink(missing_ok=True)


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Hold a keeper's lock while looking; False where a keeper, or another Jupyter, holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        yield _try_lock(descriptor)
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # Some network folders know no locks: MongoDB's own check must do there.
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES)
    return True


def _check_contents(folder: Path) -> None:
    _refuse_running(folder)
    _try_file(folder)
    _close_to_others(folder)
    names = {entry.name for entry in os.scandir(folder)}
    if FIRST_START in names:
        _empty(folder)
        names = set()
    found = names.intersection(_SIGNS)
    if found:
        _check_data(folder, names)
    elif strangers := [name for name in names if not _is_harmless(name)]:
        raise DefiniteError(
            "folder-unsuitable",
            f"{folder} is not empty and holds no MongoDB databases (but {sorted(strangers)[0]}, "
            "for example). Its files have been left alone.",
            "Move them away, or declare another `data_dir` for this service.",
        )
    _check_room(folder, ROOM_TO_START if found else ROOM_TO_CREATE)
    if not found:
        (folder / FIRST_START).touch(mode=0o600)


def _is_harmless(name: str) -> bool:
    return name.startswith(".") or name in ("lost+found", "mongod.lock")


def _check_data(folder: Path, names: set[str]) -> None:
    """Refuse what a mongod would misread: without some files it makes a new, empty database."""
    for name in _CORE:
        if name not in names:
            raise DefiniteError(
                "data-corrupt",
                f"The databases in {folder} are damaged: the file {name} is missing. Nothing has "
                "been changed.",
                "Keep a copy of that folder, then restore your newest backup. If you have none, "
                "ask for help before anything else: much can often be saved.",
            )
    for entry in os.scandir(folder):
        if not os.access(entry.path, os.R_OK | os.W_OK):
            raise _wrong_owner(folder, entry.stat(follow_symlinks=False).st_uid)


def _wrong_owner(folder: Path, uid: int) -> DefiniteError:
    us = os.geteuid()
    return DefiniteError(
        "data-wrong-owner",
        f"The databases in {folder} belong to {user_name(uid)}, in whole or in part, and MongoDB "
        f"would run as {user_name(us)}. They have not been touched.",
        f"Ask an administrator of this machine to run: chown -R {us}:{os.getegid()} '{folder}'",
    )


def _refuse_running(folder: Path) -> None:
    """Refuse a folder that a mongod which is not ours has open: it locks a file of its own."""
    path = folder / "mongod.lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return
    try:
        if _try_lock(descriptor):
            return
        text = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
    finally:
        os.close(descriptor)
    holder = {"pid": int(text), "program": "mongod"} if text.isdecimal() else {}
    raise DataInUseError(
        f"A MongoDB server that is not ours{f' (process {text})' if holder else ''} already runs "
        f"on the databases in {folder}. Nothing has been touched.",
        "Stop that server first, or, if it is meant to run, declare this service with "
        "`external = true` so that it is used instead.",
        holder,
    )


def _try_file(folder: Path) -> None:
    """Write a small file the way a database does, and see that it is kept as it must be."""
    path = folder / f".vce-test-{secrets.token_hex(4)}"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM) and not _is_ours(folder):
            raise _wrong_owner(folder, folder.stat().st_uid) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise unwritable(folder, os.strerror(error.errno)) from error
        raise
    try:
        os.write(descriptor, b"x" * 4096)
        os.fsync(descriptor)
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
        owner = os.fstat(descriptor).st_uid
    finally:
        os.close(descriptor)
        path.unlink(missing_ok=True)
    if mode & 0o077:
        raise unsuitable(folder, "it does not keep file permissions")
    # A file system that maps owners shows the folder's own for what we make: then all is well.
    if owner != folder.stat().st_uid:
        raise _wrong_owner(folder, folder.stat().st_uid)


def _is_ours(folder: Path) -> bool:
    return folder.stat().st_uid == os.geteuid()


def _check_room(folder: Path, wanted: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < wanted:
        raise disk_full(folder, f"{free / 1e6:.0f} MB are free, {wanted / 1e6:.0f} MB are needed")


def _empty(folder: Path) -> None:
    """Remove what a first start that was cut short has left: our marker last."""
    for entry in os.scandir(folder):
        if entry.name == FIRST_START or _is_harmless(entry.name):
            continue
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)

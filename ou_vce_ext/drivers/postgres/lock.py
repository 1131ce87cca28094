"""Who has a data folder open: PostgreSQL's own ``postmaster.pid``, and our lock beside it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import DataInUseError
from ...sentences import say
from ..lock_file import held, lock_is_free

__all__ = ["check_postmaster_file", "folder_locked", "lock_file_for", "lock_is_free"]

_NAMES = ("postgres", "postmaster", "postgres.exe")
_CLOCK_SLACK = 5.0
log = logging.getLogger(__name__)


def lock_file_for(folder: Path) -> Path:
    """The file whose lock says that ``folder`` is in use; a keeper holds it while a server runs."""
    return folder.with_name(folder.name + ".lock")


@contextmanager
def folder_locked(folder: Path) -> Iterator[bool]:
    """Hold the lock of ``folder`` while its files are looked at or made.

    Gives False where somebody holds it already: a server, or another Jupyter that makes the folder.
    """
    with held(lock_file_for(folder)) as alone:
        yield alone


def check_postmaster_file(folder: Path, uid: int) -> int | None:
    """Prove that no server of user ``uid`` runs on ``folder``.

    A crash leaves ``postmaster.pid`` behind. PostgreSQL sees by itself that a dead process's file
    is stale, but a number that has gone to a stranger since, or an empty file, makes it refuse.
    Returns such a stranger's pid, which PostgreSQL is to disregard (PG_GRANDPARENT_PID); an empty
    file is moved aside. Raises :class:`~ou_vce_ext.errors.DataInUseError` for a live server, and
    where nobody can know.
    """
    path = folder / "postmaster.pid"
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return None
    try:
        pid = abs(int(lines[0]))
    except (IndexError, ValueError):
        _move_unreadable_aside(folder, path, uid)
        return None
    started = float(lines[2]) if len(lines) > 2 and lines[2].strip().isdigit() else None
    return _judge(folder, pid, uid, started)


def _judge(folder: Path, pid: int, uid: int, started: float | None) -> int | None:
    import psutil

    try:
        process = psutil.Process(pid)
        owner, name, born = process.uids().real, process.name(), process.create_time()
    except psutil.NoSuchProcess:
        return None
    if owner != uid:
        # A server runs as the owner of its folder; PostgreSQL itself passes over other users'.
        return None
    if name not in _NAMES:
        return pid
    try:
        where = process.cwd()
    except psutil.ZombieProcess:
        return pid
    except psutil.NoSuchProcess:
        return None
    except psutil.AccessDenied:
        # A server writes this file right after it started: one born later is another.
        if started is not None and born > started + _CLOCK_SLACK:
            return pid
        where = str(folder)
    if _same_folder(where, folder):
        raise _running(folder, pid)
    return pid


def _same_folder(first: str, second: Path) -> bool:
    try:
        return os.path.samefile(first, second)
    except OSError:
        return os.path.realpath(first) == os.path.realpath(second)


def _running(folder: Path, pid: int) -> DataInUseError:
    return DataInUseError(
        say(
            "A PostgreSQL server that is not ours (process {pid}) already runs on the "
            "databases in {folder}. Nothing has been touched.",
            pid=pid,
            folder=folder,
        ),
        say(
            "Stop that server first, or, if it is meant to run, declare this service with "
            "`external = true` so that it is used instead."
        ),
        {"pid": pid, "program": "postgres"},
    )


def _move_unreadable_aside(folder: Path, path: Path, uid: int) -> None:
    """Out of the way with a ``postmaster.pid`` that says nothing, once nobody can be its author."""
    import psutil

    for process in psutil.process_iter(["name", "cwd", "uids", "status"]):
        # One that has ended and is not collected yet has no folder any more, and no files open.
        if process.info["name"] not in _NAMES or process.info["status"] in (
            psutil.STATUS_ZOMBIE,
            psutil.STATUS_DEAD,
        ):
            continue
        where, uids = process.info["cwd"], process.info["uids"]
        if where is None and uids is not None and uids.real == uid:
            raise _running(folder, process.pid)
        if where is not None and _same_folder(where, folder):
            raise _running(folder, process.pid)
    os.replace(path, folder / "postmaster.pid.unreadable")
    log.warning("moved aside %s, which said nothing: no server runs on that folder", path)

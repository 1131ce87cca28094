"""What must be so of the projects folder before an OpenRefine is let near it. Blocks."""

from __future__ import annotations

import errno
import os
import shlex
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from ...errors import DataInUseError, DefiniteError, VceError
from ...listing import listed
from ...sentences import say, say_many
from ...services.ports import user_name
from ...services.private_files import SAFE, explain, make_folder
from ..lock_file import lock_is_free

ROOM_TO_START: Final = 50_000_000
"""Bytes that must be free: with less, the next save would fail, and nobody would see it."""
_WORKSPACE: Final = ("workspace.json", "workspace.old.json", "workspace.temp.json")
_MOST_NAMED: Final = 3


def lock_file_for(folder: Path) -> Path:
    """The file whose lock says that ``folder`` is in use; OpenRefine has none of its own.

    It lies inside, so that whoever reaches the folder by another way finds it as well.
    """
    return folder / ".openrefine.lock"


def make_ready(folder: Path) -> None:
    """Prove that projects can be kept in ``folder``; make it where it is missing.

    What is in it is never changed. Raises VceError with the reason and the cure. A run before this
    one that is still ending is no fault: whoever launches waits for its lock.
    """
    try:
        make_folder(folder)
        _check_access(folder)
        _check_room(folder)
    except OSError as error:
        raise explain(error, folder) from error
    if lock_is_free(lock_file_for(folder)):
        _refuse_running(folder)


def _check_access(folder: Path) -> None:
    """Refuse what could not be saved to: OpenRefine fails to save without saying so."""
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))
    closed = list(_closed(folder))
    if not closed:
        return
    uids = {path.stat().st_uid for path in closed}
    owners = sorted(map(user_name, uids))
    named: str = ", ".join(path.name for path in closed[:_MOST_NAMED])
    if len(closed) > _MOST_NAMED:
        more = len(closed) - _MOST_NAMED
        named = say_many("{names} and {count} more", "{names} and {count} more", more, names=named)
    if uids != {os.geteuid()}:
        me = user_name(os.geteuid()).removeprefix("uid ")
        raise DefiniteError(
            "data-wrong-owner",
            say(
                "OpenRefine could not save here: in {folder}, these belong to {owners}: "
                "{named}. {safe}",
                folder=folder,
                owners=listed(owners),
                named=named,
                safe=SAFE,
            ),
            say(
                "An administrator of this machine can give them back: chown -R {user} {folder}",
                user=me,
                folder=shlex.quote(str(folder)),
            ),
        )
    raise DefiniteError(
        "data-unwritable",
        say(
            "OpenRefine could not save here: in {folder}, these may not be written to: "
            "{named}. {safe}",
            folder=folder,
            named=named,
            safe=SAFE,
        ),
        say("In a terminal: chmod -R u+rwX {folder}", folder=shlex.quote(str(folder))),
    )


def _closed(folder: Path) -> Iterator[Path]:
    """What OpenRefine could not save, among its own files and the projects' folders."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name in _WORKSPACE:
                wanted = os.R_OK | os.W_OK
            elif entry.name.endswith(".project") and entry.is_dir():
                wanted = os.R_OK | os.W_OK | os.X_OK
            else:
                continue
            if not os.access(entry.path, wanted):
                yield Path(entry.path)


def _check_room(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < ROOM_TO_START:
        raise VceError(
            "disk-full",
            say(
                "The disk that holds {folder} is nearly full: {free:.0f} MB are free, and "
                "with less than {least:.0f} MB OpenRefine could not save your work. {safe}",
                folder=folder,
                free=free / 1e6,
                least=ROOM_TO_START / 1e6,
                safe=SAFE,
            ),
            say("Delete large files you do not need, empty the bin, then start OpenRefine again."),
        )


def _refuse_running(folder: Path) -> None:
    """Refuse a folder that an OpenRefine started by hand works on: two would spoil each other's."""
    pid = _started_by_hand(folder)
    if pid is not None:
        raise DataInUseError(
            say(
                "Another OpenRefine (process {pid}), not started by JupyterLab, has the "
                "projects in {folder} open. They are safe.",
                pid=pid,
                folder=folder,
            ),
            say(
                "Close that one first, then start this again: two at a time would spoil the "
                "projects."
            ),
            {"pid": pid, "program": "openrefine"},
        )


def _started_by_hand(folder: Path) -> int | None:
    """The process of an OpenRefine on ``folder``, as far as we may see into others' processes."""
    try:
        pids = [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return None
    wanted = os.path.realpath(folder)
    for pid in pids:
        with suppress(OSError):
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if b"com.google.refine.Refine" not in arguments:
                continue
            for argument in arguments:
                name, _, place = os.fsdecode(argument).partition("=")
                if name != "-Drefine.data_dir" or not place:
                    continue
                if os.path.realpath(os.path.join(f"/proc/{pid}/cwd", place)) == wanted:
                    return int(pid)
    return None

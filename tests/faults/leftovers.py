"""What a try may leave behind: no process, no lock, no socket."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from ou_vce_ext.services import proc

MARK = "FAULT_TRY"
"""The variable that everything a try starts has in its environment."""


def leftovers(mark: str, folder: Path) -> list[str]:
    """Whatever is left of what was started with ``mark`` and kept its files in ``folder``."""
    return [*marked(mark, folder), *held_files(folder)]


def marked(mark: str, folder: Path) -> Iterator[str]:
    """Each living process that has ``mark`` in its environment or works in ``folder``, in words.

    A PostgreSQL process writes its title over its environment, and stays in the folder of its data.
    """
    for pid in living(mark, folder):
        command = _read(str(pid), "cmdline").replace(b"\0", b" ").decode("utf-8", "replace")
        yield f"process {pid} ({command.strip()[:100]})"


def living(mark: str, folder: Path | None = None) -> Iterator[int]:
    """The id of each living process that has ``mark`` in its environment or works in ``folder``."""
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        found = proc.stat(int(name))
        if found is None or found.state in "ZX":
            continue
        if has_mark(int(name), mark) or (folder and _works_in(name, folder)):
            yield int(name)


def has_mark(pid: int, mark: str) -> bool:
    """Whether a process has ``mark`` in its environment."""
    return f"{MARK}={mark}\0".encode() in _read(str(pid), "environ") + b"\0"


def _read(pid: str, file: str) -> bytes:
    try:
        with open(f"/proc/{pid}/{file}", "rb") as opened:
            return opened.read()
    except OSError:
        return b""


def _works_in(pid: str, folder: Path) -> bool:
    try:
        return Path(os.readlink(f"/proc/{pid}/cwd")).is_relative_to(folder)
    except OSError:
        return False


def held_files(folder: Path) -> Iterator[str]:
    """Each lock that is still held below ``folder``, and each socket, in words."""
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            try:
                mode = path.lstat().st_mode
            except OSError:
                continue
            if stat.S_ISSOCK(mode):
                yield f"the socket {path}"
            elif (
                name.endswith(".lock") and stat.S_ISREG(mode) and _is_locked(path)
            ) or name == "postmaster.pid":
                yield f"the lock {path}"


def _is_locked(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False

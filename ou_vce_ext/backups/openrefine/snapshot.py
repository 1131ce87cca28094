"""One project as it was at one moment, though OpenRefine goes on writing.

It never writes to a file twice: data and metadata are written aside and renamed, each step of the
history is a file of its own. So links to its files are a picture that stays.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

from ..places import link_or_copy
from ..watch import Watch
from .project import CHANGE, DATA, DESCRIPTIONS, HISTORY

_WHILE_RUNNING: Final = (DATA[0], DESCRIPTIONS[0])
_TRIES: Final = 20


def take_picture(folder: Path, into: Path, watch: Watch, *, running: bool) -> bool:
    """Link the files of the project in ``folder`` into ``into``, which is made.

    False where it kept moving meanwhile: ``into`` is then not there. Raises OSError.
    """
    (into / HISTORY).mkdir(parents=True)
    # While it runs, the other names are those of files it has not finished.
    names = _WHILE_RUNNING if running else (*DATA, *DESCRIPTIONS)
    for _ in range(_TRIES):
        watch.raise_if_cancelled()
        before = _look(folder, names)
        _link(folder, into, names)
        if before == _look(folder, names):
            return True
        for path in into.glob("*"):
            if path.is_file():
                path.unlink()
    return False


def _look(folder: Path, names: tuple[str, ...]) -> list[tuple[int, int, int] | None]:
    """What changes when one of the files is replaced."""
    seen: list[tuple[int, int, int] | None] = []
    for name in names:
        try:
            status = (folder / name).stat()
            seen.append((status.st_ino, status.st_size, status.st_mtime_ns))
        except FileNotFoundError:
            seen.append(None)
    return seen


def _link(folder: Path, into: Path, names: tuple[str, ...]) -> None:
    for name in names:
        with suppress(FileNotFoundError):
            link_or_copy(folder / name, into / name)
    try:
        steps = [path for path in (folder / HISTORY).iterdir() if CHANGE.fullmatch(path.name)]
    except FileNotFoundError:
        return
    for step in steps:
        # One that is gone again was undone, and then something else was done instead.
        with suppress(FileNotFoundError, FileExistsError):
            link_or_copy(step, into / HISTORY / step.name)

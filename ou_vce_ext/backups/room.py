"""Whether there is room for what is about to be written, said before anything is."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from ..errors import VceError
from ..listing import listed
from ..oserrors import why
from ..sentences import in_turn, say
from ..sizes import in_words

RESERVE: Final = 64 * 1024 * 1024
"""Bytes that are left free whatever happens: a database on a full disk cannot even stop well."""
_MARGIN: Final = 1.1
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT)


def free_bytes(place: Path) -> int:
    """The room where ``place`` is or will be made. Blocks; raises OSError."""
    there = next(folder for folder in (place, *place.parents) if folder.exists())
    figures = os.statvfs(there)
    return figures.f_bavail * figures.f_frsize


def require(needs: Iterable[tuple[str, Path, int | None]]) -> None:
    """Raise VceError (``disk-full``) unless there is room: what for, where, how many bytes.

    What is to go on the same file system is added up. Unknown sizes need the reserve alone. Blocks;
    a file system that cannot be asked is not judged.
    """
    wanted: dict[int, int] = {}
    words: dict[int, list[str]] = {}
    places: dict[int, Path] = {}
    for what, place, size in needs:
        try:
            there = next(folder for folder in (place, *place.parents) if folder.exists())
            device = there.stat().st_dev
        except OSError:
            continue
        wanted[device] = wanted.get(device, 0) + int((size or 0) * _MARGIN)
        words.setdefault(device, []).append(what)
        places[device] = there
    for device, size in wanted.items():
        try:
            free = free_bytes(places[device])
        except OSError:
            continue
        if free < size + RESERVE:
            raise VceError(
                "disk-full",
                say(
                    "There is not enough room on the disk for {names}: about {size} is needed, and "
                    "{free} is free. Nothing was changed, and the backups you have are as they "
                    "were.",
                    names=listed(words[device]),
                    size=in_words(size + RESERVE),
                    free=in_words(free),
                ),
                say(
                    "Delete what is not needed (old backups among it), empty the bin, then try "
                    "again."
                ),
            )


def is_full(error: OSError) -> bool:
    """Whether it tells of a full disk, or a quota that is used up."""
    return error.errno in _NO_ROOM


def explained(error: OSError, what: str) -> VceError:
    """Why ``what`` (such as ``the backup``) could not be written, and that nothing else is hurt."""
    if is_full(error):
        return VceError(
            "disk-full",
            say(
                "The disk (or your quota) became full while {what} was being written. What had "
                "been written of it is gone again; your data and the backups you have are as "
                "they were.",
                what=what,
            ),
            say("Delete what is not needed, empty the bin, then try again."),
        )
    reason = why(error)
    if error.filename:
        reason = say("{reason} ({path})", reason=reason, path=str(error.filename))
    told = say(
        "{what} could not be written: {reason}. Your data and the backups you have are as they "
        "were.",
        what=what,
        reason=reason,
    )
    return VceError(
        "data-unwritable",
        in_turn(lambda words: words[:1].upper() + words[1:], told),
        say("Check the disk and who owns the folder backups, then try again."),
    )

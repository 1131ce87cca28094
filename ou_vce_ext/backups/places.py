"""Folders of ours beside the data folder: hidden, since students look around there."""

from __future__ import annotations

import glob
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..services.private_files import hand_over
from . import scratch


def new_place(data: Path) -> Path:
    """A name for a folder on the same file system as ``data``. It is not made."""
    tag = secrets.token_hex(3)
    return data.with_name(f".{data.name}{scratch.MARK}{tag}")


def make(place: Path) -> Path:
    """Make a folder, closed to others. Raises OSError."""
    place.mkdir(mode=0o700, parents=True)
    hand_over(place, place.parent)
    return place


@contextmanager
def passing(data: Path) -> Iterator[Path]:
    """A folder that is there for as long as the block. Blocks; raises OSError."""
    place = make(new_place(data))
    try:
        yield place
    finally:
        remove(place)


def take_after(place: Path, live: Path) -> None:
    """Give a folder that is to stand in for ``live`` its mode, or a new one's. Raises OSError."""
    try:
        mode = stat.S_IMODE(live.stat().st_mode)
    except FileNotFoundError:
        mask = os.umask(0o022)
        os.umask(mask)
        mode = 0o777 & ~mask
    place.chmod(mode)


def remove(place: Path) -> None:
    """Remove a folder of ours and all in it. Blocks; never raises."""
    if scratch.MARK in place.name:
        shutil.rmtree(place, ignore_errors=True)


def left_behind(data: Path) -> list[Path]:
    """Folders of ours that work which was cut off has left."""
    try:
        return list(data.parent.glob(f".{_literal(data.name)}{scratch.MARK}*"))
    except OSError:
        return []


def link_or_copy(source: Path, target: Path) -> None:
    """Have the same content at ``target``, at no cost where that can be. Raises OSError.

    For files that OpenRefine never writes to twice: it puts new ones in their place.
    """
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        # This file system has no such links, or it is another one.
        shutil.copyfile(source, target)


def _literal(name: str) -> str:
    return glob.escape(name)

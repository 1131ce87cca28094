"""Folders of ours beside the projects folder: hidden, since students look around there."""

from __future__ import annotations

import glob
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...services.private_files import hand_over
from .. import scratch


def new_place(projects: Path) -> Path:
    """A name for a folder on the same file system as ``projects``. It is not made."""
    tag = secrets.token_hex(3)
    return projects.with_name(f".{projects.name}{scratch.MARK}{tag}")


def make(place: Path) -> Path:
    """Make a folder, closed to others. Raises OSError."""
    place.mkdir(mode=0o700, parents=True)
    hand_over(place, place.parent)
    return place


@contextmanager
def passing(projects: Path) -> Iterator[Path]:
    """A folder that is there for as long as the block. Blocks; raises OSError."""
    place = make(new_place(projects))
    try:
        yield place
    finally:
        remove(place)


def remove(place: Path) -> None:
    """Remove a folder of ours and all in it. Blocks; never raises."""
    if scratch.MARK in place.name:
        shutil.rmtree(place, ignore_errors=True)


def left_behind(projects: Path) -> list[Path]:
    """Folders of ours that work which was cut off has left."""
    try:
        return list(projects.parent.glob(f".{_literal(projects.name)}{scratch.MARK}*"))
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

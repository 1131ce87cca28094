"""A project as one file: the archive that OpenRefine's own export makes, and its import reads."""

from __future__ import annotations

import errno
import gzip
import tarfile
from pathlib import Path
from typing import BinaryIO, Final, Protocol, cast

from ...sentences import say
from ..watch import Watch
from ..writer import BLOCK
from .project import HISTORY, Project

SUFFIX: Final = ".openrefine.tar.gz"
_QUICK: Final = 1
"""What is inside is packed already."""


class Writable(Protocol):
    """Takes bytes."""

    def write(self, block: bytes, /) -> int:
        """Add ``block``."""


def pack(
    project: Project,
    to: Writable,
    watch: Watch,
    description: bytes | None = None,
    *,
    mark: str | None = None,
) -> None:
    """Write ``project`` as a project archive. ``description`` takes the place of its own metadata.

    A ``mark`` is the name of an empty file that comes before all else. Raises OSError,
    WorkCancelledError.
    """
    with gzip.GzipFile("", "wb", _QUICK, cast("BinaryIO", to), 0) as packed:
        if mark is not None:
            _header(packed, mark, 0)
        if description is not None:
            _header(packed, "metadata.json", len(description))
            _content(packed, description)
        elif project.description is not None:
            _file(packed, "metadata.json", project.description, watch)
        # Under the name that OpenRefine looks for first, whichever of its own it was read from.
        _file(packed, "data.zip", project.data, watch)
        for step in project.steps:
            _file(packed, f"{HISTORY}/{step.name}", step, watch)
        packed.write(bytes(2 * tarfile.BLOCKSIZE))


def _file(packed: gzip.GzipFile, name: str, path: Path, watch: Watch) -> None:
    size = path.stat().st_size
    _header(packed, name, size, path.stat().st_mtime)
    left = size
    with path.open("rb") as file:
        while left:
            watch.raise_if_cancelled()
            block = file.read(min(BLOCK, left))
            if not block:
                raise OSError(errno.EIO, say("it became shorter while it was read"), str(path))
            packed.write(block)
            left -= len(block)
    packed.write(bytes(-size % tarfile.BLOCKSIZE))


def _content(packed: gzip.GzipFile, content: bytes) -> None:
    packed.write(content + bytes(-len(content) % tarfile.BLOCKSIZE))


def _header(packed: gzip.GzipFile, name: str, size: int, changed: float = 0) -> None:
    info = tarfile.TarInfo(name)
    info.size = size
    info.mode = 0o644
    info.mtime = int(changed)
    packed.write(info.tobuf(tarfile.GNU_FORMAT))

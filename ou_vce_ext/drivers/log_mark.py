"""What one run of a program printed, told from what runs before it did."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, NamedTuple

_READ_BYTES: Final = 65_536


class LogMark(NamedTuple):
    """A place in a log: what stands behind it was printed by one run, and by no run before."""

    path: Path
    inode: int = 0
    size: int = 0

    @classmethod
    def at_end(cls, path: Path) -> LogMark:
        """The present end of ``path``, which need not exist."""
        try:
            status = path.stat()
        except OSError:
            return cls(path)
        return cls(path, status.st_ino, status.st_size)

    def lines(self) -> list[str]:
        """What has been printed since, oldest first: the last 64 kB of it."""
        try:
            with self.path.open("rb") as file:
                status = os.fstat(file.fileno())
                begin = self.size if status.st_ino == self.inode else 0
                file.seek(max(begin, status.st_size - _READ_BYTES))
                return file.read().decode("utf-8", "replace").splitlines()
        except OSError:
            return []

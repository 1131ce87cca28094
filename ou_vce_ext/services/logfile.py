"""A log file that stays bounded, written by a keeper. Standard library only."""

from __future__ import annotations

import os


class BoundedLog:
    """Appends what a service prints; one older file of the same size is kept as ``NAME.1``.

    Both files are opened at once, so that a keeper that has changed its user can still turn them
    over. A full disk loses log lines, never the service.
    """

    def __init__(self, path: str, limit: int, *, owner: tuple[int, int] | None = None) -> None:
        self.limit = limit
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        self._current = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._older = os.open(path + ".1", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if owner:
            os.fchown(self._current, *owner)
            os.fchown(self._older, *owner)
        self._size = os.fstat(self._current).st_size
        self.lost = 0

    def write(self, data: bytes) -> None:
        """Append ``data``; what cannot be written is counted in ``lost`` (bytes)."""
        try:
            if self._size + len(data) > self.limit:
                self._turn_over()
            written = os.write(self._current, data)
            self._size += written
            self.lost += len(data) - written
        except OSError:
            self.lost += len(data)

    def _turn_over(self) -> None:
        position = 0
        try:
            os.ftruncate(self._older, 0)
            while position < self._size:
                block = os.pread(self._current, 1 << 18, position)
                if not block:
                    break
                os.pwrite(self._older, block, position)
                position += len(block)
        finally:
            # Even where the copy fails (no space), the current file must not grow further.
            os.ftruncate(self._current, 0)
            self._size = 0

    def close(self) -> None:
        """Close both files."""
        os.close(self._current)
        os.close(self._older)

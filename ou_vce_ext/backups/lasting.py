"""Having what is written reach the disk bit by bit, so that little is left to be waited for."""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

_EVERY: Final = 64 * 1024 * 1024
"""Bytes after which the disk is told to go on with them."""


class Lasting:
    """Has an open file made to last, in a thread, while more is being written to it.

    A disk's failure may be told only once, to whoever asks first: it is kept for :meth:`finish`.
    """

    def __init__(self, file: int) -> None:
        """For the file with this descriptor; it may be closed meanwhile. Raises OSError."""
        self._file = os.dup(file)
        self._thread = ThreadPoolExecutor(1, "lasting")
        self._going: Future[None] | None = None
        self._written = 0

    def wrote(self, count: int) -> None:
        """So many bytes more were written. Never waits. Raises OSError where a disk has failed."""
        self._written += count
        if self._written < _EVERY or (self._going and not self._going.done()):
            return
        self._written = 0
        self._checked()
        self._going = self._thread.submit(os.fsync, self._file)

    def finish(self) -> None:
        """Return once all that was written is on disk. Raises OSError."""
        self._checked()
        os.fsync(self._file)

    def close(self) -> None:
        """End it, without waiting for a disk. May be called again."""
        if self._file >= 0:
            file, self._file = self._file, -1
            # By the thread, after whatever it is doing with it.
            self._thread.submit(os.close, file)
            self._thread.shutdown(wait=False)

    def _checked(self) -> None:
        if self._going:
            self._going.result()

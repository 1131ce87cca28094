"""Checksums that are summed up by a thread of their own, while the next data are being made."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from typing import Final, Protocol

_WORTH: Final = 64 * 1024
"""Bytes from which on handing a block over is quicker than summing it up."""
_WAITING: Final = 1024 * 1024
"""Bytes that may wait; whoever has more waits then, so that memory stays what it is."""


class Sum(Protocol):
    """A checksum that takes bytes, as those of hashlib."""

    def update(self, block: bytes, /) -> None:
        """Add them."""

    def hexdigest(self) -> str:
        """What came of them so far, in hexadecimal."""


class Summing:
    """Adds blocks to checksums, in the order in which they are given.

    Small ones at once; large ones in a thread, which begins with the first of them and is Python's
    to end. A block is not to be changed any more. For one thread at a time.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._blocks: deque[tuple[bytes, Sequence[Sum]]] = deque()
        self._bytes = 0
        """Of what was given and is not yet in its checksums."""
        self._failure: BaseException | None = None
        self._thread: threading.Thread | None = None
        self._over = False

    def add(self, block: bytes, sums: Sequence[Sum]) -> None:
        """Have ``block`` in all of ``sums``, by the next :meth:`settle`."""
        with self._changed:
            idle = not self._bytes
        if idle and len(block) < _WORTH:
            for each in sums:
                each.update(block)
            return
        with self._changed:
            self._changed.wait_for(lambda: self._bytes < _WAITING or self._over)
            if self._over:
                return
            self._blocks.append((block, sums))
            self._bytes += len(block)
            self._changed.notify_all()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="checksums", daemon=True)
            self._thread.start()

    def settle(self) -> None:
        """Wait until all of it is in. Raises what adding it raised."""
        with self._changed:
            self._changed.wait_for(lambda: not self._bytes or self._over)
            if self._failure is not None:
                raise self._failure

    def close(self) -> None:
        """Add nothing more, and let go of what waits; may be called from any thread."""
        with self._changed:
            self._over = True
            self._blocks.clear()
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._blocks or self._over)
                if self._over:
                    return
                block, sums = self._blocks.popleft()
            try:
                for each in sums:
                    each.update(block)
            except BaseException as error:
                with self._changed:
                    self._failure = error
                self.close()
                return
            size = len(block)
            del block
            with self._changed:
                self._bytes -= size
                self._changed.notify_all()

"""Named pipes between PostgreSQL's tools and us, so that no second copy is ever on the disk.

Both ends here are polled: the program at the other end may die before it opens its own, and a
cancellation is to be seen within a moment.
"""

from __future__ import annotations

import errno
import fcntl
import io
import os
import select
import threading
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from ..watch import Watch

_SIZE: Final = 1024 * 1024
_LOOK: Final = 0.1
_BEFORE_OPENED: Final = 0.01


def make_pipe(path: Path) -> None:
    """Make a pipe for our own user. Raises OSError."""
    os.mkfifo(path, 0o600)


def _enlarge(descriptor: int) -> None:
    # Fewer changes of turn between the two programs, where the system knows how.
    resize = getattr(fcntl, "F_SETPIPE_SZ", None)
    if resize is not None:
        with suppress(OSError):
            fcntl.fcntl(descriptor, resize, _SIZE)


class PipeReader(io.RawIOBase):
    """What a program writes into the pipe at ``path``, until it closes it or ``gone`` is set.

    ``gone`` says that the program has ended, opened or not. Raises WorkCancelledError.
    """

    def __init__(self, path: Path, gone: threading.Event, watch: Watch) -> None:
        self._gone = gone
        self._watch = watch
        self._begun = False
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        _enlarge(self._descriptor)
        self._poll = select.poll()
        self._poll.register(self._descriptor, select.POLLIN | select.POLLHUP)

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """As files do."""
        while True:
            self._watch.raise_if_cancelled()
            over = self._gone.is_set()
            if not self._poll.poll(_LOOK * 1000):
                if over:
                    return 0
                continue
            try:
                count = os.readv(self._descriptor, [buffer])
            except BlockingIOError:
                continue
            # Before anybody has opened the other end it looks as it does after its end.
            if count or self._begun or over:
                self._begun = True
                return count
            self._gone.wait(_BEFORE_OPENED)

    def close(self) -> None:
        """Let go of it: whoever still writes is told."""
        if not self.closed:
            os.close(self._descriptor)
        super().close()


class PipeWriter:
    """Gives ``source`` to the program that reads the pipe at ``path``."""

    def __init__(self, path: Path, gone: threading.Event, watch: Watch) -> None:
        self._path = path
        self._gone = gone
        self._watch = watch

    def copy(self, source: BinaryIO, block_size: int = _SIZE) -> bool:
        """Give all of it. False where the program took no more. Raises WorkCancelledError."""
        descriptor = self._open()
        if descriptor is None:
            return False
        try:
            _enlarge(descriptor)
            poll = select.poll()
            poll.register(descriptor, select.POLLOUT)
            while block := source.read(block_size):
                if not self._give(descriptor, poll, memoryview(block)):
                    return False
                self._watch.did(len(block))
            return True
        finally:
            os.close(descriptor)

    def _open(self) -> int | None:
        flags = os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC
        while True:
            self._watch.raise_if_cancelled()
            try:
                return os.open(self._path, flags)
            except OSError as error:
                if error.errno != errno.ENXIO:
                    raise
            if self._gone.wait(_BEFORE_OPENED):
                return None

    def _give(self, descriptor: int, poll: select.poll, block: memoryview) -> bool:
        while block:
            self._watch.raise_if_cancelled()
            if not poll.poll(_LOOK * 1000):
                if self._gone.is_set():
                    return False
                continue
            try:
                block = block[os.write(descriptor, block) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                return False
        return True

"""Writing a backup: one ``.tar``, whole or not at all, at constant memory.

Sizes are not known before the data have gone by, so each member's header is written twice: once to
keep its place, and again when its member is complete. All of it blocks: use it from threads.
"""

from __future__ import annotations

import errno
import hashlib
import os
import tarfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from ..services.private_files import hand_over, sync_folder
from . import manifest as manifests
from .manifest import Manifest, Member
from .watch import Watch

PARTIAL: Final = ".partial"
"""What the name of a file ends with until it is whole."""
BLOCK: Final = 1024 * 1024
_RECORD: Final = tarfile.BLOCKSIZE


class MemberWriter:
    """Takes one member's bytes; counts them, and sums them up."""

    def __init__(self, file: BinaryIO, watch: Watch) -> None:
        self._file = file
        self._watch = watch
        self._sum = hashlib.sha256()
        self.bytes = 0

    def write(self, block: bytes | memoryview) -> int:
        """Add ``block``. Raises OSError, or WorkCancelledError."""
        self._file.write(block)
        self._sum.update(block)
        self.bytes += len(block)
        self._watch.did(len(block))
        return len(block)

    def copy(self, source: BinaryIO) -> None:
        """Add all that ``source`` still has."""
        while block := source.read(BLOCK):
            self.write(block)

    @property
    def sha256(self) -> str:
        """The checksum so far, in hexadecimal."""
        return self._sum.hexdigest()


@dataclass(frozen=True, slots=True)
class Written:
    """A finished file: its size in bytes and its SHA-256."""

    path: Path
    bytes: int
    sha256: str


class ArchiveWriter:
    """One backup on its way to ``path``, in a ``.partial`` beside it until :meth:`finish`."""

    def __init__(self, path: Path, watch: Watch) -> None:
        """Begin the file, mode 0600. Raises OSError."""
        self.path = path
        self.watch = watch
        self.members: list[Member] = []
        self._names: set[str] = set()
        self._partial = path.with_name(path.name + PARTIAL)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        self._file: BinaryIO = os.fdopen(os.open(self._partial, flags, 0o600), "w+b", BLOCK)
        hand_over(self._file.fileno(), path.parent)

    @contextmanager
    def member(self, name: str) -> Iterator[MemberWriter]:
        """One more file in the archive, by its path in it (``/`` between folders)."""
        if name in self._names:
            raise ValueError(f"{name} is in the archive already")
        start = self._file.tell()
        self._file.write(_header(name, 0))
        member = MemberWriter(self._file, self.watch)
        yield member
        self._file.write(bytes(-member.bytes % _RECORD))
        end = self._file.tell()
        self._file.seek(start)
        self._file.write(_header(name, member.bytes))
        self._file.seek(end)
        self._names.add(name)
        self.members.append(Member(name, member.bytes, member.sha256))

    def add(self, name: str, content: bytes) -> None:
        """One small file."""
        with self.member(name) as member:
            member.write(content)

    def begin_again(self) -> None:
        """Forget all that was written, for whoever has to try anew. Raises OSError."""
        self._file.seek(0)
        self._file.truncate()
        self.members.clear()
        self._names.clear()

    def finish(self, manifest: Manifest) -> Written:
        """Add the manifest, have all of it on disk, and give it its name.

        ``manifest.members`` must be :attr:`members`. Raises OSError; the partial file is then gone.
        """
        content = manifest.to_bytes()
        try:
            self.watch.raise_if_cancelled()
            self._file.write(_header(manifests.NAME, len(content)))
            self._file.write(content + bytes(-len(content) % _RECORD))
            self._file.write(bytes(2 * _RECORD))
            self._file.flush()
            size = self._file.tell()
            checksum = self._made_to_last()
            self._file.close()
            # Never over a file that is there: a backup is not replaced.
            if self.path.exists():
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(self.path))
            os.rename(self._partial, self.path)
            sync_folder(self.path.parent)
        except BaseException:
            self.abandon()
            raise
        return Written(self.path, size, checksum)

    def _made_to_last(self) -> str:
        """Have all of it on disk; its SHA-256, which is summed up meanwhile. Raises OSError."""
        with ThreadPoolExecutor(1) as other:
            lasting = other.submit(os.fsync, self._file.fileno())
            self._file.seek(0)
            checksum = hashlib.sha256()
            while block := self._file.read(BLOCK):
                self.watch.raise_if_cancelled()
                checksum.update(block)
            lasting.result()
        return checksum.hexdigest()

    def abandon(self) -> None:
        """Leave nothing of it."""
        with suppress(OSError, ValueError):
            self._file.close()
        with suppress(OSError):
            self._partial.unlink()


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = size
    info.mode = 0o600
    info.mtime = int(time.time())
    # Sizes of any length fit in this format, so both headers of a member are equally long.
    return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")

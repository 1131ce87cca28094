"""Writing a backup: one ``.tar``, whole or not at all, at constant memory.

Sizes are not always known before the data have gone by: then a member's header is written twice,
once to keep its place, and again when its member is complete. The checksums of the members, and of
the whole file, are summed up by a thread of their own meanwhile; where a header had to be written
again, the whole file is read once more for its checksum. All of it blocks: use it from threads.
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
from io import BufferedRandom
from pathlib import Path
from typing import BinaryIO, Final, cast

from ..services.private_files import hand_over, sync_folder
from . import manifest as manifests
from .lasting import Lasting
from .manifest import Manifest, Member
from .summing import Sum, Summing
from .watch import Watch

PARTIAL: Final = ".partial"
"""What the name of a file ends with until it is whole."""
BLOCK: Final = 1024 * 1024
_RECORD: Final = tarfile.BLOCKSIZE
_SMALL: Final = 64 * 1024
"""Bytes up to which pieces are written together, and a member is kept until its size is known."""


class MemberWriter:
    """Takes one member's bytes; counts them, and sums them up."""

    def __init__(self, archive: ArchiveWriter, name: str, size: int | None) -> None:
        self._archive = archive
        self._name = name
        self._expected = size
        self._sum = hashlib.sha256()
        self._start: int | None = None
        """Where its header is, once that had to be written."""
        self._kept: list[bytes] = []
        self.bytes = 0

    def write(self, block: bytes | memoryview) -> int:
        """Add ``block``. Raises OSError, or WorkCancelledError."""
        # A view may be of a buffer that is filled again before it has been summed up.
        block = block if isinstance(block, bytes) else bytes(block)
        self.bytes += len(block)
        if self._start is not None:
            self._archive.put(block, self._sum)
        else:
            self._kept.append(block)
            if self.bytes > _SMALL:
                self._begin(self._expected)
        self._archive.watch.did(len(block))
        return len(block)

    def copy(self, source: BinaryIO) -> None:
        """Add all that ``source`` still has."""
        while block := source.read(BLOCK):
            self.write(block)

    @property
    def sha256(self) -> str:
        """The checksum of the finished member, in hexadecimal."""
        return self._sum.hexdigest()

    def _begin(self, size: int | None) -> None:
        self._start = self._archive.put_header(self._name, size)
        for block in self._kept:
            self._archive.put(block, self._sum)
        self._kept.clear()

    def finish(self) -> None:
        """Have its header say what its size is, and its checksum be that of all of it."""
        if self._start is None:
            self._begin(self.bytes)
        elif self.bytes != self._expected:
            self._archive.correct_header(self._start, self._name, self.bytes)
        self._archive.put(bytes(-self.bytes % _RECORD))
        self._archive.settle()


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
        self._file = cast(
            "BufferedRandom", os.fdopen(os.open(self._partial, flags, 0o600), "w+b", _SMALL)
        )
        self._summing = Summing()
        self._lasting = Lasting(self._file.fileno())
        self._whole: Sum | None = hashlib.sha256()
        """Of all that was written, for as long as none of it has to be written again."""
        hand_over(self._file.fileno(), path.parent)

    @contextmanager
    def member(self, name: str, size: int | None = None) -> Iterator[MemberWriter]:
        """One more file in the archive, by its path in it (``/`` between folders).

        ``size``: how many bytes it will probably have. Another number does no harm; with the right
        one for each large member the file need not be read again at the end.
        """
        if name in self._names:
            raise ValueError(f"{name} is in the archive already")
        member = MemberWriter(self, name, size)
        yield member
        member.finish()
        self._names.add(name)
        self.members.append(Member(name, member.bytes, member.sha256))

    def add(self, name: str, content: bytes) -> None:
        """One small file."""
        with self.member(name, len(content)) as member:
            member.write(content)

    def put(self, block: bytes, own: Sum | None = None) -> None:
        """Write ``block``, and have it in the checksums; ``own`` is that of its member.

        For the members' own use, as what follows. Raises OSError.
        """
        self._summing.add(block, [each for each in (own, self._whole) if each])
        self._file.write(block)
        self._lasting.wrote(len(block))

    def put_header(self, name: str, size: int | None) -> int:
        """Write a member's header; gives where it is. Raises OSError."""
        start = self._file.tell()
        if size is None:
            self._whole = None
        self.put(_header(name, size or 0))
        return start

    def correct_header(self, start: int, name: str, size: int) -> None:
        """Write a member's header again, where it is. Raises OSError."""
        self._whole = None
        end = self._file.tell()
        self._file.seek(start)
        self._file.write(_header(name, size))
        self._file.seek(end)

    def settle(self) -> None:
        """Wait until the checksums are those of all that was written."""
        self._summing.settle()

    def begin_again(self) -> None:
        """Forget all that was written, for whoever has to try anew. Raises OSError."""
        self._file.seek(0)
        self._file.truncate()
        self._summing.settle()
        self._whole = hashlib.sha256()
        self.members.clear()
        self._names.clear()

    def finish(self, manifest: Manifest) -> Written:
        """Add the manifest, have all of it on disk, and give it its name.

        ``manifest.members`` must be :attr:`members`. Raises OSError; the partial file is then gone.
        """
        content = manifest.to_bytes()
        try:
            self.watch.raise_if_cancelled()
            self.put(_header(manifests.NAME, len(content)))
            self.put(content + bytes(-len(content) % _RECORD))
            self.put(bytes(2 * _RECORD))
            self._file.flush()
            size = self._file.tell()
            checksum = self._made_to_last()
            self._summing.close()
            self._lasting.close()
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
        if self._whole is not None:
            self._lasting.finish()
            self.settle()
            return self._whole.hexdigest()
        with ThreadPoolExecutor(1) as other:
            lasting = other.submit(self._lasting.finish)
            self._file.seek(0)
            checksum, buffer = hashlib.sha256(), memoryview(bytearray(BLOCK))
            while count := self._file.readinto(buffer):
                self.watch.raise_if_cancelled()
                checksum.update(buffer[:count])
            lasting.result()
        return checksum.hexdigest()

    def abandon(self) -> None:
        """Leave nothing of it."""
        self._summing.close()
        self._lasting.close()
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

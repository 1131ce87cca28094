"""A backup that is brought from elsewhere: streamed to a partial file, recognised, or refused."""

from __future__ import annotations

import asyncio
import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from ..errors import UnsuitableError
from ..sentences import say
from ..services.private_files import hand_over, make_folder, sync_folder
from .names import uploaded_name
from .reader import Archive
from .room import explained
from .store import Recognise, Store, Stored
from .watch import Watch
from .writer import PARTIAL

_GATHERED = 1024 * 1024


class Upload:
    """One file on its way in. What is not finished leaves nothing.

    ``service`` is the service it is for, ``filename`` what its owner calls it.
    """

    def __init__(self, service: str, filename: str, folder: Path) -> None:
        """Begin it in ``folder``, mode 0600. Blocks; raises VceError."""
        self.service = service
        self.filename = filename
        self.bytes = 0
        self._sum = hashlib.sha256()
        self._gathered = bytearray()
        try:
            make_folder(folder)
            self.path = folder / uploaded_name(filename, folder)
            self.partial = self.path.with_name(self.path.name + PARTIAL)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
            self._file: BinaryIO = os.fdopen(os.open(self.partial, flags, 0o600), "wb", 0)
            hand_over(self._file.fileno(), folder)
        except OSError as error:
            raise explained(error, say("the file")) from error

    async def write(self, chunk: bytes) -> None:
        """Add a part. Raises VceError (``disk-full``); nothing is left of it then."""
        self._gathered += chunk
        if len(self._gathered) >= _GATHERED:
            await asyncio.to_thread(self._flush)

    def close(self) -> str:
        """Have all of it on disk; gives its SHA-256. Blocks; raises VceError."""
        self._flush()
        try:
            os.fsync(self._file.fileno())
            self._file.close()
        except OSError as error:
            self.abandon()
            raise explained(error, say("the file")) from error
        return self._sum.hexdigest()

    def abandon(self) -> None:
        """Leave nothing of it."""
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            self.partial.unlink()

    def _flush(self) -> None:
        block, self._gathered = self._gathered, bytearray()
        view = memoryview(block)
        try:
            while view:
                view = view[self._file.write(view) or 0 :]
        except OSError as error:
            self.abandon()
            raise explained(error, say("the file")) from error
        except ValueError:
            return  # it was abandoned in between
        self._sum.update(block)
        self.bytes += len(block)


async def take_in(upload: Upload, store: Store, recognise: Recognise) -> Stored:
    """See that a file is a backup, and list it. Raises VceError; nothing is left of it then."""
    try:
        sha256 = await asyncio.to_thread(upload.close)
        if await asyncio.to_thread(_is_of_everything, upload.partial):
            folder, service = store.folder(None), None
        else:
            folder, service = upload.path.parent, upload.service
            await recognise(upload.service, upload.partial, upload.filename)
        path = await asyncio.to_thread(_name_it, upload, folder)
        return await store.take_in(path, service, sha256)
    except OSError as error:
        raise explained(error, say("the file")) from error
    finally:
        await asyncio.to_thread(upload.abandon)


def _is_of_everything(path: Path) -> bool:
    """Whether it is a backup of ours of all services, which belongs to none of them."""
    try:
        archive = Archive(path)
    except UnsuitableError:
        return False
    if archive.manifest.service is not None:
        return False
    archive.check(Watch())
    return True


def _name_it(upload: Upload, folder: Path) -> Path:
    make_folder(folder)
    path = upload.path
    if folder != path.parent or path.exists():
        path = folder / uploaded_name(upload.filename, folder)
    os.rename(upload.partial, path)
    sync_folder(folder)
    return path

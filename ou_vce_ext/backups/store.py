"""The backups there are, found anew from the files alone, whoever put them there."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import stat
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from ..errors import UnknownError, UnsuitableError, VceError
from ..models import iso
from ..models_backup import Backup, Consistency, Reason, Verified
from ..sentences import say
from ..services.private_files import make_folder, sync_folder
from . import names
from .manifest import Manifest
from .notes import Note, Notes
from .reader import Archive, checksum
from .strategy import Source
from .threads import to_its_end
from .writer import PARTIAL, Written

PATIENCE: Final = 2.0
"""Seconds a list waits for files that have not been looked at yet; they are listed later then."""

Recognise = Callable[[str, Path, str], Awaitable[Source]]
"""Open a file of a service by path and name, as its strategy does. Raises VceError."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A backup and its file; ``ours`` where it has a description of ours in it."""

    backup: Backup
    file: Path
    ours: bool

    @property
    def id(self) -> str:
        """The backup's id."""
        return self.backup.id


@dataclass(frozen=True, slots=True)
class _Seen:
    size: int
    mtime: int
    stored: Stored | None


class Store:
    """The backups of one home. Lives in the event loop; files are read in threads."""

    def __init__(self, root_dir: Path, recognise: Recognise, log: logging.Logger) -> None:
        self.root_dir = root_dir
        self.top = root_dir / names.FOLDER
        self._recognise = recognise
        self._log = log
        self._seen: dict[Path, _Seen] = {}
        self._notes: dict[Path, Notes] = {}
        self._noting = threading.Lock()
        self._began = time.time()
        self._looking: asyncio.Task[None] | None = None

    # -- looking ---------------------------------------------------------------------------------

    def folder(self, service: str | None) -> Path:
        """Where the backups of a service lie."""
        return self.top / names.folder_of(service)

    async def look(self, patience: float | None = PATIENCE) -> None:
        """See what is there now; waits ``patience`` seconds at most (None: to the end)."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        await asyncio.wait({self._looking}, timeout=patience)

    def known(self, service: str | None = None) -> list[Stored]:
        """The backups found when last looked, newest first; of one service where it is given."""
        found = [(seen.stored, seen.mtime) for seen in self._seen.values() if seen.stored]
        found.sort(key=lambda each: (each[0].backup.created, each[1]), reverse=True)
        return [each for each, _ in found if service is None or each.backup.service == service]

    def unlisted(self, reason: Reason) -> bool:
        """Whether a file is there, called as a backup of ``reason``, that is not listed."""
        others = (path.name for path, seen in self._seen.items() if not seen.stored)
        return any(names.mark_of(reason) in name for name in others)

    def newest(self, service: str) -> Stored | None:
        """A service's newest backup, as last seen. What was brought from elsewhere is none."""
        known = self.known(service)
        return next((each for each in known if each.backup.reason is not Reason.UPLOAD), None)

    async def get(self, identifier: str) -> Stored:
        """One backup, as its file is now. Raises UnknownError."""
        await self.look()
        if found := next((each for each in self.known() if each.id == identifier), None):
            return found
        raise UnknownError(
            "unknown-backup",
            say("There is no such backup. It may have been deleted or renamed."),
            say("The list of backups shows those there are."),
        )

    async def _look(self) -> None:
        files = await asyncio.to_thread(lambda: list(self._files()))
        there = {path for path, *_ in files}
        self._seen = {path: seen for path, seen in self._seen.items() if path in there}
        for path, service, size, mtime in files:
            seen = self._seen.get(path)
            known = self._notes_of(path.parent).get(path.name, size, mtime)
            if seen and (seen.size, seen.mtime) == (size, mtime) and (known or not seen.stored):
                continue
            try:
                stored = await self._examine(path, service, size, mtime)
            except (OSError, VceError) as reason:
                self._log.info("%s is not listed as a backup: %s", path, reason)
                stored = None
            except Exception:
                # One odd file must not hide the others.
                self._log.exception("%s could not be looked at", path)
                stored = None
            self._seen[path] = _Seen(size, mtime, stored)

    def _files(self) -> Iterator[tuple[Path, str | None, int, int]]:
        """Each file that may be a backup: its service, size and time. Blocks."""
        places: list[tuple[Path, str | None]] = [(self.top, None)]
        with suppress(OSError):
            for each in sorted(os.scandir(self.top), key=lambda entry: entry.name):
                service = names.service_of(each.name)
                if service and each.is_dir(follow_symlinks=False):
                    places.append((Path(each.path), service))
        for folder, service in places:
            with self._noting:
                notes = self._notes.get(folder)
                if notes is None or notes.gone():
                    self._notes[folder] = Notes(folder)
            with suppress(OSError):
                for each in os.scandir(folder):
                    if each.name.startswith(".") or each.name.endswith(PARTIAL):
                        continue
                    with suppress(OSError):
                        status = each.stat(follow_symlinks=False)
                        if stat.S_ISREG(status.st_mode):
                            yield Path(each.path), service, status.st_size, status.st_mtime_ns

    def _notes_of(self, folder: Path) -> Notes:
        if folder not in self._notes:
            self._notes[folder] = Notes(folder)
        return self._notes[folder]

    async def _examine(self, path: Path, service: str | None, size: int, mtime: int) -> Stored:
        """Look into a file. Raises UnsuitableError, other VceError or OSError: no backup."""
        try:
            manifest: Manifest | None = await asyncio.to_thread(lambda: Archive(path).manifest)
        except UnsuitableError:
            manifest = None
        source = None
        if manifest is None or (service is None and manifest.service is not None):
            if service is None:
                raise UnsuitableError(say("{name} is no backup of everything.", name=path.name))
            source = await self._recognise(service, path, path.name)
        note = self._notes_of(path.parent).get(path.name, size, mtime)
        if note is None:
            note = Note(size, mtime, await asyncio.to_thread(checksum, path))
            await to_its_end(lambda: self._note(path, note))
        if manifest is not None and manifest.service is None:
            service = None
        return self._stored(path, service, note, manifest, source)

    def _stored(
        self,
        path: Path,
        service: str | None,
        note: Note,
        manifest: Manifest | None,
        source: Source | None,
    ) -> Stored:
        if manifest:
            created, reason = manifest.created, manifest.reason
            contents, versions = manifest.contents, manifest.versions
            consistency = manifest.consistency
        else:
            created = datetime.fromtimestamp(note.mtime / 1e9, UTC)
            reason = Reason.UPLOAD
            contents = source.contents if source else ()
            versions = source.versions if source else {}
            consistency = source.consistency if source else Consistency.PER_COLLECTION
        backup = Backup(
            id=names.identifier(service, path.name),
            service=service,
            created=created,
            bytes=note.bytes,
            sha256=note.sha256,
            verified=note.verified,
            consistency=consistency,
            reason=note.reason or reason,
            pinned=note.pinned,
            path=path.relative_to(self.root_dir).as_posix(),
            versions=versions,
            contents=contents,
        )
        return Stored(backup, path, manifest is not None)

    # -- changing --------------------------------------------------------------------------------

    def place_for(self, service: str | None, reason: Reason, moment: datetime) -> Path:
        """Where a new backup goes; its folder is made. Blocks; raises OSError."""
        folder = self.folder(service)
        make_folder(folder)
        return folder / names.file_name(service, reason, moment, folder)

    async def add(self, written: Written, manifest: Manifest) -> Stored:
        """Take in a backup just made. Raises OSError."""
        status = written.path.stat()
        note = Note(written.bytes, status.st_mtime_ns, written.sha256)
        await self._note_new(written.path, note)
        return self._remember(
            self._stored(written.path, manifest.service, note, manifest, None), status.st_mtime_ns
        )

    async def take_in(self, path: Path, service: str | None, sha256: str) -> Stored:
        """Take in a file that was brought from elsewhere and is in its place. Raises VceError."""
        status = path.stat()
        note = Note(status.st_size, status.st_mtime_ns, sha256, reason=Reason.UPLOAD)
        await self._note_new(path, note)
        stored = await self._examine(path, service, status.st_size, status.st_mtime_ns)
        return self._remember(stored, status.st_mtime_ns)

    async def pin(self, stored: Stored, pinned: bool) -> Stored:
        """Keep a backup whatever the rules say, or no longer. Raises OSError."""
        return await self._change(stored, lambda note: dataclasses.replace(note, pinned=pinned))

    async def judge(self, stored: Stored, verdict: Verified, moment: datetime) -> Stored:
        """Remember what came of proving it. Raises OSError."""
        return await self._change(
            stored,
            lambda note: dataclasses.replace(note, verified=verdict, verified_at=iso(moment)),
        )

    async def remove(self, stored: Stored) -> None:
        """Delete a backup. Raises OSError."""

        def unlink() -> None:
            stored.file.unlink(missing_ok=True)
            with self._noting:
                self._notes_of(stored.file.parent).forget({stored.file.name})
            sync_folder(stored.file.parent)

        await to_its_end(unlink)
        self._seen.pop(stored.file, None)

    async def _change(self, stored: Stored, change: Callable[[Note], Note]) -> Stored:
        seen, backup = self._seen.get(stored.file), stored.backup
        mtime = seen.mtime if seen else stored.file.stat().st_mtime_ns
        note = self._notes_of(stored.file.parent).get(stored.file.name, backup.bytes, mtime)
        note = change(note or Note(backup.bytes, mtime, backup.sha256, backup.pinned))
        await to_its_end(lambda: self._note(stored.file, note))
        changed = dataclasses.replace(backup, pinned=note.pinned, verified=note.verified)
        return self._remember(dataclasses.replace(stored, backup=changed), mtime)

    def _note(self, path: Path, note: Note) -> None:
        # One file for a folder's notes, and a thread for each piece of work.
        with self._noting:
            self._notes_of(path.parent).put(path.name, note)

    async def _note_new(self, path: Path, note: Note) -> None:
        """Note a new file; one that cannot be noted is gone again. Raises OSError."""
        try:
            await to_its_end(lambda: self._note(path, note))
        except OSError:
            await to_its_end(lambda: path.unlink(missing_ok=True))
            raise

    def _remember(self, stored: Stored, mtime: int) -> Stored:
        self._seen[stored.file] = _Seen(stored.backup.bytes, mtime, stored)
        return stored

    def clear_partials(self) -> None:
        """Remove what backups and uploads that were cut off have left. Blocks; never raises.

        What has been begun since we live is not touched.
        """
        with suppress(OSError):
            folders = [self.top, *(path for path in self.top.iterdir() if path.is_dir())]
            for folder in folders:
                if folder != self.top and not names.service_of(folder.name):
                    continue
                for path in folder.glob(f"*{PARTIAL}"):
                    with suppress(OSError):
                        if path.lstat().st_mtime < self._began:
                            path.unlink()

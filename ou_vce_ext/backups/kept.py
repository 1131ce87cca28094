"""Old data that hold more than their safety copy does: kept beside the live ones to undo it all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Container, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from ..services.private_files import read_private, write_private
from ..services.registry import Registry
from .scratch import is_kept
from .store import Store, Stored
from .threads import to_its_end

NAME: Final = "kept.json"
MISSED: Final = timedelta(days=1)
"""For so long a safety copy is away before what completes it goes, too."""


@dataclass(frozen=True, slots=True)
class Kept:
    """``folder`` has what was in ``live`` when ``safety`` (a copy's SHA-256) was not enough."""

    safety: str
    folder: Path
    live: Path

    @property
    def place(self) -> Path | None:
        """Where the folder is; None where it is gone, or has nothing to go back to.

        That of a mount point, which nothing can be put beside, is in it.
        """
        places = (self.folder, self.live / self.folder.name)
        there = (place for place in places if place.is_dir())
        return next(there, None) if self.live.is_dir() else None


class KeptFolders:
    """Those of one service, in its private folder. Everything here blocks."""

    def __init__(self, private_dir: Path) -> None:
        self._file = private_dir / NAME

    def remember(self, kept: Kept) -> None:
        """Note it, on disk. Raises OSError."""
        self._write({**self._read(), kept.safety: [str(kept.folder), str(kept.live)]})

    def of(self, safety: str) -> Kept | None:
        """What is kept beside a safety copy."""
        found = self._read().get(safety)
        if not isinstance(found, list) or len(found) < 2:
            return None
        return Kept(safety, Path(str(found[0])), Path(str(found[1])))

    def any(self) -> bool:
        """Whether anything is kept."""
        return bool(self._read())

    def sizes(self) -> Mapping[str, int]:
        """By safety copy, the bytes that are kept to complete it."""
        found = ((safety, self.of(safety)) for safety in self._read())
        places = {safety: kept.place for safety, kept in found if kept}
        return {safety: size_of(place) for safety, place in places.items() if place}

    def sweep(self, copies: Container[str], now: datetime) -> list[Path]:
        """Let go of what completes a safety copy that is not among ``copies`` any more.

        A copy that was deleted in the file browser may come back from its bin, so that this takes
        :data:`MISSED`. Gives the folders that are gone. Raises OSError.
        """
        known, gone = dict(self._read()), []
        for safety, entry in self._read().items():
            if not isinstance(entry, list):
                continue
            if safety in copies:
                known[safety] = entry[:2]
            elif len(entry) < 3:
                known[safety] = [*entry, now.isoformat()]
            elif now - datetime.fromisoformat(str(entry[2])) >= MISSED:
                kept = self.of(safety)
                gone += [kept.folder] if kept and kept.place else []
                self.remove(safety)
                del known[safety]
        if known != self._read():
            self._write(known)
        return gone

    def forget(self, safety: str) -> None:
        """Note nothing of it any more. Never raises."""
        known = dict(self._read())
        if known.pop(safety, None) is not None:
            with suppress(OSError):
                self._write(known)

    def remove(self, safety: str) -> None:
        """Let it go with its safety copy. Never raises."""
        kept = self.of(safety)
        if kept and (place := kept.place) and is_kept(place.name, kept.live):
            shutil.rmtree(place, ignore_errors=True)
        self.forget(safety)

    def _read(self) -> Mapping[str, object]:
        with suppress(OSError, ValueError):
            content = read_private(self._file)
            known = json.loads(content) if content else {}
            if isinstance(known, dict):
                return known
        return {}

    def _write(self, known: Mapping[str, object]) -> None:
        write_private(self._file, json.dumps(known).encode())


def size_of(folder: Path) -> int:
    """Bytes of the files below a folder, as far as they can be asked. Blocks."""
    total = 0
    for place, _, files in os.walk(folder):
        for name in files:
            with suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_size
    return total


async def remove_backup(registry: Registry, store: Store, stored: Stored) -> None:
    """Delete a backup, and what is kept to complete it. Raises OSError."""
    await store.remove(stored)
    safety, service = stored.backup.sha256, stored.backup.service
    known = set(registry.names())
    services = {service} if service else {item.service for item in stored.backup.contents}
    for name in known & services:
        folders = KeptFolders(registry.get(name).driver.site.private_dir)
        await to_its_end(partial(folders.remove, safety))

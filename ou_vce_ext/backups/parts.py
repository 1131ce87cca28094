"""One service's data in a backup: the file itself, or a part of a file of everything."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..models_backup import DataItem, Reason
from .reader import Archive
from .store import Stored

SERVICES: Final = "services/"
"""Where services' own backups lie in a file of everything."""
BETWEEN: Final = ":"
"""Between a service's name and the key of an item of it, in a file of everything."""
_UNPACKED: Final = 4
"""How much larger data are than their backup, where the backup does not say."""


@dataclass(frozen=True, slots=True)
class Part:
    """Where one service's data lie: ``offset`` and ``length`` (None: to the end) in bytes."""

    file: Path
    filename: str
    contents: tuple[DataItem, ...]
    reason: Reason
    bytes: int
    offset: int = 0
    length: int | None = None

    @property
    def unpacked(self) -> int:
        """About how many bytes its data take on disk."""
        told = sum(item.bytes or 0 for item in self.contents if item.within is None)
        return max(told, self.bytes) if told else self.bytes * _UNPACKED


async def parts_of(stored: Stored) -> Mapping[str, Part]:
    """Each service's part of a backup. Raises UnsuitableError or OSError."""
    backup = stored.backup
    if backup.service is not None:
        filename = stored.file.name
        part = Part(stored.file, filename, backup.contents, backup.reason, backup.bytes)
        return {backup.service: part}
    return await asyncio.to_thread(_within, stored)


def _within(stored: Stored) -> Mapping[str, Part]:
    archive = Archive(stored.file)
    found = {}
    for name in archive.names:
        if not name.startswith(SERVICES):
            continue
        service = name.removeprefix(SERVICES).removesuffix(".tar")
        offset, length = archive.place_of(name)
        inner = archive.part(name).manifest
        found[service] = Part(
            stored.file,
            name.removeprefix(SERVICES),
            inner.contents,
            stored.backup.reason,
            length,
            offset,
            length,
        )
    return found


def prefixed(item: DataItem, service: str) -> DataItem:
    """An item as a backup of everything lists it."""
    return dataclasses.replace(item, key=f"{service}{BETWEEN}{item.key}", service=service)


def by_service(keys: frozenset[str]) -> dict[str, frozenset[str]]:
    """The keys of items of everything, without the prefix, by service; folders under ``""``."""
    found: dict[str, set[str]] = {}
    for key in keys:
        service, _, own = key.partition(BETWEEN)
        found.setdefault(service, set()).add(own)
    return {service: frozenset(own) for service, own in found.items()}

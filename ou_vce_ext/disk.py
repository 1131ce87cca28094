"""How much room there is where the data live."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from .models_status import DiskUsage
from .sentences import in_a_row

FRESH_SECONDS: Final = 10.0
PATIENCE_SECONDS: Final = 1.0

Places = Sequence[tuple[str, Path]]
"""What lives there, in words, and the folder."""


def measure(places: Iterable[tuple[str, Path]]) -> list[DiskUsage]:
    """Measure the file systems that hold ``places``.

    Each file system is told once: the first under its first label alone, any other with the labels
    of all that lives there. A folder that does not exist yet counts where it will be made; one that
    cannot be looked at is left out. Blocks for as long as the file system does.
    """
    labels: dict[int, list[str]] = {}
    room: dict[int, tuple[int, int]] = {}
    for label, folder in places:
        try:
            there = _existing(folder)
            device = there.stat().st_dev
            figures = os.statvfs(there)
        except OSError:
            continue
        known = labels.setdefault(device, [])
        if label not in known and (not known or device != next(iter(labels))):
            known.append(label)
        room[device] = (figures.f_blocks * figures.f_frsize, figures.f_bavail * figures.f_frsize)
    return [DiskUsage(in_a_row(known, ", "), *room[device]) for device, known in labels.items()]


class DiskWatch:
    """The last measurement, renewed at most every ten seconds and never waited for long.

    A file server that has gone away holds up whoever asks it: that is one thread of ours, never the
    event loop, and the last known figures are shown meanwhile.
    """

    def __init__(self) -> None:
        self._known: list[DiskUsage] = []
        self._measured = float("-inf")
        self._running: asyncio.Task[None] | None = None

    async def usage(self, places: Places) -> list[DiskUsage]:
        """Give the room there is, at most ten seconds old unless a file system hangs."""
        if time.monotonic() - self._measured >= FRESH_SECONDS:
            if self._running is None or self._running.done():
                self._running = asyncio.create_task(self._measure(places))
            await asyncio.wait({self._running}, timeout=PATIENCE_SECONDS)
        return self._known

    async def _measure(self, places: Places) -> None:
        self._known = await asyncio.to_thread(measure, places)
        self._measured = time.monotonic()


def _existing(folder: Path) -> Path:
    return next((place for place in (folder, *folder.parents) if place.exists()), folder)

"""How much room there is where the data live."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from .models_status import DiskUsage, Problem
from .sentences import in_a_row, say
from .sizes import in_words

FRESH_SECONDS: Final = 10.0
PATIENCE_SECONDS: Final = 1.0
LOW_BYTES: Final = 300_000_000
LOW_SHARE: Final = 0.05
"""With less left than either of these a disk is nearly full, and something will soon fail."""

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
        self._low_since: dict[str, datetime] = {}

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
        low = [usage.label for usage in self._known if _is_low(usage)]
        now = datetime.now(UTC)
        self._low_since = {label: self._low_since.get(label, now) for label in low}

    def problems(self) -> list[Problem]:
        """The disks that were nearly full when they were measured last."""
        return [
            Problem(
                None,
                "disk-low",
                say(
                    "Only {free} of {total} are left on a disk ({label}). What is saved from now "
                    "on may fail; what has been saved is safe.",
                    free=in_words(usage.free_bytes),
                    total=in_words(usage.total_bytes),
                    label=usage.label,
                ),
                say(
                    "Delete files and backups that are not needed any more, or ask for more room. "
                    "Then start services anew that have failed."
                ),
                self._low_since[usage.label],
            )
            for usage in self._known
            if usage.label in self._low_since
        ]


def _is_low(usage: DiskUsage) -> bool:
    return usage.free_bytes < min(LOW_BYTES, LOW_SHARE * usage.total_bytes)


def _existing(folder: Path) -> Path:
    return next((place for place in (folder, *folder.parents) if place.exists()), folder)

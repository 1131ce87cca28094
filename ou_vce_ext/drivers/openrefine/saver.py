"""Having OpenRefine save sooner than it would: its own timer knows whole minutes only."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

from ..http_probe import Answer

LOOK: Final = 8.0
"""Seconds between two looks at what has changed."""
QUIET: Final = 5.0
"""Seconds without a change after which nobody minds a save."""
LONGEST: Final = 14.0
"""Seconds from when a change was first seen until it is saved, however busy the student is."""
SHARE: Final = 10.0
"""A project whose save takes a second is saved every ten at most: the rest is the student's."""

_METADATA: Final = "/command/core/get-all-project-metadata"
_PROCESSES: Final = "/command/core/get-processes?project={}"
_EXPORT: Final = "/command/core/export-project?project={}"
_MOST_BYTES: Final = 16_000_000
_MOST_SECONDS: Final = 600.0


class Ask(Protocol):
    """Sends a request to OpenRefine; reads at most ``most`` bytes of what it answers."""

    def __call__(self, path: str, *, method: str = "GET", most: int = 0) -> Awaitable[Answer]:
        """Raises OSError while nothing can be had."""


class Saver:
    """Looks for changed projects and has them saved, one at a time.

    An export saves a project before its first byte is sent; the rest of it is not fetched. Should a
    version of OpenRefine do otherwise, its own timer still saves every minute.
    """

    def __init__(
        self,
        ask: Ask,
        folder: Path,
        *,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._folder = folder
        self._now = now
        self._monotonic = monotonic
        self._saved: dict[str, str] = {}
        """By project: the time of the last change that is known to be on disk."""
        self._seen: dict[str, float] = {}
        self._not_before: dict[str, float] = {}

    async def run(self) -> None:
        """Look and save until cancelled. What cannot be asked now is asked again later."""
        while True:
            await asyncio.sleep(LOOK)
            try:
                async with asyncio.timeout(_MOST_SECONDS):
                    await self.look()
            except (OSError, TimeoutError, ValueError):
                continue

    async def look(self, *, everything: bool = False) -> list[str]:
        """One look; tells which projects were saved. Raises OSError or ValueError.

        With ``everything``, whatever is not on disk is saved now, since the end is near.
        """
        answer = await self._ask(_METADATA, most=_MOST_BYTES)
        projects = json.loads(answer.body)["projects"] if answer.status == 200 else {}
        saved = []
        for project, told in projects.items():
            if not project.isdigit() or not self._is_unsaved(project, told):
                continue
            if not everything and not await self._is_due(project, told):
                continue
            if await self._save(project, told["modified"]):
                saved.append(project)
        for gone in self._saved.keys() - projects.keys():
            del self._saved[gone]
        return saved

    def _is_unsaved(self, project: str, told: dict[str, Any]) -> bool:
        modified = told.get("modified")
        if not isinstance(modified, str) or self._saved.get(project) == modified:
            return False
        # Changes are told in whole seconds: one in the second of a save may have come after it.
        if _moment(modified) >= int(self._written(project)):
            return True
        self._saved[project] = modified
        self._seen.pop(project, None)
        return False

    async def _is_due(self, project: str, told: dict[str, Any]) -> bool:
        now = self._monotonic()
        first = self._seen.setdefault(project, now)
        if self._not_before.get(project, 0.0) > now:
            return False
        if self._now() - _moment(told["modified"]) < QUIET and now - first < LONGEST:
            return False
        return not await self._is_working(project)

    def _written(self, project: str) -> float:
        try:
            return (self._folder / f"{project}.project" / "data.zip").stat().st_mtime
        except OSError:
            return 0.0

    async def _is_working(self, project: str) -> bool:
        """Whether something long runs on it: OpenRefine itself does not save meanwhile either."""
        answer = await self._ask(_PROCESSES.format(project), most=_MOST_BYTES)
        return answer.status == 200 and bool(json.loads(answer.body).get("processes"))

    async def _save(self, project: str, modified: str) -> bool:
        began = self._monotonic()
        # Noted before: a change during the save has a later time, and is seen at the next look.
        answer = await self._ask(_EXPORT.format(project), method="POST")
        took = self._monotonic() - began
        self._not_before[project] = self._monotonic() + SHARE * took
        if answer.status != 200:
            return False
        self._saved[project] = modified
        self._seen.pop(project, None)
        return True


def _moment(modified: str) -> float:
    return datetime.fromisoformat(modified).timestamp()

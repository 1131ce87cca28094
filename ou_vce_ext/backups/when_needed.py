"""Backups are loaded when they are first needed, or soon after the server's start: not before it.

They are a good part of all our code, and loading them would hold up every start of Jupyter. So this
module imports nothing of them, and what has to be told meanwhile it can tell by itself: nothing has
been looked at, nothing runs. It is done in a thread, so that nobody waits for it who asks for
something else.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..models_status import Problem
from ..sentences import say
from ..services.clock import Clock
from ..services.operations import Running
from ..services.registry import Registry
from ..services.turns import giving_way
from .untouched import wants_seed

if TYPE_CHECKING:
    from .manager import Backups

SOON: Final = 2.0
"""Seconds after the server's start in which it has better things to do, unless somebody asks."""


class BackupsWhenNeeded:
    """The backups of one home, loaded or not yet. Lives in the event loop.

    ``is_ours`` tells whether this Jupyter owns the house, so that it may tidy up in it.
    """

    def __init__(
        self,
        registry: Registry,
        *,
        root_dir: Path,
        clock: Clock,
        log: logging.Logger,
        is_ours: Callable[[], bool],
    ) -> None:
        self._registry = registry
        self._root_dir = root_dir
        self._clock = clock
        self._log = log
        self._is_ours = is_ours
        self._backups: Backups | None = None
        self._loading: asyncio.Task[Backups] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._closed = False
        registry.team.before_start = self._before_start
        registry.team.before_stop = self._before_stop

    async def loaded(self) -> Backups:
        """The backups themselves; the first to ask waits for them to be loaded."""
        if self._backups is not None:
            return self._backups
        if self._loading is None:
            self._loading = asyncio.get_running_loop().create_task(self._load())
        # Whoever asked first may go away; others wait for the same.
        return await asyncio.shield(self._loading)

    async def _load(self) -> Backups:
        kinds = {self._registry.get(name).spec.kind for name in self._registry.names()}
        try:
            await asyncio.to_thread(giving_way(_import), kinds)
        except BaseException:
            self._loading = None
            raise
        from .manager import Backups

        # It takes the place of what was told for it.
        self._backups = Backups(
            self._registry, root_dir=self._root_dir, clock=self._clock, log=self._log
        )
        if self._closed:
            await self._backups.aclose()
        elif self._is_ours():
            self._begin(self._backups.open())
        return self._backups

    def open_soon(self) -> None:
        """Have them there before long: what is due is taken though nobody asks."""
        self._begin(self._open_soon())

    async def _open_soon(self) -> None:
        await asyncio.sleep(SOON)
        try:
            await self.loaded()
        except Exception:
            self._log.exception("backups could not be loaded, so none is taken by itself")

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(work))

    async def _before_start(self, service: str, running: Running) -> None:
        """Have the seed of a service there at its first start. Raises VceError."""
        driver = self._registry.get(service).driver
        if self._is_ours() and await asyncio.to_thread(wants_seed, driver):
            # How long a start usually takes says nothing of this one.
            running.progress(say("Loading what your module provides"), 0.0)
            backups = await self.loaded()
            from .first_start import sow

            await sow(backups.house, backups.counter, service, running)

    async def _before_stop(self, service: str, running: Running) -> None:
        """What they do before somebody's stop of a service, where anything is declared."""
        if self._registry.get(service).spec.backup.get("on_stop") is True:
            await (await self.loaded()).before_stop(service, running)

    def problems(self) -> list[Problem]:
        """What a person should know of them, as far as they have looked."""
        return self._backups.timetable.problems() if self._backups else []

    async def aclose(self) -> None:
        """End all work on data; what is swapping finishes first."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        if self._loading:
            with suppress(Exception):
                await (await self._loading).aclose()


def _import(kinds: set[str]) -> None:
    """Import them, and what is special of ``kinds``. Blocks; not for the event loop."""
    from . import manager  # noqa: F401
    from .kinds import import_for

    import_for(kinds)

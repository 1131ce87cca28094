"""Takes what is due, lets go what is too much, and tells of changes that are in no backup."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from ..errors import VceError
from ..models import Capability, Operation, OperationState
from ..models_backup import Reason
from ..models_status import Problem
from ..sentences import say
from ..services.lifecycle import Lifecycle
from ..states import RUNNING, ServiceState
from .counter import Counter
from .desk import Desk
from .job import House
from .keeping import surplus
from .kept import KeptFolders, remove_backup
from .policy import SETTLED, Policy
from .schedule import is_due, newest_taken, warning
from .strategy import Strategy
from .tidying import Tidier

ROUND: Final = 60.0
"""Seconds between two looks at what is due."""
_SETTLING: Final = timedelta(minutes=5)
"""What a service still writes after its last backup, being stopped, is no use of it."""

BackUp = Callable[[str, Reason], Awaitable[Operation]]


class Timetable:
    """Looks round every minute. Lives in the event loop."""

    def __init__(
        self, house: House, counter: Counter, desk: Desk, tidier: Tidier, back_up: BackUp
    ) -> None:
        self._registry = house.registry
        self._counter = counter
        self._store = house.store
        self._desk = desk
        self._tidier = tidier
        self._back_up = back_up
        self._clock = house.clock
        self._log = house.log
        self._began = self._clock.now()
        self._tried: dict[str, datetime] = {}
        self._changed: dict[str, datetime] = {}
        self._failed: dict[str, Operation] = {}
        self._moments: dict[str, object] = {}
        """How the data were when a backup was begun that is there now."""
        self._ours: set[str] = set()
        desk.ended.append(self._ended)

    async def run(self) -> None:
        """Look round until cancelled; the first time at once, for what was missed."""
        while True:
            try:
                await self.look_round()
            except Exception:
                # Tomorrow's backup is worth more than today's defect.
                self._log.exception("looking what backups are due broke")
            await self._clock.sleep(ROUND)

    async def look_round(self) -> None:
        """Begin each backup that is due."""
        for item, strategy in self._counter.all_able(Capability.BACKUP):
            name = item.spec.name
            if self._tidier.wants(name) and self._desk.is_free(frozenset({name})):
                await self._tidier.tidy([name])
            newest = newest_taken(stored.backup for stored in self._store.known(name))
            policy, now = Policy.for_service(item.spec), self._clock.now()
            if policy.warn_after:
                await self._note_changes(item, strategy)
            if not is_due(policy, newest, now, self._tried.get(name)):
                continue
            if not self._desk.is_free(frozenset({name})):
                continue
            if policy.unasked and not await self._is_worth_it(item, strategy):
                continue
            if newest and not self._was_used(item, newest.created):
                continue
            if newest is None and item.state not in RUNNING and not self._last_words(item):
                continue  # it has never run, so there is nothing to keep
            self._tried[name] = now
            try:
                self._ours.add((await self._back_up(name, Reason.SCHEDULED)).id)
            except VceError as reason:
                self._log.warning("%s: no automatic backup now: %s", name, reason)
        await self._sweep()

    async def _sweep(self) -> None:
        """Let go of what completes safety copies that people have deleted by themselves."""
        for name in self._registry.names():
            folders = KeptFolders(self._registry.get(name).driver.site.private_dir)
            if not await asyncio.to_thread(folders.any):
                continue
            await self._store.look()
            # One that cannot be read is still there, and work that goes on has its own plans.
            if self._store.unlisted(Reason.SAFETY) or not self._desk.is_free(frozenset({name})):
                continue
            copies = {stored.backup.sha256 for stored in self._store.known()}
            for gone in await asyncio.to_thread(folders.sweep, copies, self._clock.now()):
                self._log.info("%s is deleted: its safety copy is no longer there", gone)

    async def _is_worth_it(self, item: Lifecycle, strategy: Strategy) -> bool:
        """Whether one that nobody asked for may be taken now, and has something to take."""
        if item.state is not ServiceState.READY or self._clock.now() - item.since < SETTLED:
            return False
        return await strategy.moved_on(self._moments.get(item.spec.name))

    async def _note_changes(self, item: Lifecycle, strategy: Strategy) -> None:
        if item.state is not ServiceState.READY:
            if item.spec.name not in self._changed and (last := self._last_words(item)):
                self._changed[item.spec.name] = last
            return
        if await strategy.changed() is not False:
            self._changed[item.spec.name] = self._clock.now()

    def _was_used(self, item: Lifecycle, since: datetime) -> bool:
        """Whether a service has run since a backup: what rests does not change."""
        if item.state in RUNNING:
            return True
        last = self._last_words(item)
        return last is not None and last > since + _SETTLING

    def _last_words(self, item: Lifecycle) -> datetime | None:
        """When a service last wrote to its log."""
        with suppress(OSError):
            return datetime.fromtimestamp(Path(item.driver.site.log_file).stat().st_mtime, UTC)
        return None

    def _ended(self, operation: Operation, used: str | None) -> None:
        service = operation.service
        if operation.kind != "backup" or service is None:
            return
        ours = operation.id in self._ours
        self._ours.discard(operation.id)
        if operation.state is OperationState.SUCCEEDED:
            self._failed.pop(service, None)
            self._tried.pop(service, None)
            if strategy := self._counter.strategy(service):
                self._moments[service] = strategy.moment
        elif operation.state is OperationState.FAILED and ours:
            self._failed[service] = operation

    async def make_room(self, service: str) -> None:
        """Delete what the rules let go of a service's backups. Never raises."""
        policy = Policy.for_service(self._registry.get(service).spec)
        known = {stored.id: stored for stored in self._store.known(service)}
        private = self._registry.get(service).driver.site.private_dir
        beside = await asyncio.to_thread(KeptFolders(private).sizes)
        # What completes a copy goes with it, and takes room as long as it does.
        backups = [
            replace(each.backup, bytes=each.backup.bytes + beside.get(each.backup.sha256, 0))
            for each in known.values()
        ]
        for backup in surplus(backups, policy, self._clock.now()):
            if backup.id in self._desk.in_use():
                continue
            try:
                await remove_backup(self._registry, self._store, known[backup.id])
                self._log.info("%s is deleted: %s are kept", backup.path, policy)
            except OSError as error:
                self._log.warning("%s could not be deleted: %s", backup.path, error)

    def problems(self) -> list[Problem]:
        """What a person should know: backups that failed by themselves, or that are too old."""
        found = []
        for item, _ in self._counter.all_able(Capability.BACKUP):
            spec = item.spec
            newest = newest_taken(stored.backup for stored in self._store.known(spec.name))
            changed = self._changed.get(spec.name)
            policy = Policy.for_service(spec)
            told = warning(spec.name, spec.title, policy, newest, changed, self._began)
            failed = self._failed.get(spec.name)
            if failed and failed.error:
                told = Problem(
                    spec.name,
                    "backup-failed",
                    say(
                        "The automatic backup of {title} failed. {message}",
                        title=spec.title,
                        message=failed.error.message,
                    ),
                    failed.error.hint,
                    failed.finished or failed.started,
                )
            if told:
                found.append(told)
        return found

"""What people ask for: backups, proofs, restores and resets, as operations."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from ..drivers.base import Driver
from ..errors import ConflictError, VceError
from ..models import Capability, Json, Operation
from ..models_backup import Backup, BackupSummary, Reason, ResetPreview, Verified
from ..sentences import say
from ..services.clock import Clock
from ..services.lifecycle import Lifecycle
from ..services.operations import Running
from ..services.registry import Registry
from ..states import ServiceState
from . import folders as files
from . import restoring, room
from .advice import Adviser
from .counter import Counter, refuse_external
from .desk import Asked, Desk
from .everything import all_there, take_everything
from .job import House, Job, is_usable, refuse_unless_usable, watch_of
from .kept import remove_backup
from .kinds import strategy_for
from .plan import Plan, restore
from .policy import Policy
from .previews import preview
from .proofs import Proofs
from .prover import Prover
from .store import Store, Stored
from .strategy import Strategy
from .taking import in_words, take
from .threads import made
from .tidying import Tidier
from .timetable import Timetable
from .uploads import Upload, take_in


class Backups:
    """Backups of one home's services. Lives in the event loop."""

    def __init__(
        self,
        registry: Registry,
        *,
        strategy_for: Callable[[Driver], Strategy | None] = strategy_for,
        root_dir: Path,
        clock: Clock,
        log: logging.Logger,
    ) -> None:
        self.registry = registry
        self.counter = Counter(registry, strategy_for)
        self.store = Store(root_dir, self.counter.recognise, log)
        self.house = House(registry, self.store, clock, log)
        self.tidier = Tidier(self.counter, registry, log)
        self.desk = Desk(registry, self.tidier.tidy)
        self.proofs = Proofs(self.house, self.counter, self.desk)
        self.prover = Prover(self.store, self.desk, self.proofs.by_itself, log)
        self.timetable = Timetable(self.house, self.counter, self.desk, self.tidier, self.back_up)
        self.proofs.proven.append(self.timetable.make_room)
        self.adviser = Adviser(registry, self.store, clock)
        self._rounds: asyncio.Task[None] | None = None
        registry.newest_backup = self.newest
        registry.gives_way = self.desk.gives_way
        registry.team.before_stop = self.before_stop

    # -- looking ---------------------------------------------------------------------------------

    async def list(self, service: str | None = None) -> list[Backup]:
        """The backups there are, newest first."""
        await self.store.look()
        return [stored.backup for stored in self.store.known(service)]

    async def get(self, identifier: str) -> Stored:
        """One backup. Raises UnknownError."""
        return await self.store.get(identifier)

    def newest(self, service: str) -> BackupSummary | None:
        """A service's newest backup in brief, as last seen."""
        stored = self.store.newest(service)
        return stored.backup.summary if stored else None

    async def preview_reset(self, service: str) -> ResetPreview:
        """What a reset would do. Raises VceError."""
        item, strategy = self.counter.able(service, Capability.RESET)
        if strategy.needs_running and item.state is not ServiceState.READY:
            refuse_unless_usable(item)
            raise ConflictError(
                say(
                    "{title} is not running, so nobody can say what a reset would remove.",
                    title=item.spec.title,
                ),
                say("Start it, then look again."),
            )
        return await preview(item, strategy, self.store.folder(service))

    # -- asking ----------------------------------------------------------------------------------

    async def back_up(self, service: str, reason: Reason = Reason.MANUAL) -> Operation:
        """Back up a service; joins a backup that runs. Raises VceError."""
        item, strategy = self.counter.able(service, Capability.BACKUP)
        asked: Asked = ("backup", service)
        if joined := self.desk.joined(frozenset({service}), asked):
            return joined
        refuse_unless_usable(item)
        size = await self.counter.estimate(strategy)
        await self.counter.require((say("the backup"), self.store.folder(service), size))

        async def work(running: Running) -> Json:
            job = self._job(item, strategy, running)
            stored = await take(job, reason)
            running.progress(in_words(job.title, stored), 1.0)
            return await self._taken(stored)

        message = say("Backing up {title}", title=item.spec.title)
        by_itself = reason is Reason.SCHEDULED
        return self.desk.begin(
            "backup", frozenset({service}), message, work, asked, by_itself=by_itself
        )

    async def back_up_everything(self, folders: Sequence[str]) -> Operation:
        """Back up every service into one file, and ``folders`` with them. Raises VceError.

        Services that are not installed, or do not run though they should, are left out and named.
        """
        wanted = await asyncio.to_thread(files.chosen, self.store.root_dir, folders)
        able = self.counter.all_able(Capability.BACKUP)
        chosen = [(item, strategy) for item, strategy in able if is_usable(item)]
        missing = [item.spec.title for item, _ in able if item.state is ServiceState.FAILED]
        services = frozenset(item.spec.name for item, _ in chosen)
        asked: Asked = ("everything", wanted)
        if joined := self.desk.joined(services, asked):
            return joined
        if not services and not wanted:
            raise ConflictError(
                say("There is no service here that can be backed up."),
                say("Name folders that are to be taken along."),
            )
        sizes = [await self.counter.estimate(strategy) for _, strategy in chosen]
        sizes.append(await asyncio.to_thread(files.size_of, self.store.root_dir, wanted))
        largest = max(size or 0 for size in sizes)
        total = sum(size or 0 for size in sizes) + largest
        await self.counter.require((say("the backup"), self.store.top, total))

        async def work(running: Running) -> Json:
            watch = watch_of(running)
            jobs = [Job(self.house, *each, running, watch) for each in chosen]
            stored, left_out = await take_everything(self.house, jobs, wanted, Reason.MANUAL, watch)
            running.progress(all_there(stored.file.name, missing, left_out), 1.0)
            return await self._taken(stored)

        message = say("Backing up everything")
        return self.desk.begin("backup", services, message, work, asked, of_all=True)

    async def verify(self, identifier: str) -> Operation:
        """Prove a backup; joins a proof of the same that runs. Raises VceError."""
        return await self.proofs.asked(await self.store.get(identifier))

    async def restore(
        self,
        identifier: str,
        *,
        name: str | None = None,
        items: Iterable[str] | None = None,
        without_safety_copy: bool = False,
    ) -> Operation:
        """Bring a backup's data back, whole or in part, in place or beside as ``name``.

        Joins the same restore where it runs. Raises VceError.
        """
        stored = await self.store.get(identifier)
        wanted = None if items is None else frozenset(items)
        plan = await Plan.make(stored, wanted, name, self.counter, safely=not without_safety_copy)
        services = frozenset(plan.services)
        asked: Asked = ("restore", identifier, name, wanted, without_safety_copy)
        if joined := self.desk.joined(services, asked):
            return joined
        await plan.require_room(self.counter, self.store)
        if name is None:
            for service in services:
                self.registry.spare_dependents(service)

        async def work(running: Running) -> Json:
            watch = watch_of(running)
            jobs = {
                each: Job(self.house, *parties, running, watch)
                for each, parties in plan.services.items()
            }
            return await restore(self.house, jobs, plan, running, watch)

        message = say("Restoring {name}", name=stored.file.name)
        of_all = stored.backup.service is None
        return self.desk.begin(
            "restore", services, message, work, asked, uses=identifier, of_all=of_all
        )

    async def reset(self, service: str, *, without_safety_copy: bool = False) -> Operation:
        """Make a service as fresh as declared; joins a reset that runs. Raises VceError."""
        item, strategy = self.counter.able(service, Capability.RESET)
        asked: Asked = ("reset", service, without_safety_copy)
        if joined := self.desk.joined(frozenset({service}), asked):
            return joined
        refuse_external(item)
        needs = [await self.counter.to_build(item, strategy, None)]
        if not without_safety_copy:
            refuse_unless_usable(item)
            size = await self.counter.estimate(strategy)
            needs.append((say("the safety copy"), self.store.folder(service), size))
        await self.counter.require(*needs)
        self.registry.spare_dependents(service)

        async def work(running: Running) -> Json:
            job = self._job(item, strategy, running)
            return await restoring.reset(job, safely=not without_safety_copy)

        message = say("Resetting {title}", title=item.spec.title)
        return self.desk.begin("reset", frozenset({service}), message, work, asked)

    async def upload(self, service: str, filename: str, size: int | None) -> Upload:
        """Begin to take in a file of ``size`` bytes. Raises VceError."""
        self.counter.able(service, Capability.RESTORE)
        folder = self.store.folder(service)
        await self.counter.require((say("the file"), folder, size))
        return await made(lambda: Upload(service, filename, folder), Upload.abandon)

    async def take_in(self, upload: Upload) -> Stored:
        """See that an uploaded file is a backup, and list it. Raises VceError; it is gone then."""
        return await take_in(upload, self.store, self.counter.recognise)

    async def pin(self, identifier: str, pinned: bool) -> Backup:
        """Keep a backup whatever the rules say, or no longer. Raises VceError."""
        stored = await self.store.get(identifier)
        try:
            return (await self.store.pin(stored, pinned)).backup
        except OSError as error:
            raise room.explained(error, say("the note of it")) from error

    async def remove(self, identifier: str) -> None:
        """Delete a backup. Raises VceError; ConflictError while an operation uses it."""
        stored = await self.store.get(identifier)
        await self.desk.let_go(identifier)
        try:
            await remove_backup(self.registry, self.store, stored)
        except OSError as error:
            raise room.explained(error, say("the folder of it")) from error

    # -- by itself -------------------------------------------------------------------------------

    async def _taken(self, stored: Stored) -> Json:
        """A backup is there: have it proven, and let go what is too much. Gives its JSON."""
        service = stored.backup.service
        spec = self.registry.get(service).spec if service else None
        if spec is None or Policy.for_service(spec).verify:
            self.prover.want(stored.id)
        if service:
            await self.timetable.make_room(service)
        return stored.backup.to_json()

    async def before_stop(self, service: str, running: Running) -> None:
        """Back up a service that somebody stops, where that is declared. Never raises VceError.

        A desktop's program may have ended by itself when it was asked to close.
        """
        item = self.registry.get(service)
        if not Policy.for_service(item.spec).on_stop:
            return
        try:
            _, strategy = self.counter.able(service, Capability.BACKUP)
            running.progress(say("Backing up {title} before it stops", title=item.spec.title))
            stored = await take(self._job(item, strategy, running), Reason.SCHEDULED)
            await self._taken(stored)
        except VceError as reason:
            self.house.log.warning("%s was not backed up before its stop: %s", service, reason)

    def _job(self, item: Lifecycle, strategy: Strategy, running: Running) -> Job:
        return Job(self.house, item, strategy, running, watch_of(running))

    # -- with the server -------------------------------------------------------------------------

    async def open(self) -> None:
        """See what is there, and remove what was cut off. Once the house is ours."""
        await asyncio.to_thread(self.store.clear_partials)
        await self.tidier.tidy(self.registry.names())
        await self.store.look(None)
        self.adviser.look_again()
        for stored in self.store.known():
            brought = stored.backup.reason is Reason.UPLOAD
            if stored.ours and not brought and stored.backup.verified is Verified.UNVERIFIED:
                self.prover.want(stored.id)
        self._rounds = asyncio.get_running_loop().create_task(self.timetable.run())

    async def aclose(self) -> None:
        """End all work on data; what is swapping finishes first."""
        self.prover.close()
        if self._rounds:
            self._rounds.cancel()
        await self.desk.aclose()

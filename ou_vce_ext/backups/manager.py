"""What people ask for: backups, proofs, restores and resets, as operations."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from ..drivers.base import Driver
from ..errors import BadRequestError, ConflictError, UnknownError, VceError
from ..models import Capability, Json, Operation, OperationState
from ..models_backup import Backup, BackupSummary, Reason, ResetPreview, Verified
from ..services.clock import Clock
from ..services.description import capabilities
from ..services.lifecycle import Lifecycle
from ..services.operations import Running
from ..services.private_files import sync_folder
from ..services.registry import Registry
from ..states import ServiceState
from . import restoring, room
from .job import House, Job, refuse_unless_usable, watch_of
from .kinds import strategy_for
from .previews import preview
from .proving import prove
from .store import Store, Stored
from .strategy import Source, Strategy
from .swap import JOURNAL, Swap
from .taking import take
from .uploads import Upload

Asked = tuple[object, ...]
_ESTIMATE_PATIENCE: Final = 5.0
"""Seconds in which a service has to say how large its data are."""


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
        self.store = Store(root_dir, self._recognise, log)
        self.house = House(registry, self.store, clock, log)
        self._strategy_for = strategy_for
        self._strategies: dict[str, Strategy | None] = {}
        self._asked: dict[str, Asked] = {}
        self._in_use: dict[str, tuple[str, ...]] = {}
        self._to_prove: deque[str] = deque()
        self._proving: str | None = None
        self._background: set[asyncio.Task[None]] = set()
        self._closing = False
        registry.newest_backup = self.newest
        registry.operations.listeners.append(self._worked)

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
        item, strategy = self._able(service, Capability.RESET)
        if strategy.needs_running and item.state is not ServiceState.READY:
            refuse_unless_usable(item)
            raise ConflictError(
                f"{item.spec.title} is not running, so nobody can say what a reset would remove.",
                "Start it, then look again.",
            )
        return await preview(item, strategy, self.store.folder(service))

    def strategy(self, service: str) -> Strategy | None:
        """How a service is backed up, or None where its kind cannot be. Raises UnknownError."""
        item = self.registry.get(service)
        if service not in self._strategies:
            usable = not item.spec.problem
            self._strategies[service] = self._strategy_for(item.driver) if usable else None
        return self._strategies[service]

    # -- asking ----------------------------------------------------------------------------------

    async def back_up(self, service: str, reason: Reason = Reason.MANUAL) -> Operation:
        """Back up a service; joins a backup that runs. Raises VceError."""
        item, strategy = self._able(service, Capability.BACKUP)
        asked: Asked = ("backup", service)
        if joined := self._in_the_way(service, asked):
            return joined
        refuse_unless_usable(item)
        size = await self._estimate(strategy)
        await self._require_room([("the backup", self.store.folder(service), size)])

        async def work(running: Running) -> Json:
            job = self._job(item, strategy, running)
            running.progress(f"Backing up {job.title}")
            stored = await take(job, reason)
            running.progress(f"{job.title} is backed up: {stored.file.name}", 1.0)
            self._prove_later(stored.id)
            return stored.backup.to_json()

        return self._begin("backup", service, f"Backing up {item.spec.title}", work, asked)

    async def verify(self, identifier: str) -> Operation:
        """Prove a backup; joins a proof of the same that runs. Raises VceError."""
        stored = await self.store.get(identifier)
        return await self._verify(stored, automatic=False)

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
        item, strategy = self._able(_service_of(stored), Capability.RESTORE)
        wanted = None if items is None else frozenset(items)
        _check_items(stored, wanted)
        service = item.spec.name
        asked: Asked = ("restore", identifier, name, wanted, without_safety_copy)
        if joined := self._in_the_way(service, asked):
            return joined
        if name is None:
            self._refuse_external(item)
            if wanted is not None and without_safety_copy:
                raise BadRequestError(
                    "A part of a backup cannot be restored in place without a safety copy: what "
                    "is to stay is carried over from it. Nothing was done.",
                    "Restore the part under another name, or allow the safety copy.",
                )
            await self._require_room_to_replace(item, strategy, stored, without_safety_copy)
        else:
            refuse_unless_usable(item)
            needs = [("the data", item.driver.data_dir, restoring.size_of(stored))]
            await self._require_room(needs)

        async def work(running: Running) -> Json:
            job = self._job(item, strategy, running)
            if name is not None:
                return await restoring.beside(job, stored, wanted, name)
            return await restoring.in_place(
                job, stored, wanted, with_safety_copy=not without_safety_copy
            )

        message = f"Restoring {stored.file.name}"
        return self._begin("restore", service, message, work, asked, uses=(identifier,))

    async def reset(self, service: str, *, without_safety_copy: bool = False) -> Operation:
        """Make a service as fresh as declared; joins a reset that runs. Raises VceError."""
        item, strategy = self._able(service, Capability.RESET)
        asked: Asked = ("reset", service, without_safety_copy)
        if joined := self._in_the_way(service, asked):
            return joined
        self._refuse_external(item)
        await self._require_room_to_replace(item, strategy, None, without_safety_copy)

        async def work(running: Running) -> Json:
            job = self._job(item, strategy, running)
            return await restoring.reset(job, with_safety_copy=not without_safety_copy)

        return self._begin("reset", service, f"Resetting {item.spec.title}", work, asked)

    async def back_up_everything(self, folders: Sequence[str]) -> Operation:
        """Back up every service into one file, and ``folders`` with them. Raises VceError."""
        raise ConflictError("This cannot be done yet.", code="capability-missing")

    async def upload(self, service: str, filename: str, size: int | None) -> Upload:
        """Begin to take in a file of ``size`` bytes. Raises VceError."""
        self._able(service, Capability.RESTORE)
        folder = self.store.folder(service)
        await self._require_room([("the file", folder, size)])
        return await asyncio.to_thread(Upload, service, filename, folder)

    async def take_in(self, upload: Upload) -> Stored:
        """See that an uploaded file is a backup, and list it. Raises VceError; it is gone then."""
        try:
            sha256 = await asyncio.to_thread(upload.close)
            await self._recognise(upload.service, upload.partial, upload.filename)
            await asyncio.to_thread(_name_it, upload.partial, upload.path)
            return await self.store.take_in(upload.path, upload.service, sha256)
        except OSError as error:
            raise room.explained(error, "the file") from error
        finally:
            await asyncio.to_thread(upload.abandon)

    async def pin(self, identifier: str, pinned: bool) -> Backup:
        """Keep a backup whatever the rules say, or no longer. Raises VceError."""
        stored = await self.store.get(identifier)
        try:
            return (await self.store.pin(stored, pinned)).backup
        except OSError as error:
            raise room.explained(error, "the note of it") from error

    async def remove(self, identifier: str) -> None:
        """Delete a backup. Raises VceError; ConflictError while an operation uses it."""
        stored = await self.store.get(identifier)
        for operation, used in self._in_use.items():
            if identifier in used:
                if operation == self._proving:
                    self.registry.operations.abort(operation)
                    await self.registry.operations.wait(operation)
                    continue
                raise ConflictError(
                    f"This backup is in use (operation {operation}), so it was not deleted.",
                    "Wait until that has ended, or cancel it, then delete it.",
                )
        try:
            await self.store.remove(stored)
        except OSError as error:
            raise room.explained(error, "the folder of it") from error

    # -- proving by itself -----------------------------------------------------------------------

    def _prove_later(self, identifier: str) -> None:
        if identifier not in self._to_prove:
            self._to_prove.append(identifier)
        self._soon(self._prove_next())

    async def _prove_next(self) -> None:
        """Prove the first of those that wait whose service nobody works on, one at a time."""
        if self._proving or self._closing:
            return
        known = {stored.id: stored for stored in self.store.known()}
        for identifier in list(self._to_prove):
            stored = known.get(identifier)
            if stored is None or stored.backup.verified is not Verified.UNVERIFIED:
                self._to_prove.remove(identifier)
                continue
            service = stored.backup.service
            if service and self.registry.operations.running(service):
                continue
            try:
                await self._verify(stored, automatic=True)
            except VceError as reason:
                self.house.log.info("%s is not proven now: %s", stored.file.name, reason)
                self._to_prove.remove(identifier)
                continue
            return

    async def _verify(self, stored: Stored, *, automatic: bool) -> Operation:
        item, strategy = self._able(_service_of(stored), Capability.BACKUP)
        asked: Asked = ("verify", stored.id)
        if joined := self._in_the_way(item.spec.name, asked):
            if not automatic and joined.id == self._proving:
                self._proving = None  # a person waits for it now: it steps back for nobody
            return joined
        needs = [("a scratch copy", item.driver.data_dir, restoring.size_of(stored))]
        await self._require_room(needs)

        async def work(running: Running) -> Json:
            job = self._job(item, strategy, running)
            proven = await prove(job, stored)
            running.progress(f"{stored.file.name} can be restored: it was tried", 1.0)
            return proven.backup.to_json()

        operation = self._begin(
            "verify",
            item.spec.name,
            f"Checking that {stored.file.name} can be restored",
            work,
            asked,
            uses=(stored.id,),
            aside=True,
        )
        if automatic:
            self._proving = operation.id
        return operation

    # -- operations ------------------------------------------------------------------------------

    def _begin(
        self,
        kind: str,
        service: str | None,
        message: str,
        work: Callable[[Running], Awaitable[Json]],
        asked: Asked,
        *,
        uses: tuple[str, ...] = (),
        aside: bool = False,
        holds: frozenset[str] = frozenset(),
    ) -> Operation:
        services = holds | ({service} if service else set())
        for name in services:
            # What has come in between, while the room was measured.
            if joined := self._in_the_way(name, asked):
                return joined
        if self._closing:
            raise ConflictError(
                "JupyterLab is ending, so nothing new is begun.", "Try again when it is back."
            )
        before = [found for name in services if (found := self._step_back(name))]

        async def do(running: Running) -> Json:
            for operation in before:
                await self.registry.operations.wait(operation.id)
            return await work(running)

        operation = self.registry.operations.run(
            kind, service, message, do, cancellable=True, aside=aside, holds=holds
        )
        self._asked[operation.id] = asked
        self._in_use[operation.id] = uses
        return operation

    def _in_the_way(self, service: str, asked: Asked) -> Operation | None:
        """The running operation that was asked for just so. Raises ConflictError for another."""
        operations = self.registry.operations
        for working in (operations.running(service), operations.aside(service)):
            if working is None:
                continue
            if self._asked.get(working.id) == asked:
                return working
            if working.id != self._proving:
                raise self.registry.conflict(service, working)
        return None

    def _step_back(self, service: str) -> Operation | None:
        """End a proof that nobody asked for; it is begun again later."""
        working = self.registry.operations.aside(service)
        if working is None or working.id != self._proving:
            return None
        self.registry.operations.abort(working.id)
        return working

    def _worked(self, operation: Operation) -> None:
        if operation.state is OperationState.RUNNING:
            return
        used = self._in_use.pop(operation.id, ())
        self._asked.pop(operation.id, None)
        if operation.id == self._proving:
            self._proving = None
            if operation.state is not OperationState.CANCELLED:
                for identifier in used:
                    if identifier in self._to_prove:
                        self._to_prove.remove(identifier)
        if self._to_prove:
            self._soon(self._prove_next())

    def _soon(self, work: Awaitable[None]) -> None:
        if self._closing:
            if asyncio.iscoroutine(work):
                work.close()
            return
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def _job(self, item: Lifecycle, strategy: Strategy, running: Running) -> Job:
        return Job(self.house, item, strategy, running, watch_of(running))

    def _able(self, service: str, capability: Capability) -> tuple[Lifecycle, Strategy]:
        """A service and how it is backed up. Raises UnknownError or ConflictError."""
        item = self.registry.get(service)
        strategy = self.strategy(service)
        if strategy is None or capability not in capabilities(item):
            done = {Capability.RESET: "reset", Capability.RESTORE: "restored"}
            raise ConflictError(
                f"{item.spec.title} cannot be {done.get(capability, 'backed up')} from here.",
                "",
                code="capability-missing",
            )
        return item, strategy

    def _refuse_external(self, item: Lifecycle) -> None:
        if item.spec.external:
            raise ConflictError(
                f"{item.spec.title} is run outside JupyterLab, so its data are never replaced from "
                "here. Nothing was changed.",
                "Restore the backup under another name: that puts it beside what is there.",
                code="capability-missing",
            )

    async def _recognise(self, service: str, path: Path, filename: str) -> Source:
        strategy = None
        with suppress(UnknownError):
            strategy = self.strategy(service)
        if strategy is None:
            raise ConflictError(f"{service} has no backups here.", code="capability-missing")
        return await strategy.open(path, filename)

    # -- room ------------------------------------------------------------------------------------

    async def _estimate(self, strategy: Strategy) -> int | None:
        try:
            async with asyncio.timeout(_ESTIMATE_PATIENCE):
                return await strategy.estimate()
        except TimeoutError:
            return None

    async def _require_room(self, needs: Iterable[tuple[str, Path, int | None]]) -> None:
        await asyncio.to_thread(room.require, list(needs))

    async def _require_room_to_replace(
        self, item: Lifecycle, strategy: Strategy, stored: Stored | None, without: bool
    ) -> None:
        needs: list[tuple[str, Path, int | None]] = []
        if not without:
            refuse_unless_usable(item)
            size = await self._estimate(strategy)
            needs.append(("the safety copy", self.store.folder(item.spec.name), size))
        live = await strategy.data_bytes() or 0
        size = max(live, restoring.size_of(stored)) if stored else live
        needs.append(("the new data", item.driver.data_dir, size))
        await self._require_room(needs)

    # -- with the server -------------------------------------------------------------------------

    def recover(self) -> None:
        """See that all live data are whole, before anything opens them. Blocks, for a moment."""
        for name in self.registry.names():
            item = self.registry.get(name)
            try:
                if swap := Swap.left(item.driver.site.private_dir / JOURNAL):
                    which = swap.recover()
                    self.house.log.warning("%s: a restore was cut off: %s data", name, which)
            except (OSError, ValueError, KeyError, TypeError):
                self.house.log.exception("%s: a restore was cut off and cannot be settled", name)

    async def open(self) -> None:
        """See what is there, and remove what was cut off. Once the house is ours."""
        await asyncio.to_thread(self.store.clear_partials)
        for name in self.registry.names():
            if strategy := self.strategy(name):
                try:
                    await strategy.clean()
                except Exception:
                    self.house.log.exception("what was left of work on %s is still there", name)
        await self.store.look(None)
        for stored in self.store.known():
            ours = stored.ours and stored.backup.reason is not Reason.UPLOAD
            if ours and stored.backup.verified is Verified.UNVERIFIED:
                self._to_prove.append(stored.id)
        self._soon(self._prove_next())

    async def aclose(self) -> None:
        """End all work on data; what is swapping finishes first."""
        self._closing = True
        operations = self.registry.operations
        ids = list(self._asked)
        for identifier in ids:
            operations.abort(identifier)
        for task in list(self._background):
            task.cancel()
        for identifier in ids:
            await operations.wait(identifier)


def _name_it(partial: Path, path: Path) -> None:
    if path.exists():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    os.rename(partial, path)
    sync_folder(path.parent)


def _service_of(stored: Stored) -> str:
    if stored.backup.service is None:
        raise ConflictError(
            "This is a backup of everything; choose one service's.", code="capability-missing"
        )
    return stored.backup.service


def _check_items(stored: Stored, wanted: frozenset[str] | None) -> None:
    """Raise BadRequestError where something is wanted that is not in the backup."""
    known = {item.key for item in stored.backup.contents}
    unknown = sorted(wanted - known) if wanted is not None else []
    if unknown:
        raise BadRequestError(
            f"There is no {unknown[0]!r} in this backup. Nothing was done.",
            "Name items by their key, as its contents list them.",
        )

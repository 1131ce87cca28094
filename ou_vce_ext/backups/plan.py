"""What a restore is about, found out and checked before anything is begun."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import BadRequestError, ConflictError, UnknownError
from ..models import Capability, Json
from ..models_backup import Reason
from ..services.lifecycle import Lifecycle
from ..services.operations import Running
from . import restoring
from .counter import Counter, Need, refuse_external
from .folders import unpack
from .job import House, Job, guarded, refuse_unless_usable
from .parts import BETWEEN, Part, by_service, parts_of
from .reader import Archive
from .restoring import Wanted, way_back
from .store import Store, Stored
from .strategy import Strategy
from .threads import in_thread
from .watch import Watch


@dataclass(frozen=True, slots=True)
class Plan:
    """Which parts of a backup go where.

    ``services`` are those to be worked on, ``wanted`` their items; ``folders`` those to be put
    beside what is there (None: all, empty: none); ``name`` is what a load beside is called.
    """

    stored: Stored
    parts: Mapping[str, Part]
    services: Mapping[str, tuple[Lifecycle, Strategy]]
    wanted: Wanted
    folders: frozenset[str] | None
    name: str | None
    safely: bool
    proof: bool

    @classmethod
    async def make(
        cls,
        stored: Stored,
        items: frozenset[str] | None,
        name: str | None,
        counter: Counter,
        *,
        safely: bool,
        proof: bool = False,
    ) -> Plan:
        """Find out; ``proof`` where nothing live is touched. Raises VceError."""
        _check_items(stored, items)
        parts = await guarded("the backup", lambda: parts_of(stored))
        wanted, folders = _sorted_out(stored, parts, items)
        capability = Capability.BACKUP if proof else Capability.RESTORE
        services = {}
        for service in wanted:
            try:
                services[service] = counter.able(service, capability)
            except UnknownError:
                raise ConflictError(
                    f"There is no service {service} here, so its part of this backup cannot be "
                    "used. Nothing was done.",
                    "Restore the parts you want by naming them.",
                ) from None
        plan = cls(stored, parts, services, wanted, folders, name, safely, proof)
        if not proof:
            plan.check()
        return plan

    def check(self) -> None:
        """Raise VceError where it cannot be, as things are now."""
        if self.name is not None and (len(self.services) != 1 or self.folders != frozenset()):
            raise BadRequestError(
                "Only one service's data can be put beside under a name. Nothing was done.",
                "Name the items of one service.",
            )
        for service, (item, _) in self.services.items():
            if self.name is not None:
                refuse_unless_usable(item)
                continue
            refuse_external(item)
            if self.safely:
                refuse_unless_usable(item)
            elif self.wanted[service] is not None:
                raise BadRequestError(
                    "A part of a backup cannot be restored in place without a safety copy: what "
                    "is to stay is carried over from it. Nothing was done.",
                    "Restore the part under another name, or allow the safety copy.",
                )

    async def require_room(self, counter: Counter, store: Store) -> None:
        """Raise VceError (``disk-full``) unless there is room for all of it."""
        needs: list[Need] = []
        for service, (item, strategy) in self.services.items():
            size = self.parts[service].unpacked
            if self.proof or self.name is not None:
                needs.append(("the data", item.driver.data_dir, size))
                continue
            needs.append(await counter.to_build(item, strategy, size))
            if self.safely:
                copy = await counter.estimate(strategy)
                needs.append(("the safety copy", store.folder(service), copy))
        await counter.require(*needs)


async def restore(
    house: House, jobs: Mapping[str, Job], plan: Plan, running: Running, watch: Watch
) -> Json:
    """Do what is planned; gives the operation's result. Raises VceError."""
    stored = plan.stored
    if plan.name is not None:
        [(service, job)] = jobs.items()
        return await restoring.beside(job, plan.parts[service], plan.wanted[service], plan.name)
    into = None
    if plan.folders != frozenset():
        watch.step("Copying folders", stored.backup.bytes)
        root, now = house.store.root_dir, house.clock.now()
        archive = await asyncio.to_thread(Archive, stored.file)

        into = await guarded(
            "the folders",
            lambda: in_thread(watch, unpack, archive, root, plan.folders, now, watch),
        )
    told = f"Folders of {stored.file.name} are in {into.name}" if into else ""
    safety = None
    if jobs:
        safety, kept = await restoring.in_place(
            house, jobs, stored, plan.wanted, safely=plan.safely
        )
        titles = " and ".join(job.title for job in jobs.values())
        has, is_ = ("has", "is") if len(jobs) == 1 else ("have", "are")
        undone = stored.backup.reason is Reason.SAFETY and None in plan.wanted.values()
        now_so = f"{is_} as before" if undone else f"{has} the data of {stored.file.name}"
        told = f"{titles} {now_so}. {way_back(safety, kept)}" + (f". {told}" if told else "")
    running.progress(told or "There was nothing to restore", 1.0)
    return {"safety_copy": safety.id if safety else None}


def _check_items(stored: Stored, items: frozenset[str] | None) -> None:
    """Raise BadRequestError where something is wanted that is not in the backup."""
    known = {item.key for item in stored.backup.contents}
    unknown = sorted(items - known) if items is not None else []
    if unknown:
        raise BadRequestError(
            f"There is no {unknown[0][:200]!r} in this backup. Nothing was done.",
            "Name items by their key, as its contents list them.",
        )


def _sorted_out(
    stored: Stored, parts: Mapping[str, Part], items: frozenset[str] | None
) -> tuple[dict[str, frozenset[str] | None], frozenset[str] | None]:
    """The items wanted of each service, and the folders."""
    if stored.backup.service is not None:
        return {stored.backup.service: items}, frozenset()
    if items is None:
        has_folders = any(item.key.startswith(BETWEEN) for item in stored.backup.contents)
        return dict.fromkeys(parts), None if has_folders else frozenset()
    wanted = by_service(items)
    folders = wanted.pop("", frozenset())
    return dict(wanted), folders

"""What a restore is about, found out and checked before anything is begun."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import BadRequestError, ConflictError, UnknownError
from ..listing import listed
from ..models import Capability, Json
from ..models_backup import Reason
from ..sentences import in_a_row, say, say_many
from ..services.lifecycle import Lifecycle
from ..services.operations import Running
from . import restoring
from .advice import is_of_another_release
from .counter import Counter, Need, refuse_external
from .folders import unpack
from .job import House, Job, guarded, refuse_unless_usable
from .parts import BETWEEN, Part, by_service, parts_of
from .reader import Archive
from .restoring import Wanted
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
        parts = await guarded(say("the backup"), lambda: parts_of(stored))
        wanted, folders = _sorted_out(stored, parts, items)
        capability = Capability.BACKUP if proof else Capability.RESTORE
        services = {}
        for service in wanted:
            try:
                services[service] = counter.able(service, capability)
            except UnknownError:
                raise ConflictError(
                    say(
                        "There is no service {service} here, so its part of this backup cannot be "
                        "used. Nothing was done.",
                        service=service,
                    ),
                    say("Restore the parts you want by naming them."),
                ) from None
        if name is None and len(services) == 1 and None in wanted.values():
            [(item, _)] = services.values()
            # There is nothing to copy with, and the old data folder is kept as it is.
            safely = safely and not is_of_another_release(item)
        plan = cls(stored, parts, services, wanted, folders, name, safely, proof)
        if not proof:
            plan.check()
        return plan

    def check(self) -> None:
        """Raise VceError where it cannot be, as things are now."""
        if self.name is not None and (len(self.services) != 1 or self.folders != frozenset()):
            raise BadRequestError(
                say("Only one service's data can be put beside under a name. Nothing was done."),
                say("Name the items of one service."),
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
                    say(
                        "A part of a backup cannot be restored in place without a safety copy: "
                        "what is to stay is carried over from it. Nothing was done."
                    ),
                    say("Restore the part under another name, or allow the safety copy."),
                )

    async def require_room(self, counter: Counter, store: Store) -> None:
        """Raise VceError (``disk-full``) unless there is room for all of it."""
        needs: list[Need] = []
        for service, (item, strategy) in self.services.items():
            size = self.parts[service].unpacked
            if self.proof or self.name is not None:
                needs.append((say("the data"), item.driver.data_dir, size))
                continue
            needs.append(await counter.to_build(item, strategy, size))
            if self.safely:
                copy = await counter.estimate(strategy)
                needs.append((say("the safety copy"), store.folder(service), copy))
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
        watch.step(say("Copying folders"), stored.backup.bytes)
        root, now = house.store.root_dir, house.clock.now()
        archive = await asyncio.to_thread(Archive, stored.file)

        into = await guarded(
            say("the folders"),
            lambda: in_thread(watch, unpack, archive, root, plan.folders, now, watch),
        )
    told: str = ""
    if into:
        told = say("Folders of {name} are in {folder}", name=stored.file.name, folder=into.name)
    result: Json = {"safety_copy": None, "kept": []}
    if jobs:
        guard = await restoring.in_place(house, jobs, stored, plan.wanted, safely=plan.safely)
        undone = stored.backup.reason is Reason.SAFETY and None in plan.wanted.values()
        titles = [job.title for job in jobs.values()]
        now_so = _now_so(titles, None if undone else stored.file.name)
        told = in_a_row((now_so, guard.way_back, told), ". ")
        result = guard.result
    running.progress(told or say("There was nothing to restore"), 1.0)
    return result


def _now_so(titles: Sequence[str], name: str | None) -> str:
    """How services are after a restore of the file ``name``, or (None) of their safety copy."""
    if name is None:
        return say_many(
            "{titles} is as before", "{titles} are as before", len(titles), titles=listed(titles)
        )
    return say_many(
        "{titles} has the data of {name}",
        "{titles} have the data of {name}",
        len(titles),
        titles=listed(titles),
        name=name,
    )


def _check_items(stored: Stored, items: frozenset[str] | None) -> None:
    """Raise BadRequestError where something is wanted that is not in the backup."""
    known = {item.key for item in stored.backup.contents}
    unknown = sorted(items - known) if items is not None else []
    if unknown:
        raise BadRequestError(
            say("There is no {item!r} in this backup. Nothing was done.", item=unknown[0][:200]),
            say("Name items by their key, as its contents list them."),
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

"""Proofs as operations: beside all other work on a service, since nothing live is touched."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ..models import Json, Operation
from ..sentences import say
from ..services.operations import Running
from .counter import Counter
from .desk import Asked, Desk
from .job import House, Job, watch_of
from .plan import Plan
from .prover import services_of
from .proving import prove
from .store import Stored


class Proofs:
    """Begins them. Lives in the event loop."""

    def __init__(self, house: House, counter: Counter, desk: Desk) -> None:
        self._house = house
        self._counter = counter
        self._desk = desk
        self.proven: list[Callable[[str], Awaitable[None]]] = []
        """Told of each service one of whose backups has just been proven."""

    async def asked(self, stored: Stored) -> Operation:
        """Prove a backup for somebody; joins a proof of the same that runs. Raises VceError."""
        return await self._begin(stored, by_itself=False)

    async def by_itself(self, stored: Stored) -> Operation:
        """Prove a backup, giving way to whatever a person asks for. Raises VceError."""
        return await self._begin(stored, by_itself=True)

    async def _begin(self, stored: Stored, *, by_itself: bool) -> Operation:
        services = services_of(stored)
        asked: Asked = ("verify", stored.id)
        if joined := self._desk.joined(services, asked):
            return joined
        plan = await Plan.make(stored, None, None, self._counter, safely=False, proof=True)
        await plan.require_room(self._counter, self._house.store)

        async def work(running: Running) -> Json:
            watch = watch_of(running)
            jobs = {
                each: Job(self._house, *parties, running, watch)
                for each, parties in plan.services.items()
            }
            proven = await prove(self._house, jobs, stored, watch)
            running.progress(
                say("{name} can be restored: it was tried", name=stored.file.name), 1.0
            )
            if proven.backup.service:
                for told in self.proven:
                    # An older proven one was kept until now.
                    await told(proven.backup.service)
            return proven.backup.to_json()

        return self._desk.begin(
            "verify",
            services,
            say("Checking that {name} can be restored", name=stored.file.name),
            work,
            asked,
            uses=stored.id,
            aside=True,
            by_itself=by_itself,
            of_all=stored.backup.service is None,
        )

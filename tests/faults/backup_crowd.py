"""Fault 26: everything asked for at once, of services whose work takes no time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from ou_vce_ext.errors import ConflictError, UnknownError, VceError
from ou_vce_ext.models import Operation, OperationState
from ou_vce_ext.states import ServiceState
from tests.unit.backup_world import Home

from .fault import Attempt, Fault, Figures
from .promises import expect

ASKED = 120
_KNOWN = {("1", "2"), ("the module's",), ("1", "2", "the module's")}
"""The data of the beginning, of a reset, and one restored over the other: nothing else."""
_FORESEEN = {"conflict", "not-cancellable", "unknown-backup", "unknown-operation"}


class AllAtOnce(Fault):
    """Each is done, or named what is in its way; one at a time, no wedge, nothing half done."""

    number = 26
    title = "Backups, proofs, restores, resets, starts, stops and cancels at once"
    tries = 60
    short_tries = 6
    limit = 90.0

    async def try_once(self, attempt: Attempt) -> Figures:
        home = Home(attempt.folder, "one", "two")
        for service in ("one", "two"):
            home.put(service, a="1", b="2")
        began: list[Operation] = []
        for _ in range(ASKED):
            try:
                began.append(await self._ask(home, attempt))
            except (ConflictError, UnknownError) as refusal:
                expect(refusal.code in _FORESEEN, f"refused with {refusal.code}: {refusal}")
                expect(bool(refusal.message), "refused without a word")
            if attempt.rng.random() < 0.4:
                await asyncio.sleep(attempt.rng.random() / 200)
        for operation in began:
            over = await home.ended(operation)
            told = over.error.code if over.error else ""
            fine = over.state is not OperationState.FAILED or told in _FORESEEN
            expect(fine, f"{over.kind} failed: {over.error}")
        # Proofs that were put off go on by themselves until all is proven.
        await home.backups.aclose()
        for service in ("one", "two"):
            found = tuple(sorted(home.live(service).values()))
            expect(found in _KNOWN, f"a mix: {found}")
            resting = (ServiceState.READY, ServiceState.STOPPED)
            expect(home.state(service) in resting, f"{service} is {home.state(service)}")
        await home.registry.aclose()
        expect(home.strays() == [], f"left behind: {home.strays()}")
        return {}

    async def _ask(self, home: Home, attempt: Attempt) -> Operation:
        rng = attempt.rng
        service = rng.choice(["one", "two"])
        known = home.backups.store.known()
        chosen = rng.choice(known).id if known else "none"

        async def at_once(act: Callable[[str], Operation]) -> Operation:
            return act(service)

        running = home.registry.operations.list(OperationState.RUNNING)
        ways: list[Callable[[], Awaitable[Operation]]] = [
            lambda: home.backups.back_up(service),
            lambda: home.backups.back_up_everything([]),
            lambda: home.backups.verify(chosen),
            lambda: home.backups.restore(chosen),
            lambda: home.backups.reset(service),
            lambda: at_once(home.registry.start),
            lambda: at_once(home.registry.stop),
            lambda: at_once(lambda name: home.registry.stop(name, cancel=True)),
            lambda: at_once(home.registry.restart),
            lambda: at_once(
                lambda _: home.registry.operations.cancel(rng.choice(running).id if running else "")
            ),
        ]
        try:
            return await rng.choice(ways)()
        except VceError as refusal:
            if isinstance(refusal, ConflictError | UnknownError):
                raise
            raise AssertionError(f"refused with {refusal.code}: {refusal.message}") from refusal

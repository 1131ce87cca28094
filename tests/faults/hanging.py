"""Fault 7: a service that hangs, or was stopped by SIGSTOP."""

from __future__ import annotations

import asyncio
import signal
import time

from ou_vce_ext.services import proc
from ou_vce_ext.states import ServiceState

from .app_commands import app
from .databases import ask
from .fault import Attempt, Fault, Figures, Measure
from .promises import expect
from .supervised import Supervised

HANG_SEEN = "a hang is shown after"
CONTINUED = "after SIGSTOP it answers again within"
STOPPED = "a stop while it hangs takes"


class Hangs(Fault):
    """Shown for what it is, never killed for it; what was merely stopped is continued."""

    number = 7
    title = "SIGSTOP, or a hang"
    at_once = 25
    stagger = 0.2
    limit = 90.0
    measures = (Measure(HANG_SEEN, 15.0), Measure(CONTINUED, 15.0), Measure(STOPPED, 3.0))

    async def try_once(self, attempt: Attempt) -> Figures:
        if attempt.number % 2:
            return await self._hang(attempt)
        if attempt.number % 10 == 8:
            return await self._stopped_postgres(attempt)
        service = attempt.service("web", command=app("serves"))
        await service.start()
        return await self._stopped(attempt, service, service.tree()[0])

    async def _hang(self, attempt: Attempt) -> Figures:
        hang = attempt.folder / "hang"
        service = attempt.service("web", command=app("hangs", hang), stop_timeout=2.0)
        pid = await service.start()
        await asyncio.sleep(attempt.rng.uniform(0, 0.1 if attempt.short else 7))
        before, began = len(service.moves), time.monotonic()
        hang.touch()
        shown = await service.moved_to(ServiceState.UNRESPONSIVE, since=before, seconds=30)
        figures = {HANG_SEEN: shown.at - began}
        told = shown.error
        expect(told and told.code == "not-answering" and told.hint, f"no reason was told: {told}")
        await asyncio.sleep(attempt.rng.uniform(0, 1 if attempt.short else 6))
        expect(service.state is ServiceState.UNRESPONSIVE, f"it hangs, and is {service.state}")
        expect(proc.is_alive(pid, None), "it was killed for being slow")
        if attempt.rng.random() < 0.5:
            hang.unlink()
            await service.moved_to(ServiceState.READY, since=len(service.moves), seconds=15)
            expect(service.pid == pid, "it answers again, and is another process")
        else:
            figures[STOPPED] = await service.stop()
        return figures

    async def _stopped(self, attempt: Attempt, service: Supervised, victim: int) -> Figures:
        await asyncio.sleep(attempt.rng.uniform(0, 0.1 if attempt.short else 7))
        main = service.pid
        began = service.kill(victim, signal.SIGSTOP)
        while (found := proc.stat(victim)) is not None and found.state != "T":
            await asyncio.sleep(0.001)
        if attempt.rng.random() < 0.2:
            # A stop does not wait to see it continued.
            await asyncio.sleep(attempt.rng.uniform(0, 2))
            return {STOPPED: await service.stop()}
        while (found := proc.stat(victim)) is not None and found.state == "T":
            await asyncio.sleep(0.02)
            expect(
                time.monotonic() - began < 30 * service.patience,
                "it was stopped, and is not continued",
            )
        continued = time.monotonic() - began
        expect(found is not None and service.pid == main, "it was ended for having been stopped")
        if service.state is ServiceState.UNRESPONSIVE:
            await service.moved_to(ServiceState.READY, since=len(service.moves), seconds=15)
        expect(service.state is ServiceState.READY, f"continued, and {service.state}")
        return {CONTINUED: continued}

    async def _stopped_postgres(self, attempt: Attempt) -> Figures:
        """The postmaster alone: open sessions go on, and no new one is let in."""
        service = attempt.service("postgres")
        main = await service.start()
        figures = await self._stopped(attempt, service, main)
        if service.state is ServiceState.READY:
            expect(await ask(service.driver, "select 1") == [(1,)], "it does not answer")
        return figures

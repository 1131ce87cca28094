"""Faults 12 and 13: slow starts, stops in between, and programs that end as soon as they start."""

from __future__ import annotations

import asyncio
import time

from ou_vce_ext.services.backoff import DEATHS_TO_FAIL, FIRST_DELAY, JITTER
from ou_vce_ext.states import ServiceState
from tests.integration.watching import gone

from .app_commands import app
from .fault import Attempt, Fault, Figures, Measure
from .promises import expect
from .supervised import Supervised

BEYOND = "a stop takes, beyond the process's own time"


class StopWhileStarting(Fault):
    """A stop wins over a start at any moment, even while first databases are being made."""

    number = 12
    title = "stop while waiting for a slow start"
    at_once = 5
    measures = (Measure(BEYOND, 1.0),)

    async def try_once(self, attempt: Attempt) -> Figures:
        own = attempt.rng.choice((0.0, 0.0, 0.5, 1.5))
        if attempt.number % 10 == 7:
            own, service = 0.0, attempt.service("postgres")
        else:
            service = attempt.service("web", command=app("slow_both_ways", 60, own))
        starting = service.registry.start(service.name)
        await asyncio.sleep(attempt.rng.uniform(0, 1.2))
        keeper = service.lifecycle.process and service.keeper
        tree = service.tree() if keeper else []
        seconds = await service.stop()
        ended = await service.done(starting)
        expect(ended.state in ("cancelled", "succeeded"), f"the start ended as {ended.state}")
        left = [pid for pid in tree if not gone(pid)]
        expect(not left, f"shown as stopped, and {left} still live")
        return {BEYOND: max(0.0, seconds - own)}


class SlowOrFlapping(Fault):
    """A slow start is waited for; what cannot start is tried as promised, and then given up."""

    number = 13
    title = "a start of 60 s; exit 1 at once; exit just after ready"
    at_once = 50
    stagger = 0.5
    limit = 150.0
    measures = (
        Measure("a start of 60 s takes", 61.0),
        Measure("given up after five deaths, in"),
        Measure("later than promised, a restart is", 0.5),
    )

    async def try_once(self, attempt: Attempt) -> Figures:
        match attempt.number % 3:
            case 0:
                return await self._slow(attempt, 3.0 if attempt.short else 60.0)
            case 1:
                command = app("exits", 1)
            case _:
                delay = round(attempt.rng.uniform(0, 0.1), 3)
                command = app("flaps", delay)
        return await self.given_up(attempt.service("web", command=command))

    async def _slow(self, attempt: Attempt, seconds: float) -> Figures:
        service = attempt.service("web", command=app("slow_both_ways", seconds, 0))
        began = time.monotonic()
        await service.start()
        took = time.monotonic() - began
        moves = [move.new for move in service.moves]
        expect(
            moves == [ServiceState.STARTING, ServiceState.READY],
            f"it only needed time: {service.told()}",
        )
        expect(took >= seconds, f"shown as ready {seconds - took:.2f} s before it was")
        return {} if attempt.short else {"a start of 60 s takes": took}

    async def given_up(self, service: Supervised) -> Figures:
        """Start what cannot live; it is tried at the promised times, and then given up."""
        began = time.monotonic()
        service.registry.start(service.name)
        failed = await service.moved_to(ServiceState.FAILED, since=0)
        expect(
            failed.error is not None and failed.error.exit_code == 1 and failed.error.hint,
            f"it exits with 1, and the reason told is {failed.error}",
        )
        starts = [move for move in service.moves if move.new is ServiceState.STARTING]
        expect(
            len(starts) == DEATHS_TO_FAIL,
            f"given up after {len(starts)} starts, not {DEATHS_TO_FAIL}",
        )
        late = 0.0
        promised = [0.0, *(FIRST_DELAY * 2**n for n in range(DEATHS_TO_FAIL - 2))]
        deaths = [move for move in service.moves if move.new is ServiceState.BACKOFF]
        for delay, died, again in zip(promised, deaths, starts[1:], strict=True):
            waited = again.at - died.at
            expect(
                waited >= delay * (1 - JITTER) - 0.005,
                f"started again after {waited:.3f} s, where {delay:.1f} s were promised",
            )
            late = max(late, waited - delay * (1 + JITTER))
        return {
            "given up after five deaths, in": failed.at - began,
            "later than promised, a restart is": max(0.0, late),
        }

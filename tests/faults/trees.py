"""Fault 14: processes that do not want to go."""

from __future__ import annotations

from ou_vce_ext.states import ServiceState
from tests.integration.watching import gone

from .app_commands import app
from .fault import Attempt, Fault, Figures, Measure
from .promises import expect

STUBBORN = (
    "ignores_term",
    "double_forks",
    "own_session",
    "wraps",
    "daemonises",
    "leaves_orphan",
    "many",
)
STOP_TIMEOUT = 2.0


class StubbornTrees(Fault):
    """They are stopped, or their main process is killed: either way nobody may be left."""

    number = 14
    title = "ignores TERM, double-forks, calls setsid, wraps without exec, leaves an orphan"
    at_once = 6
    measures = (Measure("all gone after the stop timeout", 1.0),)

    async def try_once(self, attempt: Attempt) -> Figures:
        name = STUBBORN[attempt.number % len(STUBBORN)]
        service = attempt.service("web", command=app(name), stop_timeout=STOP_TIMEOUT)
        await service.start()
        tree = service.tree()
        if attempt.rng.random() < 0.25:
            # Its main process dies first: what it leaves is ended, then it is started anew.
            before = len(service.moves)
            service.kill(tree[0])
            await service.moved_to(ServiceState.READY, since=before)
            expect(all(gone(pid) for pid in tree), f"{name}: a part of the run that died lives on")
            tree = service.tree()
        seconds = await service.stop()
        left = [pid for pid in tree if not gone(pid)]
        expect(not left, f"{name}: shown as stopped, and {left} still run")
        return {"all gone after the stop timeout": max(0.0, seconds - STOP_TIMEOUT)}

"""Fault 8: the port is somebody else's, before the start or at the last moment."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ou_vce_ext.launch import LaunchPlan
from ou_vce_ext.states import ServiceState
from tests.free_ports import free_port

from .app_commands import app
from .bench import Kind
from .fault import Attempt, Fault, Figures, Measure
from .promises import expect
from .supervised import Supervised

# A free choice, or a port that is fixed; taken before the start, or between look and bind.
CASES: tuple[tuple[Kind, bool, bool], ...] = (
    ("web", False, True),
    ("web", True, False),
    ("postgres", True, True),
    ("web", True, True),
    ("web", False, True),
    ("postgres", True, False),
    ("mongo", True, True),
    ("web", True, True),
    ("openrefine", True, True),
    ("mongo", True, False),
    ("openrefine", True, False),
)
TOLD = "told after, where it was taken before the start"
ELSEWHERE = "a web app is ready on another port after"


def stranger(port: int) -> socket.socket:
    """Somebody else who listens there."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", port))
    sock.listen()
    sock.setblocking(False)
    return sock


class PortTaken(Fault):
    """Another port where the choice is free, else an error that names the owner."""

    number = 8
    title = "the port is taken before the start, or between look and bind"
    measures = (Measure(TOLD, 1.0), Measure(ELSEWHERE))

    async def try_once(self, attempt: Attempt) -> Figures:
        kind, fixed, late = CASES[attempt.number % len(CASES)]
        port = free_port()
        app_name = attempt.rng.choice(("serves", "waits_for_port"))
        service = attempt.service(
            kind,
            command=app(app_name) if kind == "web" else (),
            options={"port": port} if fixed and kind == "web" else {},
            port=port if kind != "web" else None,
            stop_timeout=1.0 if kind == "web" else None,
        )
        if not fixed:
            return await self._free_choice(service)
        if late:
            await self._at_the_last_moment(service, port)
            figures = {}
        else:
            with stranger(port) as sock:
                began = time.monotonic()
                await self._refused(service, port, sock)
                figures = {TOLD: time.monotonic() - began}
        # And once the stranger has gone, all is well.
        if kind == "web":
            await service.start()
            await service.stop()
        return figures

    async def _refused(self, service: Supervised, port: int, sock: socket.socket) -> None:
        error = await service.refused()
        expect(error.code == "port-in-use", f"the reason told is {error.code}: {error.message}")
        for word in (str(port), f"process {os.getpid()}"):
            expect(word in error.message, f"the owner is not named ({word}): {error.message}")
        self._unheard(service, sock)

    def _unheard(self, service: Supervised, sock: socket.socket) -> None:
        """It was never shown as ready, and nothing was sent to the stranger."""
        states = {move.new for move in service.moves}
        expect(ServiceState.READY not in states, f"a stranger was shown as ready: {service.told()}")
        with suppress(BlockingIOError):
            sock.accept()[0].close()
            expect(False, "the stranger was spoken to")

    async def _at_the_last_moment(self, service: Supervised, port: int) -> None:
        with taken_late(service, lambda: port) as listening:
            error = await service.refused()
            expect(error.code == "port-in-use", f"the reason told is {error}; {service.told()}")
            expect(str(port) in error.message, f"the port is not named: {error.message}")
            self._unheard(service, listening[0])

    async def _free_choice(self, service: Supervised) -> Figures:
        def chosen() -> int:
            upstream = service.driver.upstream()
            assert upstream is not None
            assert upstream.port is not None
            return upstream.port

        with taken_late(service, chosen) as listening:
            began = time.monotonic()
            await service.start()
            took = time.monotonic() - began
            taken = listening[0].getsockname()[1]
            expect(chosen() != taken, "ready on a port that a stranger has")
            with suppress(BlockingIOError):
                listening[0].accept()[0].close()
                expect(False, "the stranger was spoken to")
        return {ELSEWHERE: took}


@contextmanager
def taken_late(service: Supervised, port: Callable[[], int]) -> Iterator[list[socket.socket]]:
    """Have the port taken once, after the service has looked and before it is launched."""
    plan = service.driver.plan
    listening: list[socket.socket] = []

    async def plan_with_a_stranger() -> LaunchPlan:
        if not listening:
            listening.append(stranger(port()))
        return await plan()

    service.driver.plan = plan_with_a_stranger  # type: ignore[method-assign]
    try:
        yield listening
    finally:
        service.driver.plan = plan  # type: ignore[method-assign]
        for sock in listening:
            sock.close()

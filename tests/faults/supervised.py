"""One service as Jupyter would run it, with real keepers, and the history of its moves."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from dataclasses import dataclass

from ou_vce_ext.drivers.base import Driver
from ou_vce_ext.launch import Launcher
from ou_vce_ext.models import Operation, OperationState, ServiceError
from ou_vce_ext.services import proc
from ou_vce_ext.services.backoff import RestartPolicy
from ou_vce_ext.services.clock import SystemClock
from ou_vce_ext.services.kept_process import KeptProcess
from ou_vce_ext.services.leftovers import lock_note
from ou_vce_ext.services.lifecycle import Lifecycle
from ou_vce_ext.services.registry import Registry
from ou_vce_ext.states import TRANSITIONS, ServiceState

from .promises import BrokenPromiseError, expect


@dataclass(frozen=True, slots=True)
class Move:
    """A move as it was told, at ``at`` of the monotonic clock, with the error shown since."""

    at: float
    old: ServiceState
    new: ServiceState
    error: ServiceError | None


class Supervised:
    """A service behind a registry of its own: what REST can ask for can be asked for here."""

    def __init__(
        self, driver: Driver, launcher: Launcher, log: logging.Logger, patience: float = 1.0
    ) -> None:
        clock = SystemClock()
        self.patience = patience
        self.driver = driver
        self.moves: list[Move] = []
        self._waiting: list[asyncio.Event] = []
        self.lifecycle = Lifecycle(
            driver,
            launcher,
            clock=clock,
            policy=RestartPolicy(clock),
            log=log,
            moved=self._moved,
            lock_note=lock_note(str(driver.site.root_dir)),
        )
        self.registry = Registry([self.lifecycle], base_url="/", clock=clock, log=log)

    def _moved(self, item: Lifecycle, old: ServiceState, new: ServiceState) -> None:
        self.moves.append(Move(time.monotonic(), old, new, item.error))
        for event in self._waiting:
            event.set()

    # -- looking ---------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """As declared."""
        return self.lifecycle.spec.name

    @property
    def state(self) -> ServiceState:
        """As a person sees it now."""
        return self.lifecycle.state

    @property
    def pid(self) -> int:
        """The service's own main process; it must have one."""
        pid = self.lifecycle.pid
        expect(pid, f"{self.name} is {self.state} and shows no process: {self.told()}")
        return pid or 0

    @property
    def keeper(self) -> int:
        """The process that keeps it."""
        process = self.lifecycle.process
        assert isinstance(process, KeptProcess)
        assert process.keeper_pid
        return process.keeper_pid

    def tree(self) -> list[int]:
        """Every process below its keeper."""
        return proc.descendants(self.keeper)

    def told(self) -> str:
        """What is shown, and the last lines of its log, for a message."""
        history = " ".join(move.new for move in self.moves[-8:])
        log = self.lifecycle.service_log.text(12)
        return f"moves: {history}; error: {self.lifecycle.error}; log: {log}"

    def check_moves(self) -> None:
        """Every move that was seen is one of the table, and each begins where the last ended."""
        state = ServiceState.STOPPED
        for move in self.moves:
            expect(move.old is state, f"a move from {move.old} was told when it was {state}")
            expect(move.new in TRANSITIONS[move.old], f"it moved from {move.old} to {move.new}")
            state = move.new
        expect(state is self.state, f"it is {self.state}, and the last move told was to {state}")

    # -- waiting ---------------------------------------------------------------------------------

    async def moved_to(self, *states: ServiceState, since: int, seconds: float = 30.0) -> Move:
        """The first move to one of ``states`` after the first ``since`` moves; waits for it.

        On a machine that asks for patience, that many times longer.
        """
        seconds *= self.patience
        changed = asyncio.Event()
        self._waiting.append(changed)
        try:
            async with asyncio.timeout(seconds):
                while True:
                    for move in self.moves[since:]:
                        if move.new in states:
                            return move
                    changed.clear()
                    await changed.wait()
        except TimeoutError:
            wanted = " or ".join(states)
            raise BrokenPromiseError(
                f"not {wanted} within {seconds:g} s, but {self.state}; {self.told()}"
            ) from None
        finally:
            self._waiting.remove(changed)

    # -- asking ----------------------------------------------------------------------------------

    async def done(self, operation: Operation) -> Operation:
        """An operation once it has ended."""
        return await self.registry.operations.wait(operation.id)

    async def start(self) -> int:
        """Start it; it must become ready. Returns its main process."""
        ended = await self.done(self.registry.start(self.name))
        expect(ended.state is OperationState.SUCCEEDED, f"not started: {ended}; {self.told()}")
        expect(self.state is ServiceState.READY, f"a start succeeded and it is {self.state}")
        return self.pid

    async def refused(self) -> ServiceError:
        """Start what cannot be; returns the reason it failed for."""
        ended = await self.done(self.registry.start(self.name))
        expect(ended.state is OperationState.FAILED, f"{ended.state} where it had to fail: {ended}")
        error = self.lifecycle.error
        if error is None or self.state is not ServiceState.FAILED:
            raise BrokenPromiseError(f"{self.state} with {error} after a failed start")
        expect(error.message and error.hint, f"no reason or no cure was told: {error}")
        expect(self.lifecycle.process is None, "failed, and still holds a process")
        return error

    async def stop(self) -> float:
        """Stop it; it must end. Returns how long that took, in seconds."""
        began = time.monotonic()
        ended = await self.done(self.registry.stop(self.name))
        expect(ended.state is OperationState.SUCCEEDED, f"not stopped: {ended}; {self.told()}")
        expect(self.state is ServiceState.STOPPED, f"a stop succeeded and it is {self.state}")
        return time.monotonic() - began

    def kill(self, pid: int, number: int = 9) -> float:
        """Send a signal; returns the moment, of the monotonic clock."""
        os.kill(pid, number)
        return time.monotonic()

    async def close(self) -> None:
        """Whatever it is doing, end it."""
        await self.registry.aclose()
        self.check_moves()

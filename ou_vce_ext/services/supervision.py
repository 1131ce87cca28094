"""Supervising one service: one run after another, from its start to why there is no other."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Callable, Mapping
from datetime import timedelta

from ..drivers.base import Driver, Progress, no_progress
from ..errors import VceError
from ..launch import Ending, Launcher, Process
from ..models import Json, Recovery, ServiceError, ServiceSpec
from ..sentences import say
from ..states import ServiceState
from .backoff import RestartPolicy
from .clock import Clock
from .diagnosis import from_exception, gave_up, of_death, start_timeout, starting_again
from .external import INTERVAL, trouble_of
from .launching import First, launch, provision, to_an_end
from .logs import ServiceLog
from .operations import OperationFailedError
from .readiness import Liveness, wait_until_ready
from .standing import Standing, Told


class Supervision(Standing):
    """Runs a service, or follows one that others run, for as long as its task is not cancelled.

    What begins and ends that task is the lifecycle's. ``gate`` says why nothing may start at all
    (another Jupyter holds the house), or None.
    """

    def __init__(
        self,
        driver: Driver,
        launcher: Launcher,
        *,
        clock: Clock,
        policy: RestartPolicy,
        log: logging.Logger,
        told: Told,
        lock_note: Mapping[str, Json],
        gate: Callable[[], ServiceError | None],
    ) -> None:
        super().__init__(clock, told)
        self.driver = driver
        self.launcher = launcher
        self.log = log
        self.restarts = 0
        self.cut_off = False
        """Whether the run before this one was cut off, with nobody there to end it gently."""
        self.asked_to_close = False
        """Whether a person's stop has asked it to close: its end is then what was asked for."""
        self.recovered_from: Recovery | None = None
        """Why it ended before, where it was started again by itself and by nobody since."""
        self.process: Process | None = None
        self.service_log = ServiceLog(driver.site.log_file)
        self._policy = policy
        self._lock_note = lock_note
        self._gate = gate
        self._progress: Progress = no_progress
        self._first: First | None = None
        self._last_start: float | None = None

    @property
    def spec(self) -> ServiceSpec:
        """The service as declared."""
        return self.driver.spec

    async def _supervise(self) -> None:
        self.recovered_from = None
        try:
            if self.spec.external:
                await self._watch_external()
            else:
                while await self._run_once():
                    pass
        except VceError as failure:
            await self._give_up(from_exception(failure, self.service_log.tail()))
        except Exception:
            self.log.exception("supervising %s broke", self.spec.name)
            await self._give_up(
                ServiceError(
                    "internal",
                    say(
                        "Something unexpected went wrong while starting {title}.",
                        title=self.spec.title,
                    ),
                    say("Try again. If it happens again, show your tutor the server log."),
                )
            )

    async def _give_up(self, error: ServiceError) -> None:
        if self.process is not None:
            # Never leave a half-started copy behind a service that is shown as failed.
            await asyncio.shield(self.process.stop())
            self.process = None
        await self.driver.close()
        self._fail(error)

    async def _run_once(self) -> bool:
        """One run, from start to death. False when there is to be no other."""
        trouble = self.spec.problem or self._gate()
        if trouble:
            self._fail(trouble)
            return False
        missing = await self.driver.missing()
        if missing:
            if self.state is not ServiceState.UNAVAILABLE:
                self._move(ServiceState.UNAVAILABLE, error=missing)
            self.error = missing
            self._settled.set()
            return False
        if self.state is ServiceState.UNAVAILABLE:
            self._move(ServiceState.STOPPED)
        self._move(ServiceState.STARTING)
        first, self._first = self._first, None
        if first:
            await to_an_end(first)
        # What was done first is done once, so the next start will not take as long.
        began = self._clock.monotonic()
        await self.driver.prepare(self._progress)
        plan = dataclasses.replace(await self.driver.plan(), lock_note=self._lock_note)
        process = await launch(self.launcher, plan, self._clock, self._progress, self._begun)
        self.cut_off = process.unseen_end
        ready_at: float | None = None
        if await self._become_ready(process, began):
            ready_at = self._clock.monotonic()
            await self._live(process)
        return await self._after_death(process, ready_at)

    def _begun(self, process: Process) -> None:
        self.process = process

    async def _become_ready(self, process: Process, began: float) -> bool:
        """True once ready; False when the process died first. Raises VceError."""
        title = self.spec.title
        self._progress(self.driver.starting() or say("Starting {title}", title=title), None)
        outcome = await wait_until_ready(
            self.driver, process, self._clock, self.driver.ready_timeout
        )
        if outcome == "died":
            return False
        if outcome == "timeout":
            self.process = process
            await asyncio.shield(process.stop())
            raise OperationFailedError(
                start_timeout(title, self.driver.ready_timeout, self.service_log.tail())
            )
        if not await provision(self.driver, process, self._progress):
            return False
        seconds = self._clock.monotonic() - began
        self._move(ServiceState.READY)
        self.ready_seconds = round(seconds, 3)
        self._last_start = seconds
        self._progress(say("{title} is ready", title=title), 1.0)
        return True

    async def _live(self, process: Process) -> None:
        """Watch a ready service until its main process ends."""

        def heard(error: ServiceError | None) -> None:
            if error and self.state is ServiceState.READY:
                seconds = self.ready_seconds
                self._move(ServiceState.UNRESPONSIVE, error=error)
                self.ready_seconds = seconds
            elif error is None and self.state is ServiceState.UNRESPONSIVE:
                self._move(ServiceState.READY)

        await Liveness(self.driver, process, self._clock, heard).watch()

    async def _after_death(self, process: Process, ready_at: float | None) -> bool:
        ending = await process.exited()
        farewell = None if ready_at is None else self.driver.farewell(ending)
        if farewell is not None or self.asked_to_close:
            error = None if self.asked_to_close else farewell
            await self._clear(process)
            self._move(ServiceState.STOPPED, error=error)
            return False
        now = self._clock.monotonic()
        ready_for = now - ready_at if ready_at is not None else 0.0
        error = self._explain(ending)
        died = self._clock.now()
        delay = self._policy.died(ready_for)
        if delay is None:
            await self._clear(process)
            self._move(ServiceState.FAILED, error=gave_up(error))
            return False
        self._move(
            ServiceState.BACKOFF,
            error=starting_again(error),
            retry_at=self._clock.now() + timedelta(seconds=delay),
        )
        self.log.warning("%s: %s", self.spec.name, error.message)
        # Nothing of the old run may be alive when the new one opens the same data.
        await self._clear(process)
        await self._clock.sleep(delay - (self._clock.monotonic() - now))
        self.restarts += 1
        self.recovered_from = Recovery(died, error)
        return True

    async def _clear(self, process: Process) -> None:
        await process.down()
        self.process = None
        await self.driver.close()

    def _explain(self, ending: Ending) -> ServiceError:
        lines = self.service_log.tail()
        told = self.driver.diagnose(ending, lines)
        return told or of_death(self.spec.title, ending, lines)

    # -- databases that others run ---------------------------------------------------------------

    async def _watch_external(self) -> None:
        """Follow a service that is not ours: its health is shown, and nothing is ever stopped."""
        while True:
            if self.state in (ServiceState.STOPPED, ServiceState.FAILED, ServiceState.BACKOFF):
                self._move(ServiceState.STARTING)
            error = await trouble_of(self.driver)
            if error is None and self.state is not ServiceState.READY:
                self._move(ServiceState.READY)
            elif error is not None and self.state is ServiceState.READY:
                self._move(ServiceState.UNRESPONSIVE, error=error)
            elif error is not None:
                retry_at = self._clock.now() + timedelta(seconds=INTERVAL)
                if self.state is not ServiceState.UNRESPONSIVE:
                    self._move(ServiceState.BACKOFF, error=error, retry_at=retry_at)
                    self._settled.set()
                self.error = error
            await self._clock.sleep(INTERVAL)

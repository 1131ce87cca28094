"""One service's life as people ask for it: started, stopped, looked at."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress

from ..drivers.base import Driver, Progress, no_progress
from ..launch import Launcher
from ..models import Json, ServiceError
from ..models_upstream import Upstream
from ..sentences import say
from ..states import RUNNING, ServiceState
from .backoff import RestartPolicy
from .clock import Clock
from .launching import First
from .operations import OperationCancelledError, OperationFailedError
from .standing import Moved
from .supervision import Supervision


class Lifecycle(Supervision):
    """Starts, watches, restarts and stops one service. Lives in the event loop.

    ``moved`` is called after each move with the old and the new state. ``gate`` says why nothing
    may start at all (another Jupyter holds the house), or None.
    """

    def __init__(
        self,
        driver: Driver,
        launcher: Launcher,
        *,
        clock: Clock,
        policy: RestartPolicy,
        log: logging.Logger,
        moved: Moved,
        lock_note: Mapping[str, Json],
        gate: Callable[[], ServiceError | None] = lambda: None,
    ) -> None:
        super().__init__(
            driver,
            launcher,
            clock=clock,
            policy=policy,
            log=log,
            told=lambda old, new: moved(self, old, new),
            lock_note=lock_note,
            gate=gate,
        )
        self.stop_seconds = driver.stop_seconds
        """How long its last stop took, else what its kind says of itself."""
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """The service's own main process, while it has one."""
        if self.process is None or self.state not in RUNNING:
            return None
        return self.driver.main_pid(self.process) or None

    def upstream(self) -> Upstream | None:
        """Where the proxy finds it, while it can answer."""
        if self.state in (ServiceState.READY, ServiceState.UNRESPONSIVE):
            return self.driver.upstream()
        return None

    # -- what people ask for ---------------------------------------------------------------------

    async def start(self, progress: Progress = no_progress, first: First | None = None) -> None:
        """Bring the service to ``ready``, or raise OperationFailedError with the reason.

        ``first`` is done where this begins a start, once it is shown as starting. Raises
        OperationCancelledError when a stop came in between.
        """
        if self.state in (ServiceState.READY, ServiceState.UNRESPONSIVE):
            return
        self._progress = progress
        if self._task is None or self._task.done():
            self._stopping = False
            self._first = first
            self._policy.reset()
            self._settled.clear()
            self._task = asyncio.get_running_loop().create_task(self._supervise())
        await self._settled.wait()
        self._progress = no_progress
        if self.state in (ServiceState.FAILED, ServiceState.UNAVAILABLE) and self.error:
            raise OperationFailedError(self.error)
        if self._stopping or self.state is ServiceState.STOPPED:
            raise OperationCancelledError

    async def stop(self, progress: Progress = no_progress) -> None:
        """Bring the service to ``stopped``, whatever it is doing. A person's stop always wins."""
        self._stopping = True
        self._settled.set()
        if self._task and not self._task.done():
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._task = None
        if self.process is not None:
            progress(
                self.driver.stopping()
                or say("Stopping {title}: letting it save and finish", title=self.spec.title),
                None,
            )
            began = self._clock.monotonic()
            answers = self.state is ServiceState.READY
            if self.state in (
                ServiceState.STARTING,
                ServiceState.READY,
                ServiceState.UNRESPONSIVE,
            ):
                self._move(ServiceState.STOPPING)
            if answers:
                await self.driver.before_stop()
            await self.process.stop()
            self.process = None
            self.stop_seconds = self._clock.monotonic() - began
        await self.driver.close()
        if self.state not in (ServiceState.STOPPED, ServiceState.UNAVAILABLE):
            self._move(ServiceState.STOPPED)

    async def look(self) -> None:
        """While at rest: see whether what the service needs is there, and show it."""
        if not self._at_rest():
            return
        trouble = self.spec.problem or self._gate()
        if trouble:
            self._fail(trouble)
            return
        missing = await self.driver.missing()
        if not self._at_rest():
            return
        if missing and (self.state is ServiceState.STOPPED or self.error != missing):
            if self.state is ServiceState.STOPPED:
                self._move(ServiceState.UNAVAILABLE, error=missing)
            self.error = missing
        elif not missing and self.state is ServiceState.UNAVAILABLE:
            self._move(ServiceState.STOPPED)

    def follow(self) -> None:
        """Begin to watch a service that others run."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._supervise())

    @property
    def expected_seconds(self) -> float | None:
        """How long a start will probably take: as long as the last one, else what its kind says."""
        return self._last_start or self.driver.start_seconds

"""How one service stands: its state and why, and the rules of moving it from one to another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from ..models import ServiceError
from ..states import ServiceState, check_transition
from .clock import Clock

if TYPE_CHECKING:
    from .lifecycle import Lifecycle

Told = Callable[[ServiceState, ServiceState], None]
Moved = Callable[["Lifecycle", ServiceState, ServiceState], None]

_OUTCOMES = frozenset(
    {
        ServiceState.READY,
        ServiceState.UNRESPONSIVE,
        ServiceState.FAILED,
        ServiceState.UNAVAILABLE,
    }
)


class Standing:
    """What anybody may know of a service's state. Only its lifecycle, built on this, moves it.

    ``told`` is called after each move with the old and the new state.
    """

    def __init__(self, clock: Clock, told: Told) -> None:
        self.state = ServiceState.STOPPED
        self.since: datetime = clock.now()
        self.error: ServiceError | None = None
        self.last_trouble: tuple[datetime, ServiceError] | None = None
        """When it last died or failed, and why; kept while it is well again."""
        self.retry_at: datetime | None = None
        self.ready_seconds: float | None = None
        self.advise: Callable[[ServiceError], ServiceError] = lambda error: error
        """Completes why it failed by what others know of it."""
        self._clock = clock
        self._told = told
        self._settled = asyncio.Event()

    async def settled(self) -> None:
        """Wait until a start that goes on has come to its end, whichever that is."""
        await self._settled.wait()

    def refuse(self, error: ServiceError) -> None:
        """Show why it could not even be tried to start it. While at rest only."""
        if self._at_rest() or self.state is ServiceState.FAILED:
            self._fail(error)

    def _at_rest(self) -> bool:
        return self.state in (ServiceState.STOPPED, ServiceState.UNAVAILABLE)

    def _move(
        self,
        new: ServiceState,
        *,
        error: ServiceError | None = None,
        retry_at: datetime | None = None,
    ) -> None:
        old = self.state
        check_transition(old, new)
        self.state = new
        self.since = self._clock.now()
        self.error = error
        if error and new in (ServiceState.BACKOFF, ServiceState.FAILED):
            self.last_trouble = self.since, error
        self.retry_at = retry_at
        if new in _OUTCOMES:
            self._settled.set()
        elif new is not ServiceState.STOPPED:
            # Being stopped is also a step from unavailable to starting: only stop() settles it.
            self._settled.clear()
        if new is not ServiceState.READY and new is not ServiceState.UNRESPONSIVE:
            self.ready_seconds = None
        self._told(old, new)

    def _fail(self, error: ServiceError) -> None:
        error = self.advise(error)
        if self.state is ServiceState.FAILED:
            self.error = error
            self._settled.set()
            return
        if self.state is ServiceState.UNAVAILABLE:
            self._move(ServiceState.STOPPED)
        self._move(ServiceState.FAILED, error=error)

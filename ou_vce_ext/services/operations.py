"""Operations: the pieces of work people asked for, one at a time for each service."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from ..errors import ConflictError, UnknownError, VceError
from ..models import Json, Operation, OperationState, ServiceError
from ..sentences import say
from .clock import Clock

KEPT: Final = 100
"""Finished operations that are remembered."""

Work = Callable[["Running"], Awaitable[Json]]


class OperationFailedError(VceError):
    """Ends an operation with a service's own error, exit code and log lines included."""

    def __init__(self, error: ServiceError) -> None:
        super().__init__(error.code, error.message, error.hint)
        self.error = error


class OperationCancelledError(Exception):
    """Ends an operation as cancelled."""


@dataclass(slots=True)
class Running:
    """A running operation, as the work that does it sees it.

    ``expected`` is how long it usually takes, in seconds, where that is known: until the work tells
    its own progress, time stands in for it. ``holds`` are more services it works on; one ``aside``
    is in nobody's way, since it never touches a running service. ``insisted`` is set when a person
    wants it to go on without waiting for their answer.
    """

    operation: Operation
    changed: Callable[[Operation], None]
    began: float
    expected: float | None = None
    cancellable: bool = False
    holds: frozenset[str] = frozenset()
    aside: bool = False
    task: asyncio.Task[None] | None = None
    insisted: asyncio.Event = field(default_factory=asyncio.Event)

    def works_on(self, service: str) -> bool:
        """Whether ``service`` is what it, or a part of it, is about."""
        return self.operation.service == service or service in self.holds

    def progress(self, message: str, fraction: float | None = None) -> None:
        """Tell a person what is happening now, and how far it is (0..1) where that is known.

        What was told before holds on: nothing is less done than it was.
        """
        told = [each for each in (self.operation.progress, fraction) if each is not None]
        self.operation = replace(
            self.operation,
            message=message,
            progress=max(told, default=None),
            waiting_for=None,
        )
        self.changed(self.operation)

    def wait_for_answer(self, message: str, waits: bool = True) -> None:
        """Tell a person what is happening, and that it ``waits`` for their answer or no longer."""
        waiting_for: Literal["answer"] | None = "answer" if waits else None
        self.operation = replace(self.operation, message=message, waiting_for=waiting_for)
        self.changed(self.operation)


class Operations:
    """Keeps the running operations and the last finished ones. Lives in the event loop."""

    def __init__(self, clock: Clock, log: logging.Logger) -> None:
        self._clock = clock
        self._log = log
        self._running: dict[str, Running] = {}
        self._finished: dict[str, Operation] = {}
        self.listeners: list[Callable[[Operation], None]] = []

    def list(self, state: OperationState | None = None) -> list[Operation]:
        """Newest first, all or those in ``state``."""
        found = [self._view(running) for running in self._running.values()]
        found += self._finished.values()
        found.sort(key=lambda operation: operation.started, reverse=True)
        return [item for item in found if state is None or item.state is state]

    def get(self, identifier: str) -> Operation:
        """One operation. Raises UnknownError."""
        if identifier in self._running:
            return self._view(self._running[identifier])
        try:
            return self._finished[identifier]
        except KeyError:
            raise UnknownError(
                "unknown-operation",
                say("There is no such operation."),
                say("It may have ended long ago, or before JupyterLab was restarted."),
            ) from None

    def running(self, service: str) -> Operation | None:
        """The operation that works on ``service`` now and lets no other, if any."""
        for running in self._running.values():
            if not running.aside and running.works_on(service):
                return self._view(running)
        return None

    def aside(self, service: str) -> Operation | None:
        """The operation about ``service`` that goes on beside others, if any."""
        for running in self._running.values():
            if running.aside and running.works_on(service):
                return self._view(running)
        return None

    def cancel(self, identifier: str) -> Operation:
        """Cancel a running operation. Raises UnknownError, or ConflictError where it cannot be."""
        operation = self.get(identifier)
        running = self._running.get(identifier)
        if running is None:
            raise ConflictError(
                say(
                    "This has ended already, so it was not cancelled: {message}",
                    message=operation.message,
                ),
                say("Look at the service to see how it is now."),
                code="not-cancellable",
            )
        if not running.cancellable or running.task is None:
            raise ConflictError(
                say("This cannot be cancelled: {message}", message=operation.message),
                say("Wait until it has ended."),
                code="not-cancellable",
            )
        running.task.cancel()
        return operation

    def abort(self, identifier: str) -> None:
        """End a running operation for another that goes before it (a stop), cancellable or not."""
        running = self._running.get(identifier)
        if running and running.task:
            running.task.cancel()

    def insist(self, identifier: str) -> None:
        """Have a running operation go on without the answer that it waits for, or might."""
        if running := self._running.get(identifier):
            running.insisted.set()

    async def wait(self, identifier: str) -> Operation:
        """Wait until an operation has ended."""
        running = self._running.get(identifier)
        if running and running.task:
            await asyncio.wait([running.task])
        return self.get(identifier)

    def run(
        self,
        kind: str,
        service: str | None,
        message: str,
        work: Work,
        *,
        expected: float | None = None,
        cancellable: bool = False,
        holds: frozenset[str] = frozenset(),
        aside: bool = False,
    ) -> Operation:
        """Begin ``work``; returns at once. Its return value becomes the operation's result."""
        operation = Operation(
            id=secrets.token_hex(8),
            kind=kind,
            service=service,
            state=OperationState.RUNNING,
            progress=None,
            message=message,
            started=self._clock.now(),
        )
        running = Running(
            operation, self._tell, self._clock.monotonic(), expected, cancellable, holds, aside
        )
        self._running[operation.id] = running
        running.task = asyncio.get_running_loop().create_task(self._do(running, work))
        # A task that is cancelled before its first step never gets to say so itself.
        running.task.add_done_callback(
            lambda _: self._finish(running, OperationState.CANCELLED, None, None)
        )
        self._tell(operation)
        return operation

    def done(self, kind: str, service: str | None, message: str) -> Operation:
        """An operation with nothing to do: what was asked for is already so."""
        now = self._clock.now()
        operation = Operation(
            id=secrets.token_hex(8),
            kind=kind,
            service=service,
            state=OperationState.SUCCEEDED,
            progress=1.0,
            message=message,
            started=now,
            finished=now,
        )
        self._remember(operation)
        return operation

    async def _do(self, running: Running, work: Work) -> None:
        error: ServiceError | None = None
        result: Json = None
        state = OperationState.SUCCEEDED
        try:
            result = await work(running)
        except (asyncio.CancelledError, OperationCancelledError):
            state = OperationState.CANCELLED
        except OperationFailedError as failure:
            state, error = OperationState.FAILED, failure.error
        except VceError as failure:
            state = OperationState.FAILED
            error = ServiceError(failure.code, failure.message, failure.hint)
        except Exception:
            self._log.exception("operation %s broke", running.operation.kind)
            state = OperationState.FAILED
            error = ServiceError(
                "internal",
                say(
                    "Something went wrong inside ou_vce_ext, so what you asked for was not "
                    "finished. It is not your fault."
                ),
                say("Try again. If it happens again, show your tutor the server log."),
            )
        self._finish(running, state, error, result)

    def _finish(
        self, running: Running, state: OperationState, error: ServiceError | None, result: Json
    ) -> None:
        now = running.operation
        if self._running.pop(now.id, None) is None:
            return
        # What a thread of it still has to say comes too late.
        running.changed = lambda _: None
        message = error.message if error else now.message
        self._remember(
            replace(
                now,
                state=state,
                progress=1.0 if state is OperationState.SUCCEEDED else now.progress,
                message=message,
                finished=self._clock.now(),
                error=error,
                result=result,
                waiting_for=None,
            )
        )

    def _remember(self, operation: Operation) -> None:
        self._finished[operation.id] = operation
        while len(self._finished) > KEPT:
            del self._finished[next(iter(self._finished))]
        self._tell(operation)

    def _tell(self, operation: Operation) -> None:
        for listener in self.listeners:
            listener(operation)

    def _view(self, running: Running) -> Operation:
        operation = running.operation
        if operation.progress is None and running.expected and not operation.waiting_for:
            elapsed = self._clock.monotonic() - running.began
            # Never full before it is: an estimate that is late stays just short of the end.
            return replace(operation, progress=round(min(0.95, elapsed / running.expected), 3))
        return operation

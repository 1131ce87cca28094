"""Starting and stopping services together with what they need, and with what needs them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial

from ..errors import ConflictError, VceError
from ..models import Operation, OperationState
from ..sentences import say
from ..states import ServiceState
from .dependencies import dependency_failed, dependents
from .letting_close import asked_to_close, let_close
from .lifecycle import Lifecycle
from .operations import OperationFailedError, Operations, Running


class Team:
    """The work of an operation that starts or stops a service. Lives in the event loop.

    ``ask_start`` begins the start of a service as an operation of its own.
    """

    def __init__(
        self,
        services: Mapping[str, Lifecycle],
        operations: Operations,
        ask_start: Callable[[str], Operation],
    ) -> None:
        self._services = services
        self._operations = operations
        self._ask_start = ask_start
        self.before_start: Callable[[str, Running], Awaitable[None]] | None = None
        """Done at a service's start, when all it requires is up and it is shown as starting.

        Raises VceError, which is then why it failed.
        """
        self.before_stop: Callable[[str, Running], Awaitable[None]] | None = None
        """Done at somebody's stop of a service that was ready, when its program has asked what it
        had to ask, and may have ended by itself. It may take its time."""

    async def start(self, item: Lifecycle, running: Running) -> None:
        """Bring ``item`` up, and first what it requires. Raises VceError."""
        for name in item.spec.requires:
            await self._start_needed(item, self._services[name], running)
        before = self.before_start
        first = partial(before, item.spec.name, running) if before else None
        try:
            await item.start(running.progress, first)
        except asyncio.CancelledError:
            # A person cancelled the start: that means stopped, not left half-way.
            await item.stop(running.progress)
            raise

    async def _start_needed(self, item: Lifecycle, needed: Lifecycle, running: Running) -> None:
        """Start what ``item`` requires, by an operation of its own that others may join."""
        running.progress(
            say(
                "{title} needs {needed}: starting that first",
                title=item.spec.title,
                needed=needed.spec.title,
            )
        )
        try:
            if needed.spec.external:
                await needed.start(running.progress)
                return
            ended = await self._operations.wait(self._ask_start(needed.spec.name).id)
        except (OperationFailedError, ConflictError) as failure:
            message, hint = failure.message, failure.hint
        else:
            if ended.state is OperationState.SUCCEEDED:
                return
            message = ended.error.message if ended.error else say("its start was cancelled.")
            hint = ended.error.hint if ended.error else say("Start it again.")
        error = dependency_failed(item, needed, message, hint)
        # Seen on the service too: who looks at the panel later has not seen the operation.
        item.refuse(error)
        raise OperationFailedError(error)

    async def stop(self, item: Lifecycle, running: Running) -> None:
        """Bring ``item`` down, and first what requires it. Raises VceError where it stays open."""
        await self._bring_down(item, running, self.before_stop)
        running.progress(say("{title} is stopped", title=item.spec.title), 1.0)

    async def _bring_down(
        self,
        item: Lifecycle,
        running: Running,
        before: Callable[[str, Running], Awaitable[None]] | None = None,
    ) -> list[str]:
        """Stop ``item`` at a person's word, and first what needs it; tells their names.

        It may ask that person before. Raises VceError where it stays open, and nothing is stopped.
        """
        worked = item.state is ServiceState.READY
        with asked_to_close(item):
            unasked = await let_close(item, running)
            # Not before: the answer may have been to save.
            if before and worked:
                await before(item.spec.name, running)
            stopped = await self.stop_dependents(item, running)
            if unasked and item.process:
                item.driver.end_unasked(item.process)
            await item.stop(running.progress)
        return stopped

    async def stop_dependents(self, item: Lifecycle, running: Running) -> list[str]:
        """Stop what needs ``item`` and runs; tells their names, the last stopped first."""
        stopped: list[str] = []
        for other in dependents(item.spec.name, self._services):
            running.progress(
                say(
                    "{title} needs {needed}: stopping that first",
                    title=other.spec.title,
                    needed=item.spec.title,
                )
            )
            if working := self._operations.running(other.spec.name):
                # One that waits for a person's answer might do so for ever.
                if working.kind != "stop" or working.waiting_for:
                    self._operations.abort(working.id)
                await self._operations.wait(working.id)
            await other.stop(running.progress)
            stopped.insert(0, other.spec.name)
        return stopped

    async def restart(self, item: Lifecycle, running: Running) -> None:
        """Bring ``item`` down and up again; what was stopped for it follows by itself.

        Raises VceError where it stays open, or does not come up.
        """
        stopped = await self._bring_down(item, running)
        running.progress(say("Starting {title}", title=item.spec.title))
        await self.start(item, running)
        self.start_again(stopped)

    def start_again(self, names: Iterable[str]) -> None:
        """Start services that were stopped for another, each by an operation of its own."""
        for name in names:
            # One that cannot be started says why itself.
            with suppress(VceError):
                self._ask_start(name)

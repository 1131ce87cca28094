"""All services of this house, and the rules about who may work on one at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from ..errors import ConflictError, UnknownError, VceError
from ..models import Capability, Json, Operation, Service, ServiceError, Usage
from ..models_status import Problem
from ..models_upstream import Upstream
from ..sentences import say
from ..states import AT_REST, RUNNING, ServiceState
from .clock import Clock
from .conflicts import in_the_way, require
from .dependencies import dependents, stopping_order
from .description import describe
from .lifecycle import Lifecycle
from .operations import Operations, Running
from .problems import problems_of, short_of_time
from .team import Team
from .usage import UsageCache

if TYPE_CHECKING:
    from ..models_backup import BackupSummary

_CANCELLED_BY_STOP = ("start", "restart")


class Registry:
    """Finds services by name and runs operations on them. Lives in the event loop."""

    def __init__(
        self,
        lifecycles: Iterable[Lifecycle],
        *,
        base_url: str,
        clock: Clock,
        log: logging.Logger,
        house_problems: Callable[[], list[Problem]] = list,
    ) -> None:
        self._lifecycles = {item.spec.name: item for item in lifecycles}
        self._base_url = base_url
        self._log = log
        self._clock = clock
        self._usage = UsageCache(clock)
        self._house_problems = house_problems
        self.operations = Operations(clock, log)
        self.newest_backup: Callable[[str], BackupSummary | None] = lambda _: None
        """Tells a service's newest backup, at once."""
        self.gives_way: Callable[[Operation], bool] = lambda _: False
        """Whether an operation ends by itself for what a person asks for."""
        self.team = Team(self._lifecycles, self.operations, self.start)

    # -- looking ---------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """All services' names, in the order they were declared."""
        return list(self._lifecycles)

    def get(self, name: str) -> Lifecycle:
        """One service. Raises UnknownError."""
        try:
            return self._lifecycles[name]
        except KeyError:
            raise UnknownError(
                "unknown-service",
                say("There is no service of that name."),
                say("The panel lists the services there are."),
            ) from None

    async def describe(self, name: str) -> Service:
        """One service as the REST API shows it. Raises UnknownError."""
        return self._describe(self.get(name), await self._usage.of(self.get(name).process))

    async def describe_all(self) -> list[Service]:
        """All of them, in declared order."""
        items = list(self._lifecycles.values())
        costs = await asyncio.gather(*(self._usage.of(item.process) for item in items))
        return [self._describe(item, cost) for item, cost in zip(items, costs, strict=True)]

    def _describe(self, item: Lifecycle, usage: Usage) -> Service:
        working = self.operations.running(item.spec.name)
        newest = self.newest_backup(item.spec.name)
        return describe(item, usage, working, self._base_url, newest)

    def upstream(self, name: str) -> Upstream | None:
        """Where the proxy finds a service while it can answer. Raises UnknownError."""
        return self.get(name).upstream()

    def memory(self, name: str) -> int | None:
        """Bytes a service's tree was last known to use; None where it is not known. Never waits.

        Raises UnknownError.
        """
        item = self.get(name)
        return self._usage.last(item.process).memory_bytes if item.state in RUNNING else None

    def icon(self, name: str) -> str | None:
        """The file of the picture a service was declared with. Raises UnknownError."""
        return self.get(name).spec.icon

    def logs(self, name: str, lines: int) -> str:
        """The last lines a service printed. Raises UnknownError."""
        return self.get(name).service_log.text(lines)

    def problems(self) -> list[Problem]:
        """What needs a person, worst first: the house's own, then those of services."""
        return self._house_problems() + problems_of(self._lifecycles.values())

    def last_troubles(self) -> dict[str, tuple[datetime, ServiceError]]:
        """When and why services last died or failed since this Jupyter began, by name."""
        items = self._lifecycles.items()
        return {name: item.last_trouble for name, item in items if item.last_trouble}

    def short_of_time(self, grace: float) -> list[Problem]:
        """The running services that need longer than ``grace`` seconds to save and stop."""
        return short_of_time(self._lifecycles.values(), grace)

    # -- working ---------------------------------------------------------------------------------

    def start(self, name: str) -> Operation:
        """Start a service; joins a start that runs. Raises UnknownError or ConflictError."""
        item = self.get(name)
        require(item, Capability.START)
        title = item.spec.title
        working = self.operations.running(name)
        if working and working.kind in _CANCELLED_BY_STOP:
            return working
        if working and not self.gives_way(working):
            raise in_the_way(item, working)
        if item.state is ServiceState.READY:
            return self.operations.done(
                "start", name, say("{title} is already running", title=title)
            )
        message = say("Starting {title}", title=title)
        return self._run("start", item, message, self.team.start, after=self._made_way(working))

    def stop(self, name: str, *, cancel: bool = False, force: bool = False) -> Operation:
        """Stop a service. Ends a start or restart; other work only with ``cancel``.

        With ``force`` nobody is asked whether to save, and a stop that runs waits for no answer.
        Raises UnknownError or ConflictError.
        """
        item = self.get(name)
        require(item, Capability.STOP)
        title = item.spec.title
        working = self.operations.running(name)
        if working and working.kind == "stop":
            return self._joined(working, force)
        ends = working and (working.kind in _CANCELLED_BY_STOP or self.gives_way(working))
        if working and not ends and not cancel:
            raise in_the_way(item, working)
        if working is None and item.state in AT_REST and item.state is not ServiceState.FAILED:
            return self.operations.done(
                "stop", name, say("{title} is already stopped", title=title)
            )
        self._spare_dependents(item, cancel=cancel)
        if working:
            self.operations.abort(working.id)
        message = say("Stopping {title}", title=title)
        return self._joined(self._run("stop", item, message, self.team.stop, after=working), force)

    def restart(self, name: str, *, force: bool = False) -> Operation:
        """Stop and start a service; joins a restart that runs. ``force`` is that of a stop."""
        item = self.get(name)
        require(item, Capability.STOP)
        working = self.operations.running(name)
        if working and working.kind == "restart":
            return self._joined(working, force)
        if working and not self.gives_way(working):
            raise in_the_way(item, working)
        self._spare_dependents(item)
        message = say("Restarting {title}", title=item.spec.title)
        return self._joined(
            self._run("restart", item, message, self.team.restart, after=self._made_way(working)),
            force,
        )

    def _joined(self, operation: Operation, force: bool) -> Operation:
        """Return an operation to whoever asks for it, who may not want it to wait for answers."""
        if force:
            self.operations.insist(operation.id)
        return operation

    def _made_way(self, working: Operation | None) -> Operation | None:
        if working:
            self.operations.abort(working.id)
        return working

    def _run(
        self,
        kind: str,
        item: Lifecycle,
        message: str,
        work: Callable[[Lifecycle, Running], Awaitable[None]],
        *,
        after: Operation | None = None,
    ) -> Operation:
        async def do(running: Running) -> Json:
            if after:
                await self.operations.wait(after.id)
            await work(item, running)
            return None

        expected = item.expected_seconds if kind != "stop" else None
        return self.operations.run(
            kind, item.spec.name, message, do, expected=expected, cancellable=kind != "stop"
        )

    def _spare_dependents(self, item: Lifecycle, *, cancel: bool = False) -> None:
        """Raise ConflictError where stopping ``item`` would cut work on a service that needs it."""
        for other in dependents(item.spec.name, self._lifecycles):
            working = self.operations.running(other.spec.name)
            ends = working and (
                working.kind in (*_CANCELLED_BY_STOP, "stop") or self.gives_way(working)
            )
            if working and not ends and not cancel:
                raise in_the_way(other, working)

    # -- for work on the data --------------------------------------------------------------------

    async def bring_up(self, name: str, running: Running) -> None:
        """Have a service answer, for an operation that holds it. Raises VceError."""
        await self.team.start(self.get(name), running)

    async def take_down(
        self, name: str, running: Running, last: Callable[[], Awaitable[None]] | None = None
    ) -> list[str]:
        """Stop a service that an operation holds, and first what needs it; tells their names.

        ``last`` is done when nothing needs it any more, just before it is stopped.
        """
        item = self.get(name)
        stopped = await self.team.stop_dependents(item, running)
        if last and item.state is ServiceState.READY:
            await last()
        await item.stop(running.progress)
        return stopped

    def conflict(self, name: str, working: Operation) -> ConflictError:
        """Say that ``working`` is in the way. Raises UnknownError."""
        return in_the_way(self.get(name), working)

    def spare_dependents(self, name: str) -> None:
        """Raise ConflictError where stopping this would cut work on a service that needs it."""
        self._spare_dependents(self.get(name))

    # -- with the server -------------------------------------------------------------------------

    async def open(self) -> None:
        """See what is installed, follow what others run, start what is to start with the server."""
        items = list(self._lifecycles.values())
        await asyncio.gather(*(item.look() for item in items))
        for item in items:
            if item.state is not ServiceState.STOPPED:
                continue
            if item.spec.external:
                item.follow()
            elif item.spec.autostart:
                with suppress(VceError):
                    self.start(item.spec.name)

    async def refresh(self) -> None:
        """Look again whether what was missing is there now."""
        for item in self._lifecycles.values():
            if item.state is ServiceState.UNAVAILABLE and not self.operations.running(
                item.spec.name
            ):
                await item.look()

    async def aclose(self) -> None:
        """Stop everything, gently, dependents before what they need."""
        for layer in stopping_order(self._lifecycles):
            for name in layer:
                if working := self.operations.running(name):
                    self.operations.abort(working.id)
            stops = (self._lifecycles[name].stop() for name in layer)
            await asyncio.gather(*stops, return_exceptions=True)

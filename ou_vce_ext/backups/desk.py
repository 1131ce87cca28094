"""Which work on data goes on: the same is joined, another named, what began by itself gives way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from ..errors import ConflictError
from ..models import Json, Operation, OperationState
from ..sentences import say
from ..services.operations import Running
from ..services.registry import Registry

Asked = tuple[object, ...]
"""What was asked for, so that the same can be told from something else."""
Tidy = Callable[[Iterable[str]], Awaitable[None]]
"""Done before work on services begins."""
Work = Callable[[Running], Awaitable[Json]]


class Desk:
    """Begins operations on data, and knows those that run. Lives in the event loop."""

    def __init__(self, registry: Registry, tidy: Tidy) -> None:
        self._registry = registry
        self._tidy = tidy
        self._operations = registry.operations
        self._asked: dict[str, Asked] = {}
        self._uses: dict[str, str] = {}
        self._by_itself: set[str] = set()
        self.closing = False
        """Whether JupyterLab ends, so that nothing new is begun."""
        self.ended: list[Callable[[Operation, str | None], None]] = []
        """Told of each operation on data that has ended, and the backup it used."""
        self._operations.listeners.append(self._worked)

    def joined(self, services: frozenset[str], asked: Asked) -> Operation | None:
        """The running operation that was asked for just so.

        Raises ConflictError where another is in the way of work on ``services``.
        """
        for service in sorted(services):
            for working in (self._operations.running(service), self._operations.aside(service)):
                if working is None:
                    continue
                if self._asked.get(working.id) == asked:
                    # Somebody waits for it now: it gives way to nobody any more.
                    self._by_itself.discard(working.id)
                    return working
                if working.id not in self._by_itself:
                    raise self._registry.conflict(service, working)
        return None

    def is_free(self, services: frozenset[str]) -> bool:
        """Whether nobody works on any of them, not even a proof by itself."""
        return not any(
            self._operations.running(service) or self._operations.aside(service)
            for service in services
        )

    def begin(
        self,
        kind: str,
        services: frozenset[str],
        message: str,
        work: Work,
        asked: Asked,
        *,
        uses: str | None = None,
        aside: bool = False,
        by_itself: bool = False,
        of_all: bool = False,
    ) -> Operation:
        """Begin ``work`` on ``services``, or join it. Raises ConflictError.

        ``uses`` is the id of a backup that must stay there meanwhile. One ``of_all`` is told as
        nobody's own, however few services there are.
        """
        if joined := self.joined(services, asked):
            return joined
        if self.closing:
            raise ConflictError(
                say("JupyterLab is ending, so nothing new is begun."),
                say("Try again when it is back."),
            )
        # Whatever still works on them now gives way, or it would have been named.
        before = [
            found
            for service in services
            for found in (self._operations.running(service), self._operations.aside(service))
            if found
        ]
        for operation in before:
            self._operations.abort(operation.id)

        async def do(running: Running) -> Json:
            for operation in before:
                await self._operations.wait(operation.id)
            await self._tidy(services)
            return await work(running)

        only = next(iter(services)) if len(services) == 1 and not of_all else None
        operation = self._operations.run(
            kind,
            only,
            message,
            do,
            cancellable=True,
            aside=aside,
            holds=frozenset() if only else services,
        )
        self._asked[operation.id] = asked
        if uses:
            self._uses[operation.id] = uses
        if by_itself:
            self._by_itself.add(operation.id)
        return operation

    async def let_go(self, identifier: str) -> None:
        """See that nobody uses a backup, ending a proof by itself. Raises ConflictError."""
        for operation, used in list(self._uses.items()):
            if used != identifier:
                continue
            if operation not in self._by_itself:
                raise ConflictError(
                    say("This backup is in use just now, so it was not deleted."),
                    say("Wait until that has ended, or cancel it, then delete it."),
                )
            self._operations.abort(operation)
            await self._operations.wait(operation)

    def gives_way(self, working: Operation) -> bool:
        """Whether work began by itself, so that it ends for whatever a person asks for."""
        return working.id in self._by_itself

    def in_use(self) -> set[str]:
        """The backups that operations use now."""
        return set(self._uses.values())

    def _worked(self, operation: Operation) -> None:
        if operation.state is OperationState.RUNNING or operation.id not in self._asked:
            return
        del self._asked[operation.id]
        self._by_itself.discard(operation.id)
        used = self._uses.pop(operation.id, None)
        for listener in self.ended:
            listener(operation, used)

    async def aclose(self) -> None:
        """End all work on data; what is swapping finishes first."""
        self.closing = True
        running = list(self._asked)
        for identifier in running:
            self._operations.abort(identifier)
        for identifier in running:
            await self._operations.wait(identifier)

"""One real service with its registry and its backups, and somebody who works in it all the time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

from ou_vce_ext.backups.manager import Backups
from ou_vce_ext.drivers.base import Driver
from ou_vce_ext.launch import Launcher
from ou_vce_ext.models import Operation, OperationState
from ou_vce_ext.services.backoff import RestartPolicy
from ou_vce_ext.services.clock import SystemClock
from ou_vce_ext.services.lifecycle import Lifecycle
from ou_vce_ext.services.registry import Registry


class RealHome:
    """The house of the service that ``driver`` knows, with backups in ``root``."""

    def __init__(self, root: Path, driver: Driver, launcher: Launcher) -> None:
        self.name = driver.spec.name
        self.root = root
        log, clock = logging.getLogger("test"), SystemClock()
        self.item = Lifecycle(
            driver,
            launcher,
            clock=clock,
            policy=RestartPolicy(clock),
            log=log,
            moved=lambda *_: None,
            lock_note={},
        )
        self.registry = Registry([self.item], base_url="/", clock=clock, log=log)
        self.backups = Backups(self.registry, root_dir=root, clock=clock, log=log)

    async def __aenter__(self) -> Self:
        await self.done(self.registry.start(self.name))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.backups.aclose()
        await self.registry.aclose()

    async def ended(self, operation: Operation) -> Operation:
        """An operation when it has ended, however."""
        async with asyncio.timeout(300):
            return await self.registry.operations.wait(operation.id)

    async def done(self, operation: Operation) -> Operation:
        """An operation when it has ended well."""
        over = await self.ended(operation)
        assert over.state is OperationState.SUCCEEDED, over
        return over

    async def undo(self, over: Operation) -> Operation:
        """Restore the safety copy that an operation names."""
        assert isinstance(over.result, dict)
        return await self.done(await self.backups.restore(str(over.result["safety_copy"])))


@asynccontextmanager
async def writing(
    write: Callable[[int], Awaitable[None]], refused: type[Exception] | tuple[type[Exception], ...]
) -> AsyncIterator[list[int]]:
    """Have one number after the other written; gives those whose writing was acknowledged."""
    said: list[int] = []

    async def go_on() -> None:
        number = 0
        while True:
            number += 1
            try:
                await write(number)
            except refused:
                # Whoever writes goes on as soon as it answers again.
                await asyncio.sleep(0.01)
            else:
                said.append(number)
                # Often enough to be in everything, and others have a processor too.
                await asyncio.sleep(0.005)

    going = asyncio.create_task(go_on())
    try:
        yield said
    finally:
        going.cancel()
        await asyncio.wait({going})
        if not going.cancelled():
            going.result()


async def written_while_replaced(
    home: RealHome,
    restored: str | None,
    write: Callable[[int], Awaitable[None]],
    read: Callable[[], Awaitable[set[int]]],
    refused: type[Exception],
) -> None:
    """Restore a backup, or reset, while somebody writes; undone, nothing that was said is gone."""
    before = await read()
    async with writing(write, refused) as said:
        if restored:
            asked = await home.backups.restore(restored)
        else:
            asked = await home.backups.reset(home.name)
        over = await home.done(asked)
    assert said
    assert isinstance(over.result, dict)
    assert over.result["kept"]
    live = await read()
    await home.undo(over)
    old = await read()
    assert before <= old
    assert set(said) <= old | live
    assert not list(home.item.driver.data_dir.parent.glob("*-before-*"))

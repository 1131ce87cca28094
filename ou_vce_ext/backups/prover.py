"""Proves backups by itself, one at a time, when nobody works on their services."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from ..errors import VceError
from ..models import Operation, OperationState
from ..models_backup import Verified
from .desk import Desk
from .store import Store, Stored

Verify = Callable[[Stored], Awaitable[Operation]]
"""Begin to prove a backup, giving way to whatever a person asks for. Raises VceError."""


class Prover:
    """A queue of backups that are to be proven. Lives in the event loop."""

    def __init__(self, store: Store, desk: Desk, verify: Verify, log: logging.Logger) -> None:
        self._store = store
        self._desk = desk
        self._verify = verify
        self._log = log
        self._waiting: list[str] = []
        self._now: str | None = None
        self._going: asyncio.Task[None] | None = None
        desk.ended.append(self._ended)

    def want(self, identifier: str) -> None:
        """Have a backup proven as soon as can be."""
        if identifier not in self._waiting:
            self._waiting.append(identifier)
        self._go_on()

    def _ended(self, operation: Operation, used: str | None) -> None:
        if operation.id == self._now:
            self._now = None
        # One that had to give way is begun again; any other end is the last word.
        if operation.kind == "verify" and operation.state is not OperationState.CANCELLED:
            self._drop(used)
        self._go_on()

    def _drop(self, identifier: str | None) -> None:
        if identifier in self._waiting:
            self._waiting.remove(identifier)

    def _go_on(self) -> None:
        if self._waiting and not self._desk.closing and (not self._going or self._going.done()):
            self._going = asyncio.get_running_loop().create_task(self._begin_next())

    async def _begin_next(self) -> None:
        """Begin with the first of those that wait whose service nobody works on."""
        if self._now:
            return
        known = {stored.id: stored for stored in self._store.known()}
        for identifier in list(self._waiting):
            stored = known.get(identifier)
            if stored is None or stored.backup.verified is not Verified.UNVERIFIED:
                self._drop(identifier)
                continue
            if not self._desk.is_free(services_of(stored)):
                continue
            try:
                self._now = (await self._verify(stored)).id
            except VceError as reason:
                if reason.code == "conflict" and not self._desk.is_free(services_of(stored)):
                    return  # somebody was quicker; its end is the next occasion
                self._log.info("%s is not proven now: %s", stored.file.name, reason)
                self._drop(identifier)
                continue
            return

    def close(self) -> None:
        """Begin no other."""
        if self._going:
            self._going.cancel()


def services_of(stored: Stored) -> frozenset[str]:
    """The services whose data are in a backup."""
    if stored.backup.service is not None:
        return frozenset({stored.backup.service})
    return frozenset(item.service for item in stored.backup.contents if item.service)

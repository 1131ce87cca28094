"""Backups that only say what a test tells them to: none is there, and what is asked is noted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ou_vce_ext.errors import UnknownError
from ou_vce_ext.models import Operation
from ou_vce_ext.models_backup import Backup, ResetPreview
from tests.api.house import an_operation


class Shelf:
    """What the routes ask of the backups. ``asked`` records what was asked."""

    def __init__(self, asked: list[tuple[str, ...]]) -> None:
        self.asked = asked
        self.failure: Exception | None = None

    async def list(self, service: str | None = None) -> list[Backup]:
        return []

    async def get(self, identifier: str) -> None:
        raise UnknownError("unknown-backup", "There is no such backup.")

    async def preview_reset(self, service: str) -> ResetPreview:
        return ResetPreview(service, (), 0, (), "Empty.", None, 0)

    async def back_up(self, service: str) -> Operation:
        return self._do("backup", service)

    async def back_up_everything(self, folders: Sequence[str]) -> Operation:
        return self._do("backup", None, *folders)

    async def reset(self, service: str, *, without_safety_copy: bool = False) -> Operation:
        return self._do("reset", service, str(without_safety_copy))

    async def verify(self, identifier: str) -> Operation:
        return self._do("verify", "postgres", identifier)

    async def restore(
        self,
        identifier: str,
        *,
        name: str | None = None,
        items: Iterable[str] | None = None,
        without_safety_copy: bool = False,
    ) -> Operation:
        told = [] if items is None else list(items)
        return self._do("restore", "postgres", identifier, str(name), *told)

    async def upload(self, service: str, filename: str, size: int | None) -> None:
        self.asked.append(("upload", service, filename, str(size)))
        if self.failure:
            raise self.failure

    async def pin(self, identifier: str, pinned: bool) -> None:
        await self.get(identifier)

    async def remove(self, identifier: str) -> None:
        await self.get(identifier)

    def _do(self, kind: str, service: str | None, *more: str) -> Operation:
        self.asked.append((kind, service or "", *more))
        if self.failure:
            raise self.failure
        return an_operation("1f2e3d", kind, service=service)

"""What can be shown to others: the report for the forum, and the diagnostic bundle."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from tornado import web

from ..models import Capability, Service
from ..models_status import Status
from ..services.machine_memory import machine_memory
from ..services.redaction import Redactor
from .api import ApiHandler
from .base import READ
from .branding import branding_of
from .report_bundle import ZipStream, members, whole
from .report_private import private_facts
from .report_text import LINES_SHOWN, Facts, not_fine, report
from .status_look import look

if TYPE_CHECKING:
    from ..services.registry import Registry

BUNDLE_LINES: Final = 1_000
"""Lines of each service's log in the bundle."""
_PATIENCE: Final = 3.0
"""Seconds a report waits for releases that nobody has looked up yet."""


class ReportHandler(ApiHandler):
    """``api/report``."""

    actions = READ

    @web.authenticated
    async def get(self) -> None:
        """Tell a helper what they ask for first, with nothing private in it."""
        status = await look(self, patience=_PATIENCE)
        text = await asyncio.to_thread(self._make, status)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.tell_language()
        self.finish(text.encode("utf-8", "replace"))

    head = get

    def _make(self, status: Status) -> str:
        facts = gather(self, status, not_fine(status), LINES_SHOWN)
        return Redactor(private_facts(self)).text(report(facts))


class BundleHandler(ApiHandler):
    """``api/report/bundle``."""

    actions = READ

    @web.authenticated
    async def get(self) -> None:
        """Send report, status, declarations and logs, each as soon as it is made."""
        now = datetime.now(UTC)
        name = f"vce-report-{now:%Y%m%d-%H%M%S}.zip"
        self.set_header("Content-Type", "application/zip")
        self.set_header("Content-Disposition", f'attachment; filename="{name}"')
        if self.request.method == "HEAD":
            self.finish()
            return
        status = await look(self, patience=_PATIENCE)
        files = await asyncio.to_thread(self._files, status)
        stream = ZipStream()
        while (file := await asyncio.to_thread(next, files, None)) is not None:
            self.write(stream.add(*file))
            await self.flush()
        self.finish(stream.end())

    head = get

    def _files(self, status: Status) -> Iterator[tuple[str, str]]:
        logged = [s for s in status.services if Capability.LOGS in s.capabilities]
        facts = gather(self, status, logged, BUNDLE_LINES)
        specs = [self.registry.get(name).spec for name in self.registry.names()]
        return members(facts, specs, Redactor(private_facts(self)))


def gather(handler: ApiHandler, status: Status, services: Iterable[Service], lines: int) -> Facts:
    """What a report is made of. Reads logs: to be called in a thread."""
    return Facts(
        title=branding_of(handler.settings).title,
        status=status,
        memory=machine_memory(),
        logs={one.name: _log(handler.registry, one.name, lines) for one in services},
        now=datetime.now(UTC),
        language=handler.language,
    )


def _log(registry: Registry, name: str, lines: int) -> list[str]:
    return [whole(line) for line in registry.logs(name, lines).splitlines()]

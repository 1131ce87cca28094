"""What can be shown to others: the report for the forum, and the diagnostic bundle.

They are asked for seldom. What makes them is loaded then, in the thread that makes them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from tornado import web

from ..models_status import Status
from ..services.turns import giving_way
from .api import ApiHandler
from .base import READ
from .status_look import look

_PATIENCE: Final = 3.0
"""Seconds a report waits for releases that nobody has looked up yet."""


class ReportHandler(ApiHandler):
    """``api/report``."""

    actions = READ

    @web.authenticated
    async def get(self) -> None:
        """Tell a helper what they ask for first, with nothing private in it."""
        status = await look(self, patience=_PATIENCE)
        text = await asyncio.to_thread(giving_way(_report), self, status)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.tell_language()
        self.finish(text.encode("utf-8", "replace"))

    head = get


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
        parts = await asyncio.to_thread(_bundle, self, status)
        while (part := await asyncio.to_thread(next, parts, None)) is not None:
            self.write(part)
            await self.flush()
        self.finish()

    head = get


def _report(handler: ApiHandler, status: Status) -> str:
    from .report_making import make_report

    return make_report(handler, status)


def _bundle(handler: ApiHandler, status: Status) -> Iterator[bytes]:
    from .report_making import make_bundle

    return make_bundle(handler, status)

"""The tutors' status page, and the same as JSON."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime
from functools import cached_property

from jupyter_server.utils import url_path_join
from tornado import web

from ..models_status import Status
from ..services.turns import giving_way
from .accept import prefers_json
from .api import ApiHandler
from .base import READ
from .branding import look_of
from .status_look import look


class StatusHandler(ApiHandler):
    """``status``."""

    actions = READ
    is_page = True

    @cached_property
    def nonce(self) -> str:
        """What lets this page's own style and script run, and nothing else."""
        return secrets.token_urlsafe(16)

    @property
    def content_security_policy(self) -> str:
        """The page may ask this server again, and nothing more."""
        return (
            f"{super().content_security_policy}; style-src 'nonce-{self.nonce}'; "
            f"script-src 'nonce-{self.nonce}'; connect-src 'self'; img-src data:; "
            "base-uri 'none'; form-action 'none'"
        )

    def set_default_headers(self) -> None:
        """As everywhere, and the answer depends on ``Accept``."""
        super().set_default_headers()
        self.set_header("Vary", "Accept")

    @web.authenticated
    async def get(self) -> None:
        """Show how everything is."""
        status = await look(self)
        if prefers_json(self.request.headers.get("Accept", "")):
            self.answer(status.to_json())
            return
        page = await asyncio.to_thread(giving_way(self._page), status)
        self.tell_language()
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(page.encode("utf-8", "replace"))

    head = get

    def _page(self, status: Status) -> str:
        """The page's text. Blocks; loads what makes it, the first time."""
        from .status_page import Page

        return Page(
            status=status,
            now=datetime.now(UTC),
            root=url_path_join(self.base_url, "vce/"),
            home=self.base_url,
            nonce=self.nonce,
            look=look_of(self.settings),
            language=self.language,
            troubles=self.registry.last_troubles(),
        ).render()

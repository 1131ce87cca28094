"""The tutors' status page, and the same as JSON."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from functools import cache, cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version
from typing import Final, cast

from jupyter_server.utils import url_path_join
from tornado import web

from .._version import __version__
from ..disk import DiskWatch
from ..models import OperationState, Service
from ..models_status import Status
from .accept import prefers_json
from .api import ApiHandler
from .base import READ
from .status_page import Page

ENDED_SHOWN: Final = 10
"""How many ended operations the status tells of."""


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
        status = await self._look()
        if prefers_json(self.request.headers.get("Accept", "")):
            self.answer(status.to_json())
            return
        page = Page(
            status=status,
            now=datetime.now(UTC),
            root=url_path_join(self.base_url, "vce/"),
            home=self.base_url,
            nonce=self.nonce,
        )
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(page.render().encode("utf-8", "replace"))

    head = get

    async def _look(self) -> Status:
        services = await self.registry.describe_all()
        operations = sorted(
            self.registry.operations.list(), key=lambda each: each.started, reverse=True
        )
        ended = [each for each in operations if each.state is not OperationState.RUNNING]
        left_out = {each.id for each in ended[ENDED_SHOWN:]}
        return Status(
            services=services,
            operations=[each for each in operations if each.id not in left_out],
            disk=await self._disk.usage(self._places(services)),
            versions=_versions(),
            problems=self.registry.problems(),
        )

    @property
    def _disk(self) -> DiskWatch:
        return cast("DiskWatch", self.settings.setdefault("vce_disk_watch", DiskWatch()))

    def _places(self, services: list[Service]) -> list[tuple[str, Path]]:
        places = [("Home folder", Path(self.settings["serverapp"].root_dir))]
        for service in services:
            if service.data_dir:
                places.append((f"Data of {service.title}", Path(service.data_dir)))
        return places


@cache
def _versions() -> dict[str, str]:
    known = {"ou_vce_ext": __version__, "Python": python_version()}
    for package in ("jupyter_server", "jupyterlab", "notebook"):
        try:
            known[package] = version(package)
        except PackageNotFoundError:
            continue
    return known

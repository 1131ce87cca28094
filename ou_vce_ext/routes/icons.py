"""The pictures that module teams declare for their services."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from tornado import web

from ..errors import UnknownError
from ..sentences import say
from .api import ApiHandler
from .base import READ

TYPES: Final = {".svg": "image/svg+xml", ".png": "image/png"}
MOST_BYTES: Final = 1 << 20


class IconHandler(ApiHandler):
    """``api/services/{name}/icon``."""

    actions = READ

    @web.authenticated
    async def get(self, name: str) -> None:
        """Show the picture, in such a way that a script in an SVG never runs."""
        declared = self.registry.icon(self.service_name(name))
        picture = await asyncio.to_thread(_read, declared)
        if declared is None or picture is None:
            raise UnknownError(
                "unknown-route",
                say("This service has no picture of its own."),
                say("`icon` in its declaration names an .svg or .png file."),
            )
        self.set_header("Content-Type", TYPES[Path(declared).suffix.lower()])
        self.set_header(
            "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox"
        )
        self.finish(picture)

    head = get


def _read(path: str | None) -> bytes | None:
    """The file, unless it is gone, is no picture, or is far too large for one."""
    if path is None or Path(path).suffix.lower() not in TYPES:
        return None
    try:
        with open(path, "rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError:
        return None
    return content if len(content) <= MOST_BYTES else None

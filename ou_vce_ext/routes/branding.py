"""How the module calls its environment, and its logo: for the pages here and for JupyterLab."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from jupyter_server.utils import url_path_join
from tornado import web

from ..config.branding import LARGEST_LOGO, Branding
from ..errors import UnknownError
from ..sentences import say
from .api import ApiHandler
from .base import READ
from .icons import TYPES

_PLAIN: Final = Branding()


class Look(NamedTuple):
    """What a page of ours shows of the branding; ``logo`` is a ``data:`` address or None."""

    title: str
    logo: str | None
    colour: str | None
    colour_dark: str | None
    help_url: str | None
    help_text: str | None


def branding_of(settings: Mapping[str, Any]) -> Branding:
    """What is declared, or the plain one."""
    found = settings.get("vce_branding")
    return found if isinstance(found, Branding) else _PLAIN


def look_of(settings: Mapping[str, Any]) -> Look:
    """What a page shows of it. The logo is part of the page: a second question could be refused."""
    branding = branding_of(settings)
    logo = read_logo(branding.logo)
    return Look(
        title=branding.title,
        logo=f"data:{logo[0]};base64,{base64.b64encode(logo[1]).decode()}" if logo else None,
        colour=branding.colour,
        colour_dark=branding.colour_dark,
        help_url=branding.help_url,
        help_text=branding.help_text,
    )


class BrandingHandler(ApiHandler):
    """``api/branding``."""

    actions = READ

    @web.authenticated
    def get(self) -> None:
        """Tell how the environment is called, and what else is declared of its look."""
        branding = branding_of(self.settings)
        logo = url_path_join(self.base_url, "vce/api/branding/logo") if branding.logo else None
        self.answer(
            {
                # A name is no sentence: the Lab knows the plain one, and says it in its own way.
                "title": str(branding.title),
                "logo": logo,
                "colour": branding.colour,
                "colour_dark": branding.colour_dark,
                "help_url": branding.help_url,
                "help_text": branding.help_text,
            }
        )

    head = get


class LogoHandler(ApiHandler):
    """``api/branding/logo``."""

    actions = READ

    @web.authenticated
    async def get(self) -> None:
        """Show the logo, in such a way that a script in an SVG never runs."""
        logo = await asyncio.to_thread(read_logo, branding_of(self.settings).logo)
        if logo is None:
            raise UnknownError(
                "unknown-route",
                say("No logo is declared, or its file has gone."),
                say("`logo` under [branding] names an .svg or .png file."),
            )
        self.set_header("Content-Type", logo[0])
        self.set_header(
            "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox"
        )
        self.finish(logo[1])

    head = get


@lru_cache(maxsize=4)
def read_logo(path: str | None) -> tuple[str, bytes] | None:
    """Media type and content of a logo, read once; None where there is none to show."""
    if path is None or Path(path).suffix.lower() not in TYPES:
        return None
    try:
        with open(path, "rb") as file:
            content = file.read(LARGEST_LOGO + 1)
    except OSError:
        return None
    return (TYPES[Path(path).suffix.lower()], content) if len(content) <= LARGEST_LOGO else None

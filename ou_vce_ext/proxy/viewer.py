"""Our own page at the address of an app that has a screen and no pages: a desktop program."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import UnknownError, VceError
from ..models_upstream import Viewer
from ..routes import errors
from ..sentences import say
from . import starting

if TYPE_CHECKING:
    from .door import AppDoor

SOCKET: Final = "screen"
"""Where below the app's address the page finds the screen. Any other WebSocket is the same."""
_METHODS: Final = ("GET", "HEAD")
_TYPES: Final = {
    "viewer.js": "text/javascript; charset=utf-8",
    "viewer.css": "text/css; charset=utf-8",
    "novnc-licence.txt": "text/plain; charset=utf-8",
}
_BUILT: Final = Path(__file__).parents[1] / "viewer"


def check_method(method: str) -> None:
    """Refuse what no page takes. Raises NotAllowedError."""
    if method not in _METHODS:
        raise errors.NotAllowedError(method, _METHODS)


def answer(door: AppDoor, viewer: Viewer) -> None:
    """Give the page, or one of the files it is made of."""
    check_method(door.request.method or "")
    name = door.addresses.below(door.request.path).lstrip("/")
    if name == "":
        if door.upstream or door.waits_for_start():
            _answer_page(door, viewer)
        else:
            door.not_ready()
        return
    if name not in _TYPES:
        raise UnknownError(
            "unknown-route",
            say("{title} has no page of this name. Nothing was done.", title=viewer.title),
            say("Its only page is {prefix}/", prefix=door.addresses.prefix),
        )
    body = _file(name)
    door.present(_TYPES[name], policy="default-src 'none'", keep=_version() == _asked(door))
    door.finish(body)


def parts() -> tuple[str, str]:
    """Script and style of the page, as they are named from it: for whoever loads them ahead.

    Raises VceError where they are missing from this installation.
    """
    return f"viewer.js?v={_version()}", f"viewer.css?v={_version()}"


def _asked(door: AppDoor) -> str:
    return str(door.get_query_argument("v", ""))


def _answer_page(door: AppDoor, viewer: Viewer) -> None:
    from ..routes.pages import template

    version = _version()
    name = door.lifecycle.spec.name
    page = template("viewer.html").render(
        title=viewer.title,
        version=version,
        # Without JavaScript; else the page finds out by itself, since JupyterLab's comes first.
        language=door.language,
        facts={
            "name": name,
            "title": viewer.title,
            "fits": viewer.fits,
            "scale": viewer.scale,
            "starting": door.upstream is None,
            "service": f"{door.base_url}vce/api/services/{name}",
            "socket": SOCKET,
        },
    )
    door.present("text/html; charset=utf-8", policy=policy(door.content_security_policy))
    door.tell_language()
    door.finish(page.encode("utf-8", "replace"))


def policy(told: str) -> str:
    """Give the page's Content-Security-Policy. Who may frame it stays as ``told``."""
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            # Pictures of the screen, and of the pointer, are made in the page.
            "img-src 'self' data: blob:",
            "base-uri 'none'",
            "form-action 'none'",
            starting.ancestors(told),
        ]
    )


@cache
def _file(name: str) -> bytes:
    try:
        return (_BUILT / name).read_bytes()
    except OSError as error:
        raise VceError(
            "internal",
            say("The page that shows desktop programs is missing from this installation."),
            say("Install the package again. From a clone of the project: make build."),
        ) from error


@cache
def _version() -> str:
    """What tells one build's files from another's, so that they may be kept for good."""
    digest = hashlib.sha256()
    for name in _TYPES:
        digest.update(_file(name))
    return digest.hexdigest()[:12]

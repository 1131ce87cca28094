"""What is said while an app cannot answer: a page that starts it, and words for programs.

The page comes with status 503, like the words: a service worker, a cache or a download must never
take it for the app itself, and browsers show it all the same, in frames too.
"""

from __future__ import annotations

import re
import secrets
from functools import cache
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from ..errors import VceError
from ..sentences import say
from ..states import ServiceState

if TYPE_CHECKING:
    from ..routes.branding import Look
    from ..services.lifecycle import Lifecycle

_ANCESTORS: Final = re.compile(r"(?:^|;)\s*(frame-ancestors[^;]*)")


def new_nonce() -> str:
    """What lets this page's own style and script run, and nothing else."""
    return secrets.token_urlsafe(16)


def policy(told: str, nonce: str) -> str:
    """Give the page's Content-Security-Policy. Who may frame it stays as ``told``."""
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'nonce-{nonce}'",
            f"style-src 'nonce-{nonce}'",
            "connect-src 'self'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            ancestors(told),
        ]
    )


def ancestors(told: str) -> str:
    """Give who may frame a page of ours, as the policy ``told`` has it."""
    found = _ANCESTORS.search(told)
    return found[1].strip() if found else "frame-ancestors 'self'"


def told(lifecycle: Lifecycle, *, refused: bool) -> VceError:
    """Give the words for a program."""
    title, name, error = lifecycle.spec.title, lifecycle.spec.name, lifecycle.error
    start = say(
        "Start it in the panel, or with POST vce/api/services/{name}/start, and try again.",
        name=name,
    )
    soon = say("Try again in a few seconds.")
    message: str
    hint: str
    match lifecycle.state:
        case ServiceState.STARTING | ServiceState.BACKOFF:
            message, hint = f"{title} is still starting", soon
        case ServiceState.STOPPING:
            message, hint = f"{title} is stopping", start
        case ServiceState.FAILED | ServiceState.UNAVAILABLE if error:
            message, hint = error.message.removesuffix("."), error.hint or start
        case _ if refused:
            message, hint = f"{title} does not answer just now", soon
        case _:
            message, hint = f"{title} is not running", start
    return VceError(
        "not-ready", say("{message}. Your request was not passed on.", message=message), hint
    )


def page(
    lifecycle: Lifecycle,
    *,
    api: str,
    home: str,
    xsrf: str,
    nonce: str,
    may_start: bool,
    refused: bool,
    look: Look,
) -> bytes:
    """Give the page, as UTF-8.

    ``api`` and ``home`` are paths with a slash at their end. With ``may_start`` the page starts a
    stopped service by itself; else it shows a button, so that no link from elsewhere starts one.
    """
    return (
        _template()
        .render(
            service=lifecycle.spec.name,
            title=lifecycle.spec.title,
            state=lifecycle.state,
            error=lifecycle.error,
            api=api,
            home=home,
            xsrf=xsrf,
            nonce=nonce,
            may_start=may_start,
            refused=refused,
            look=look,
        )
        .encode("utf-8", "replace")
    )


@cache
def _template() -> Template:
    return Environment(
        loader=PackageLoader("ou_vce_ext", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template("starting.html")

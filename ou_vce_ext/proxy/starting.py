"""What is said while an app cannot answer: a page that starts it, and words for programs.

The page comes with status 503, like the words: a service worker, a cache or a download must never
take it for the app itself, and browsers show it all the same, in frames too.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Final

from ..errors import VceError
from ..sentences import in_turn, say
from ..states import ServiceState
from .starting_words import heading, words

if TYPE_CHECKING:
    from ..routes.branding import Look
    from ..services.lifecycle import Lifecycle
    from ..translation import Language

_SOON: Final = (ServiceState.STARTING, ServiceState.BACKOFF)
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
    if error and lifecycle.state in (ServiceState.FAILED, ServiceState.UNAVAILABLE):
        message = in_turn(_without_full_stop, error.message)
        hint = error.hint or start
    else:
        message = heading(title, lifecycle.state, refused=refused)
        hint = soon if refused or lifecycle.state in _SOON else start
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
    language: Language,
    ahead: tuple[str, ...] = (),
) -> bytes:
    """Give the page, as UTF-8.

    ``api`` and ``home`` are paths with a slash at their end. With ``may_start`` the page starts a
    stopped service by itself; else it shows a button, so that no link from elsewhere starts one.
    ``ahead`` are script and style of the page of ours that shows the app, if there is one: this
    page loads them, and gives way to that one as soon as the app is being started.
    """
    from ..routes.pages import template

    return (
        template("starting.html")
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
            language=language,
            heading=heading(lifecycle.spec.title, lifecycle.state, refused=refused),
            words=language.body(dict(words(lifecycle.spec.title))),
            ahead=ahead,
        )
        .encode("utf-8", "replace")
    )


def _without_full_stop(text: str) -> str:
    return text.removesuffix(".")

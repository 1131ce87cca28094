"""Which HTTP status each refusal has, and what is said where only HTTP knows: the one table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from tornado import web

from ..errors import UnknownError, VceError
from ..sentences import say

STATUS: Final[Mapping[str, int]] = {
    "bad-request": 400,
    "backup-unsuitable": 400,
    "not-authenticated": 403,
    "forbidden": 403,
    "xsrf": 403,
    "unknown-service": 404,
    "unknown-operation": 404,
    "unknown-backup": 404,
    "unknown-route": 404,
    "method-not-allowed": 405,
    "conflict": 409,
    "capability-missing": 409,
    "not-cancellable": 409,
    "too-large": 413,
    "range-not-satisfiable": 416,
    "internal": 500,
    "app-not-answering": 502,
    "not-ready": 503,
    "disk-full": 507,
}
"""Status by ``ErrorCode`` of ``rest-api.yml``, complete for the file."""


class RefusedError(VceError):
    """Refused at the door, before the domain was asked. Nothing was done."""


class NotAllowedError(RefusedError):
    """The address does not take this method; ``allowed`` are those it takes."""

    def __init__(self, method: str, allowed: Iterable[str]) -> None:
        self.allowed = ", ".join(sorted(allowed))
        super().__init__(
            "method-not-allowed",
            say("This address does not take {method}. Nothing was done.", method=method),
            say("It takes {allowed}.", allowed=self.allowed) if self.allowed else "",
        )


def not_authenticated() -> RefusedError:
    """Say that nobody is logged in."""
    return RefusedError(
        "not-authenticated",
        say("You are not logged in to this Jupyter server. Nothing was done."),
        say("Log in, or send the server's token in an Authorization header, and try again."),
    )


def forbidden(action: str) -> RefusedError:
    """Say that this server's authorizer refused ``action``."""
    words = {
        "read": say("You may not look at the services of this server. Nothing was done."),
        "write": say("You may not change the data of this server's services. Nothing was done."),
        "execute": say("You may not start, stop or use this server's services. Nothing was done."),
    }
    return RefusedError(
        "forbidden",
        words[action],
        say("Ask whoever runs this server if you think that you should."),
    )


def foreign_host() -> RefusedError:
    """Say that the Host header names none of this server's addresses."""
    return RefusedError(
        "forbidden",
        say("This server does not answer at the address you used. Nothing was done."),
        say("Open it at the address printed when it started."),
    )


def xsrf() -> RefusedError:
    """Say that another site may have sent it: XSRF token missing or wrong, or a foreign Origin."""
    return RefusedError(
        "xsrf",
        say("This request could not be told from one made by another website. Nothing was done."),
        say(
            "Reload the page and try again. A program sends the value of the _xsrf cookie "
            "as X-XSRFToken, or the server's token in an Authorization header."
        ),
    )


def too_large(limit: int) -> RefusedError:
    """Say that the body is larger than ``limit`` bytes."""
    return RefusedError(
        "too-large",
        say(
            "The body of this request is larger than the {limit} kB this address takes. "
            "Nothing was done.",
            limit=limit // 1024,
        ),
        say("Send only what the description at api/openapi.yaml lists."),
    )


def unknown_route() -> UnknownError:
    """Say that there is nothing at this address."""
    return UnknownError(
        "unknown-route",
        say("There is nothing at this address. Nothing was done."),
        say("The status page is at vce/status; every address is listed in vce/api/openapi.yaml."),
    )


def internal(reference: str) -> VceError:
    """Say that it is a defect of ours; its traceback is in the log under ``reference``."""
    return VceError(
        "internal",
        say(
            "Something went wrong inside ou_vce_ext, so it may not have done what you "
            "asked. It is not your fault."
        ),
        say(
            "Look at the status page, then try again. If it keeps happening, give your "
            "tutor the reference {reference}: the server's log has the details under it.",
            reference=reference,
        ),
    )


def told(exception: BaseException | None, reference: str) -> tuple[int, VceError]:
    """Find the status and the words for anything a handler may raise.

    A foreseeable failure whose code the REST description does not list (those of a service, such as
    ``program-missing``) is a conflict: what was asked for cannot be done as things are.
    """
    if isinstance(exception, VceError):
        if exception.code in STATUS:
            return STATUS[exception.code], exception
        return 409, VceError("conflict", exception.message, exception.hint)
    if isinstance(exception, web.HTTPError):
        match exception.status_code:
            case 403:
                return 403, forbidden("use")
            case 404:
                return 404, unknown_route()
            case 405:
                return 405, VceError("method-not-allowed", say("There is no such method here."))
            case status if 400 <= status < 500:
                return 400, VceError(
                    "bad-request", say("The request cannot be understood. Nothing was done.")
                )
    return 500, internal(reference)

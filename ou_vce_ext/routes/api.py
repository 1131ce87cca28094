"""What the JSON routes do alike: small bodies, read no further than needed, and named mistakes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from tornado import web

from ..errors import BadRequestError
from ..models import Json
from ..sentences import in_a_row, say
from . import errors
from .base import VCEHandler

BODY_LIMIT: Final = 64 * 1024
"""The largest JSON body taken, in bytes."""
_PATIENCE: Final = 1024 * 1024
# A refusal sent while the client still writes is often lost with the connection. Up to here the
# rest is read and dropped, so that an honest mistake gets its answer; beyond, we just hang up.

_WORDS: Final[Mapping[type, str]] = {
    bool: say("true or false"),
    str: say("a text"),
    int: say("a whole number"),
    list: say("a list"),
    type(None): "null",
}


@web.stream_request_body
class ApiHandler(VCEHandler):
    """A route that takes a small JSON body, or none. Who may not ask is told before it is read."""

    def initialize(self) -> None:
        """Start with nothing received."""
        self._body = bytearray()
        self._received = 0

    @property
    def content_security_policy(self) -> str:
        """Nothing in an answer may run or load, should a browser ever take it for a page."""
        return f"{super().content_security_policy}; default-src 'none'"

    async def prepare(self, *, _redirect_to_login: bool = False) -> None:
        """As every route; then refuse a body whose announced length is beyond all patience."""
        await super().prepare()
        length = self.request.headers.get("Content-Length", "")
        if length.isdecimal() and int(length[:20]) > _PATIENCE and not self._finished:
            raise errors.too_large(BODY_LIMIT)

    def data_received(self, chunk: bytes) -> None:
        """Keep what may be a body, drop what is too much."""
        self._received += len(chunk)
        if self._received <= BODY_LIMIT:
            self._body += chunk
        elif self._received > _PATIENCE and not self._finished:
            self.send_error(413, exc_info=(None, errors.too_large(BODY_LIMIT), None))

    def json_body(self, fields: Mapping[str, tuple[type, ...]]) -> dict[str, Json]:
        """Give the body's object, where each key is one of ``fields`` and of one of its types.

        No body is an empty object. Raises BadRequestError naming the key and what is allowed.
        """
        if self._received > BODY_LIMIT:
            raise errors.too_large(BODY_LIMIT)
        if not self._body.strip():
            return {}
        try:
            body: Any = json.loads(self._body, parse_constant=_no_constant)
        except (ValueError, RecursionError) as mistake:
            raise BadRequestError(
                say("The body is no JSON{place}. Nothing was done.", place=_place(mistake)),
                say("Send a JSON object, or no body at all."),
            ) from None
        if not isinstance(body, dict):
            raise BadRequestError(
                say("The body is not a JSON object. Nothing was done."),
                say("Send an object, such as {}, or no body at all."),
            )
        for key, value in body.items():
            if key not in fields:
                raise BadRequestError(
                    say(
                        "The key {quoted} is not known here. Nothing was done.", quoted=_quoted(key)
                    ),
                    _allowed(fields),
                )
            if type(value) not in fields[key]:
                raise BadRequestError(
                    say(
                        "{quoted} must be {either}. Nothing was done.",
                        quoted=_quoted(key),
                        either=_either(fields[key]),
                    )
                )
        return body


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _place(mistake: Exception) -> str:
    if isinstance(mistake, json.JSONDecodeError):
        return say(" (line {line}, column {column})", line=mistake.lineno, column=mistake.colno)
    return ""


def _quoted(key: str) -> str:
    shown = key if len(key) <= 40 else f"{key[:40]}…"
    return json.dumps(shown, ensure_ascii=False)


def _either(types: tuple[type, ...]) -> str:
    first, *rest = (_WORDS[kind] for kind in types)
    for other in rest:
        first = say("{first} or {other}", first=first, other=other)
    return first


def _allowed(fields: Mapping[str, tuple[type, ...]]) -> str:
    if not fields:
        return say("This address takes no keys: send {} or no body.")
    known = (
        say("{key}: {what}", key=_quoted(key), what=_either(types)) for key, types in fields.items()
    )
    return say("Allowed: {keys}.", keys=in_a_row(known, ", "))

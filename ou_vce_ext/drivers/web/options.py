"""The keys of a web app's declaration, and what only several of them together can get wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from ...models import ServiceError, ServiceSpec
from ..base import Option
from .placeholders import check_placeholders, used

_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_HOST: Final = re.compile(r"[A-Za-z0-9._-]+(:\d{1,5})?|\[[0-9a-fA-F:.]+\](:\d{1,5})?")


def _check_port(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 65535:
        return None
    return "must be a number from 1 to 65535"


def _check_host(value: object) -> str | None:
    if _HOST.fullmatch(str(value)):
        return None
    return 'must be a host and, if need be, a port, such as "localhost:3000"'


def _check_headers(value: object) -> str | None:
    if not isinstance(value, Mapping):
        return 'must be a table, such as { "X-Script-Name" = "/genie" }'
    for name, text in value.items():
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
            return "holds a name that no header can have"
        if not isinstance(text, str) or not text.isprintable():
            return f"holds a value for {name} that is no text of one line"
    return None


OPTIONS: Mapping[str, Option] = {
    "port": Option(
        (int,), "the port it always listens on; left out: a free one each time", check=_check_port
    ),
    "host_header": Option(
        (str,), "the Host it expects; left out: 127.0.0.1 and its port", check=_check_host
    ),
    "absolute_url": Option((bool,), "true where it expects to see the whole path, prefix included"),
    "request_headers": Option(
        (dict,), "headers it is given with each request", check=_check_headers
    ),
}


def uses_socket(spec: ServiceSpec) -> bool:
    """Whether the app listens on a unix socket instead of a port."""
    return "socket" in used((*spec.command, *spec.env.values()))


def check_declaration(spec: ServiceSpec) -> ServiceError | None:
    """What is wrong with a declaration as a whole, or None."""
    trouble = check_placeholders((*spec.command, *spec.env.values()))
    if trouble:
        return ServiceError("config-invalid", trouble, "Correct `command` or `env`.")
    if not uses_socket(spec):
        return None
    if "port" in spec.options or "port" in used((*spec.command, *spec.env.values())):
        return ServiceError(
            "config-invalid",
            "The app is to listen on a port and on a {socket} as well.",
            "Use one of them: {socket}, or {port} and `port`.",
        )
    return None

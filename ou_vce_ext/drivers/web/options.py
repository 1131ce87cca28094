"""The keys of a web app's declaration, and what only several of them together can get wrong."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ...models import ServiceError, ServiceSpec
from ...sentences import say
from ..base import Option
from ..private_network import PRIVATE
from .placeholders import check_placeholders, used

_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_HOST: Final = re.compile(r"[A-Za-z0-9._-]+(:\d{1,5})?|\[[0-9a-fA-F:.]+\](:\d{1,5})?")
_ENTRY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_FUNCTION: Final = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
_PAGE: Final = re.compile(r"(?![/\\])[!-~]{1,500}")
LONGEST_SOCKET: Final = 100
"""Bytes of a unix socket's path; the system takes 107."""


def _check_port(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 65535:
        return None
    return say("must be a number from 1 to 65535")


def _check_socket(value: object) -> str | None:
    path = str(value)
    if not os.path.isabs(path) or len(os.fsencode(path)) > LONGEST_SOCKET:
        return say("must be a path from / on, {longest} characters at most", longest=LONGEST_SOCKET)
    return None


def _check_host(value: object) -> str | None:
    if _HOST.fullmatch(str(value)):
        return None
    return say('must be a host and, if need be, a port, such as "localhost:3000"')


def _check_headers(value: object) -> str | None:
    if not isinstance(value, Mapping):
        return say('must be a table, such as { "X-Script-Name" = "/genie" }')
    for name, text in value.items():
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
            return say("holds a name that no header can have")
        if not isinstance(text, str) or not text.isprintable():
            return say("holds a value for {name} that is no text of one line", name=name)
    return None


def _check_mappath(value: object) -> str | None:
    if not isinstance(value, Mapping):
        return say('must be a table, such as { "/" = "/index.html" }')
    for path in (*value.keys(), *value.values()):
        if not isinstance(path, str) or not path.startswith("/") or not path.isprintable():
            return say('must map paths to paths, which begin with /: { "/" = "/index.html" }')
        if "?" in path or "#" in path:
            return say("must map paths alone: what is behind a ? or # is passed on as it is")
    return None


def _check_functions(value: object) -> str | None:
    for each in texts(value):
        if not isinstance(each, str) or not _FUNCTION.fullmatch(each):
            return say('must name functions, such as ["my_module:my_function"]')
    return None


def _check_patterns(value: object) -> str | None:
    for each in texts(value):
        if not isinstance(each, str):
            return say('must hold texts, such as ["/poll", "/api/events.*"]')
        try:
            re.compile(each)
        except re.error as error:
            return say(
                "holds a regular expression that is none: '{value}' ({error})",
                value=each[:40],
                error=error,
            )
    return None


def _check_page(value: object) -> str | None:
    if _PAGE.fullmatch(str(value)) and ".." not in str(value).partition("?")[0].split("/"):
        return None
    return say('must be a path below the app\'s own address, such as "app/index.html"')


def _check_entry(value: object) -> str | None:
    if _ENTRY.fullmatch(str(value)):
        return None
    return say('must be the name of an entry for jupyter-server-proxy, such as "rstudio"')


def texts(value: object) -> tuple[Any, ...]:
    """Give the members of a list, or the one thing that stands in for a list."""
    return tuple(value) if isinstance(value, list | tuple) else (value,)


OPTIONS: Mapping[str, Option] = {
    "adopt": Option(
        (str,),
        say("an entry for jupyter-server-proxy to run, instead of a command"),
        check=_check_entry,
    ),
    "port": Option(
        (int,),
        say("the port it always listens on; left out: a free one each time"),
        check=_check_port,
    ),
    "socket": Option(
        (str,), say("the unix socket it always listens on, instead of a port"), check=_check_socket
    ),
    "host_header": Option(
        (str,), say("the Host it expects; left out: 127.0.0.1 and its port"), check=_check_host
    ),
    "absolute_url": Option(
        (bool,), say("true where it expects to see the whole path, prefix included")
    ),
    "private": PRIVATE,
    "request_headers": Option(
        (dict,), say("headers it is given with each request"), check=_check_headers
    ),
    "start_page": Option((str,), say("the page its address leads to"), check=_check_page),
    "mappath": Option((dict,), say("paths to ask for instead of others"), check=_check_mappath),
    "rewrite_response": Option(
        (str, list, tuple), say("functions that change its answers"), check=_check_functions
    ),
    "raw_socket": Option(
        (bool,), say("true where it speaks no HTTP: a WebSocket carries its bytes")
    ),
    "activity": Option(
        (bool,), say("false where using it does not keep the server from being culled")
    ),
    "activity_ignores": Option(
        (list, tuple),
        say("regular expressions: requests for such paths tell of no person at work"),
        check=_check_patterns,
    ),
}


def told_words(spec: ServiceSpec) -> tuple[str, ...]:
    """Give every text of a declaration in which placeholders are filled in."""
    headers = spec.options.get("request_headers", {})
    values: Iterable[Any] = headers.values() if isinstance(headers, Mapping) else ()
    return (*spec.command, *spec.env.values(), *values)


def uses_socket(spec: ServiceSpec) -> bool:
    """Whether the app listens on a unix socket instead of a port."""
    return bool(spec.options.get("socket")) or "socket" in used((*spec.command, *spec.env.values()))


def check_declaration(spec: ServiceSpec) -> ServiceError | None:
    """What is wrong with a declaration as a whole, or None."""
    if spec.command and "adopt" in spec.options:
        return ServiceError(
            "config-invalid",
            say("It has a `command`, and is to `adopt` another's as well."),
            say("Leave one of them out."),
        )
    trouble = check_placeholders(told_words(spec))
    if trouble:
        return ServiceError(
            "config-invalid", trouble, say("Correct `command`, `env` or `request_headers`.")
        )
    if not uses_socket(spec):
        return None
    if "port" in spec.options or "port" in used((*spec.command, *spec.env.values())):
        return ServiceError(
            "config-invalid",
            say("The app is to listen on a port and on a {socket} as well."),
            say("Use one of them: {socket}, or {port} and `port`."),
        )
    return None

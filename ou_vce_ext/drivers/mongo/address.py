"""How a MongoDB server is reached: the address that kernels get, and reading a declared one."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote, unquote

from ...sentences import say

DEFAULT_PORT = 27017


class Address(NamedTuple):
    """What a ``mongodb://`` address says: its first host, and as whom and what to open."""

    host: str | None = None
    port: int | None = None
    user: str | None = None
    password: str | None = None
    database: str | None = None


def build_uri(
    host: str,
    port: int,
    *,
    database: str,
    user: str | None = None,
    password: str | None = None,
) -> str:
    """The address of one server, with credentials (percent-encoded) where there is a user."""
    credentials, source = "", ""
    if user:
        credentials = f"{quote(user, safe='')}:{quote(password or '', safe='')}@"
        source = "authSource=admin&"
    if ":" in host:
        host = f"[{host}]"
    return (
        f"mongodb://{credentials}{host}:{port}/{quote(database, safe='')}"
        f"?{source}directConnection=true"
    )


def read_uri(uri: str) -> Address:
    """The parts of a ``mongodb://`` or ``mongodb+srv://`` address.

    Raises ValueError, made with a sentence for a person.
    """
    scheme, found, rest = uri.partition("://")
    if not found or scheme not in ("mongodb", "mongodb+srv"):
        raise ValueError(say("a MongoDB address begins with mongodb:// or mongodb+srv://"))
    place, _, tail = rest.partition("/")
    database = tail.partition("?")[0]
    credentials, _, hosts = place.rpartition("@")
    user, _, password = credentials.partition(":")
    host, port = _read_host(hosts.partition(",")[0].partition("?")[0])
    if not host:
        raise ValueError(say("a MongoDB address names a host"))
    if scheme == "mongodb" and port is None and not host.endswith(".sock"):
        port = DEFAULT_PORT
    return Address(
        unquote(host),
        port,
        unquote(user) or None,
        unquote(password) or None,
        unquote(database) or None,
    )


def _read_host(text: str) -> tuple[str, int | None]:
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    else:
        host, _, port = text.partition(":")
    if port and not port.isdecimal():
        raise ValueError(say("a port is a number"))
    return host, int(port) if port else None

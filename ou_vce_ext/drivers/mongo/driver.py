"""MongoDB: a private server for one student, or one that already runs."""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, Final

from ...errors import VceError
from ...launch import Ending, Launcher, LaunchPlan, Process, StopStep
from ...models import Capability, Connection, ServiceError, ServiceSpec, Site
from ...sentences import say
from ...services.logs import ServiceLog
from ...services.ports import port_in_use_error, port_is_taken
from ...services.turns import giving_way
from ..base import Driver, Option, Progress, scrubbed_environment
from ..identity import Account
from ..made_before import MadeBefore
from .arguments import ADDRESS, server_arguments
from .diagnoses import Place, explain_ending
from .external import ExternalServer
from .folder import (
    forget_first_start,
    is_void,
    lock_file_for,
    lock_is_free,
    make_ready,
    make_sockets_folder,
)
from .identity import decide_account, identity_of
from .options import OPTIONS, read_options
from .programs import find_mongods, missing_program, release_of
from .provision import Server, ensure_account, make_writable
from .secrets import keep_key, keep_private
from .wire import Line, has_configuration, is_writable

STOP_SECONDS: Final = 60.0
_PROBE_SECONDS: Final = 3.0
_NEWS_SECONDS: Final = 1.0
_LOG_LINES: Final = 400
log = logging.getLogger(__name__)


class MongoDriver(Driver):
    """One MongoDB server, a replica set of one member, so that transactions and streams work."""

    kind: ClassVar[str] = "mongo"
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
    default_ready_timeout: ClassVar[float] = 120.0
    """Recovery after a crash may take its time: it is not to be cut short."""
    when_cut_off: ClassVar[str] = say(
        "What was written is there; what was being changed just then may be lost."
    )
    start_seconds: ClassVar[float | None] = 1.5

    def __init__(self, spec: ServiceSpec, site: Site, launcher: Launcher) -> None:
        super().__init__(spec, site, launcher)
        self.declared = read_options(spec, site)
        self.socket = site.runtime_dir / f"mongodb-{self.declared.port}.sock"
        self.key_file = site.private_dir / f"{site.name}.key"
        self.password_file = site.private_dir / f"{site.name}.password"
        self._key: str | None = None
        self._account: Account | None = None
        self._provisioned = False
        self._process: Process | None = None
        self._importing: asyncio.Future[Any] | None = None
        self._external = ExternalServer(self.declared)
        self._made = MadeBefore(site.private_dir)

    async def missing(self) -> ServiceError | None:
        """What is not installed, or None."""
        if self.spec.external:
            return None
        for key in ("host", "uri"):
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
        program = self.declared.program
        return missing_program(program, find_mongods(program))

    def versions(self) -> Mapping[str, str]:
        """The release of the server that is run, or would be."""
        if self.spec.external:
            release: str | None = self._external.release
        else:
            found = find_mongods(self.declared.program)
            release = release_of(found[0].path) if found else None
        return {"MongoDB": release} if release else {}

    async def prepare(self, progress: Progress) -> None:
        """Check folder and port, keep the key and the password. Nothing is started."""
        # It takes as long to import as a server to start: both can be done at a time.
        self._importing = asyncio.ensure_future(
            asyncio.to_thread(giving_way(importlib.import_module), "pymongo")
        )
        await asyncio.to_thread(self._make_ready)

    def _make_ready(self) -> None:
        site, port = self.site, self.declared.port
        self._account = account = decide_account(site.data_dir, self._program)
        make_sockets_folder(site.runtime_dir, port, account)
        self._key = keep_key(self.key_file, account) if self.declared.account else None
        self._keep_password()
        if is_void(site.data_dir):
            self._made.expect(site.data_dir, "MongoDB")
        make_ready(site.data_dir, account)
        # An earlier run that is still ending has the port as well: whoever launches waits for it.
        if port_is_taken(port) and lock_is_free(site.data_dir):
            raise port_in_use_error(port, "port" in self.spec.options)

    @property
    def _program(self) -> Path:
        return find_mongods(self.declared.program)[0].path

    async def plan(self) -> LaunchPlan:
        """Run the server in the foreground, on this machine's own address alone."""
        site, declared = self.site, self.declared
        if self._account is None:
            raise RuntimeError("plan() is asked for after prepare()")
        arguments = server_arguments(
            site.data_dir,
            site.runtime_dir,
            declared.port,
            cache_mb=declared.cache_mb,
            key_file=self.key_file if self._key is not None else None,
        )
        return LaunchPlan(
            argv=(str(self._program), *arguments),
            env=scrubbed_environment(self.spec.env),
            cwd=str(site.data_dir),
            output=site.log_file,
            identity=identity_of(self._account),
            stop=(StopStep("SIGTERM", self.spec.stop_timeout or STOP_SECONDS, while_busy=True),),
            lock_file=lock_file_for(site.data_dir),
            memory_limit=self.spec.memory_bytes,
        )

    async def probe(self, process: Process | None) -> bool:
        """Whether our server takes writes, or answers and is yet to be provisioned."""
        async with asyncio.timeout(_PROBE_SECONDS):
            if process is None or self.spec.external:
                self._keep_password()
                return await self._external.answers()
            self._process = process
            port = self.declared.port
            who = (await process.listener(port=port)).who
            if who == "stranger":
                raise port_in_use_error(port, "port" in self.spec.options)
            if who == "nobody":
                return False
            async with await Line.open(str(self.socket)) as line:
                hello = await line.hello()
                if not is_writable(hello) and has_configuration(hello):
                    hello = await line.hello(changed_from=hello)
            return is_writable(hello) or not (self._provisioned or has_configuration(hello))

    async def provision(self, progress: Progress) -> None:
        """Have the replica set and the student's account as they should be."""
        await asyncio.to_thread(forget_first_start, self.site.data_dir)
        self._made.remember(self.site.data_dir)
        address = f"{ADDRESS}:{self.declared.port}"
        server = Server(str(self.socket), address, self._key)
        if self._importing:
            await self._importing
        from pymongo.errors import PyMongoError

        try:
            await make_writable(server)
            if self.declared.account:
                await ensure_account(server, self.declared.account)
            self._provisioned = True
        except (PyMongoError, OSError) as error:
            if await self._has_died():
                # Whoever watches the process sees it too, and knows what to do.
                return
            raise VceError(
                "internal",
                say(
                    "MongoDB runs, but its replica set and user could not be set up: {error}. What "
                    "was there before is safe.",
                    error=error,
                ),
                say("Start it again. If it happens again, show your tutor the log."),
            ) from error

    def server(self) -> Server:
        """Our own server, with the key that opens all of it. It must have been prepared."""
        return Server(str(self.socket), f"{ADDRESS}:{self.declared.port}", self._key)

    @property
    def program(self) -> Path:
        """The `mongod` that is run, or would be. Raises VceError where there is none."""
        found = find_mongods(self.declared.program)
        if error := missing_program(self.declared.program, found):
            raise VceError(error.code, error.message, error.hint)
        return found[0].path

    async def _has_died(self) -> bool:
        if self._process is None:
            return False
        try:
            async with asyncio.timeout(_NEWS_SECONDS):
                await self._process.exited()
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """Let go of what belonged to this run."""
        had_one, self._process = self._process is not None, None
        self._provisioned = False
        if had_one:
            # One that was ended while it started leaves its socket behind. Another's is left alone.
            with suppress(OSError):
                self.socket.unlink(missing_ok=True)
        await self._external.close()

    def _keep_password(self) -> None:
        if self.declared.password:
            keep_private(self.password_file, self.declared.password.encode())

    def environment(self) -> Mapping[str, str]:
        """What ``MongoClient(os.environ["MONGODB_URI"])`` needs, the password included."""
        return {"MONGODB_URI": self.declared.uri}

    def connection(self) -> Connection:
        """How a program reaches it."""
        declared = self.declared
        return Connection(
            host=declared.host,
            port=declared.port,
            socket=None if self.spec.external else str(self.socket),
            user=declared.user,
            database=declared.databases[0],
            password_file=str(self.password_file) if declared.password else None,
            env=("MONGODB_URI",),
        )

    def diagnose(self, ending: Ending, log_tail: Sequence[str]) -> ServiceError:
        """What its end and its last words mean, where they tell."""
        place = Place(
            self.spec.title,
            self.site.data_dir,
            self.site.runtime_dir,
            self.declared.port,
            "port" in self.spec.options,
        )
        # What it died of stands before a long trace of its stack, further up than `log_tail` goes.
        lines = ServiceLog(self.site.log_file).tail(_LOG_LINES)
        return explain_ending(ending, lines or tuple(log_tail), place)

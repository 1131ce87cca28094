"""Any web app: a command that listens on a port of this machine, or on a unix socket."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from ...errors import DefiniteError
from ...launch import Ending, Launcher, LaunchPlan, Process, StopStep
from ...models import Capability, ServiceError, ServiceSpec, Site
from ...models_upstream import Manners, Upstream
from ...sentences import say
from ...services.ports import describe_port_owner, port_in_use_error, port_is_taken
from ...services.private_files import explain, make_folder, make_private_folder
from ..base import Driver, Option, Progress, scrubbed_environment
from ..http_probe import HttpProbe
from ..listening import who_listens
from ..lock_file import lock_is_free
from ..log_mark import LogMark
from ..private_network import OPEN, Privacy, Wish, decide_privacy, socket_of
from .addresses import another_port, reachable, remove_stale
from .diagnoses import explain_ending
from .manners import manners_of
from .options import OPTIONS, check_declaration, uses_socket
from .placeholders import fill, used
from .programs import missing_program

STOP_SECONDS: Final = 10.0
ORPHAN_SECONDS: Final = 5.0
"""What a wrapper without exec leaves behind is the app itself: it is given time too."""


class WebDriver(Driver):
    """One web app. It is ready when it answers anything but a server error."""

    kind: ClassVar[str] = "web"
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability)
    data_where_declared: ClassVar[bool] = True
    options: ClassVar[Mapping[str, Option]] = OPTIONS
    default_ready_timeout: ClassVar[float] = 120.0

    def __init__(self, spec: ServiceSpec, site: Site, launcher: Launcher) -> None:
        super().__init__(spec, site, launcher)
        self.prefix = f"{site.base_url}vce/app/{site.name}/"
        self.lock_file = site.private_dir / "run.lock"
        self._privacy: Privacy = OPEN
        self._host = "127.0.0.1"
        self._main: int | None = None
        self._probe = HttpProbe()
        self._mark = LogMark(site.log_file)
        self._taken_by: str | None = None
        self._giving_up: asyncio.Future[Ending] | None = None
        self._manners = Manners()
        self._headers: Mapping[str, str] = {}
        self._settle(spec.options, socket=uses_socket(spec))

    def _settle(self, options: Mapping[str, Any], *, socket: bool) -> None:
        """Take in the keys of this kind. ``socket``: it listens on a unix socket, not a port."""
        self._declared = options
        self.declared_port: int | None = options.get("port")
        self._port = self.declared_port
        self.socket: Path | None = None
        # Many an app asks for a password itself: only what is declared private is made so. Others
        # cannot reach a socket as it is.
        declared: Any = self.spec.options.get("private", False)
        self.wish: Wish = False if socket else declared
        if socket:
            self.socket = Path(options.get("socket") or self.site.runtime_dir / "web.sock")

    @property
    def cwd(self) -> Path:
        """Where it is started: as declared, from the root folder on, else the root folder."""
        declared = fill(self.spec.cwd or "", self._values)
        return self.site.root_dir / os.path.expanduser(declared)

    @property
    def _values(self) -> dict[str, str]:
        values = {
            "data_dir": str(self.site.data_dir),
            "base_url": self.prefix,
            "root_dir": str(self.site.root_dir),
            "name": self.site.name,
        }
        if self.socket:
            values["socket"] = str(self.socket)
        elif self._port:
            values["port"] = str(self._port)
        return values

    @property
    def _environment(self) -> dict[str, str]:
        values = self._values
        own = {"VCE_BASE_URL": self.prefix}
        if "port" in values:
            # Where nothing is said, this is where most apps look.
            own["PORT"] = values["port"]
        return scrubbed_environment({**own, **self._own_environment()})

    def _own_environment(self) -> dict[str, str]:
        """What the declaration sets in the app's environment."""
        return {name: fill(text, self._values) for name, text in self.spec.env.items()}

    def _own_headers(self) -> dict[str, str]:
        """The headers it is given with each request."""
        headers: Mapping[str, str] = self.spec.options.get("request_headers", {})  # type: ignore[assignment]
        return {name: fill(text, self._values) for name, text in headers.items()}

    def _command(self) -> tuple[str, ...]:
        """The words it is started with."""
        return tuple(fill(word, self._values) for word in self.spec.command)

    @property
    def _is_told_how(self) -> bool:
        """Whether anything says how it is started."""
        return bool(self.spec.command)

    async def missing(self) -> ServiceError | None:
        """What is not installed, or None."""
        if not self.spec.command:
            return None
        return await self._missing_program(self._command()[0])

    async def _missing_program(self, program: str) -> ServiceError | None:
        return await asyncio.to_thread(
            missing_program, self.spec.title, program, self.cwd, self._environment
        )

    async def prepare(self, progress: Progress) -> None:
        """Check the declaration, the folders and a fixed port; choose another port otherwise."""
        self._probe.preload()
        trouble = check_declaration(self.spec)
        if trouble is None and not self._is_told_how:
            trouble = ServiceError(
                "config-invalid",
                say("{title} is declared without a `command`.", title=self.spec.title),
                say('For instance command = ["node", "app.js", "--port", "{port}"].'),
            )
        if trouble:
            raise DefiniteError(trouble.code, trouble.message, trouble.hint)
        self._privacy = await decide_privacy(self.wish, self.spec.title, self.launcher)
        await asyncio.to_thread(self._prepare)

    def _prepare(self) -> None:
        self._manners = manners_of(self._declared, self.spec.title)
        if not os.path.isdir(self.cwd):
            raise DefiniteError(
                "data-missing",
                say(
                    "The folder {folder}, in which {title} is to be started, is not there. Nothing "
                    "has been started.",
                    folder=self.cwd,
                    title=self.spec.title,
                ),
                say("Make the folder, or correct `cwd` in this service's declaration."),
            )
        make_private_folder(self.site.private_dir)
        if self.spec.data_dir or "data_dir" in used((*self.spec.command, *self.spec.env.values())):
            try:
                make_folder(self.site.data_dir)
            except OSError as error:
                raise explain(error, self.site.data_dir) from error
        # A run before this one that is still ending keeps its address: the launch waits for it.
        free = lock_is_free(self.lock_file)
        make_private_folder(self.site.runtime_dir)
        if self.socket:
            if free:
                remove_stale(self.socket)
        elif self.declared_port is None:
            self._port = another_port(self._port)
        elif free and not self._privacy.private and port_is_taken(self.declared_port):
            raise port_in_use_error(self.declared_port, True)

    async def plan(self) -> LaunchPlan:
        """Run the command in its folder; end it by SIGTERM, first to itself, then to all."""
        self._mark = LogMark.at_end(self.site.log_file)
        self._main = self._taken_by = None
        self._headers = self._own_headers()
        seconds = self.spec.stop_timeout or STOP_SECONDS
        return LaunchPlan(
            argv=self._command(),
            env=self._environment,
            cwd=str(self.cwd),
            output=self.site.log_file,
            stop=(
                StopStep("SIGTERM", 0.8 * seconds),
                StopStep("SIGTERM", 0.2 * seconds, "tree"),
            ),
            orphans=(StopStep("SIGTERM", min(seconds, ORPHAN_SECONDS), "tree"),),
            lock_file=self.lock_file,
            network=self._privacy.network(self.site, self._port) if self._port else None,
            memory_limit=self.spec.memory_bytes,
        )

    async def probe(self, process: Process | None) -> bool:
        """Whether it listens where it should, and answers with anything but a server error.

        Of an app that speaks no HTTP, that it listens is all that can be told.
        """
        if process is None:
            return False
        where = str(self.socket) if self.socket else None
        found = await who_listens(process, port=None if where else self._port, socket=where)
        if found.who == "stranger":
            self._refuse_stranger(process)
        if found.who != "ours":
            return False
        self._main = found.pid
        self._host = reachable(found)
        if self._manners.raw_socket:
            return True
        upstream = self.upstream()
        path = self.spec.ready_path
        answer = await self._probe.get(
            self.prefix + path.lstrip("/") if upstream.absolute_url else path,
            port=upstream.port,
            socket=upstream.socket,
            host=f"[{self._host}]" if ":" in self._host else self._host,
            host_header=upstream.host_header,
        )
        return answer.status < 500

    def _refuse_stranger(self, process: Process) -> None:
        """Somebody else has the address: say so, or begin anew with another where we may choose."""
        if self.socket:
            raise DefiniteError(
                "port-in-use",
                say("The socket {socket} is used by another program.", socket=self.socket),
                say("Stop that program, then start this again."),
            )
        if self._port is None or self.declared_port is not None:
            raise port_in_use_error(self._port or 0, True)
        if self._giving_up is None:
            self._taken_by = describe_port_owner(self._port) or say("another program")
            self._giving_up = asyncio.ensure_future(process.stop())

    async def close(self) -> None:
        """Let go of the client."""
        giving_up, self._giving_up = self._giving_up, None
        if giving_up is not None:
            await giving_up
        await self._probe.close()

    def main_pid(self, process: Process) -> int:
        """The process that listens, which need not be the one we started (a wrapper)."""
        return self._main or process.pid

    @property
    def _upstream_socket(self) -> str | None:
        if self._privacy.private:
            return str(socket_of(self.site))
        return str(self.socket) if self.socket else None

    def notice(self) -> ServiceError | None:
        """Whether others can reach it though it was declared private, and why."""
        return self._privacy.notice

    def upstream(self) -> Upstream:
        """Its address as far as it is known: a free port changes with each start."""
        declared = self._declared
        usual = "localhost" if self.socket else f"127.0.0.1:{self._port}"
        return Upstream(
            host=self._host,
            port=None if self.socket else self._port,
            socket=self._upstream_socket,
            host_header=declared.get("host_header", usual),
            absolute_url=declared.get("absolute_url", False),
            request_headers=self._headers,
            manners=self._manners,
        )

    def diagnose(self, ending: Ending, log_tail: Sequence[str]) -> ServiceError | None:
        """Whether it ended for want of its port; the rest is the same for every program."""
        if self._privacy.private:
            # There it was alone: it is itself that has its port twice.
            return None
        return explain_ending(
            ending,
            self._mark.lines(),
            self.spec.title,
            self._port,
            declared=self.declared_port is not None,
            taken_by=self._taken_by,
        )

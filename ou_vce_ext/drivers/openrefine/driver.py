"""OpenRefine: a student's own, on a port of this machine that nobody else's browser can reach."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar, Final

from ...errors import VceError
from ...launch import Ending, Launcher, LaunchPlan, Process, StopStep
from ...models import Capability, ServiceError, ServiceSpec, Site
from ...models_upstream import Upstream
from ...sentences import say
from ...services.ports import port_in_use_error, port_is_taken
from ...services.private_files import explain, make_private_folder
from ..base import Driver, Option, Progress
from ..http_probe import MOST_BYTES, Answer, HttpProbe
from ..listening import who_listens
from ..lock_file import lock_is_free
from ..log_mark import LogMark
from ..private_network import OPEN, Privacy, Wish, decide_privacy, socket_of
from .archive import ClassArchive, memory_to_spare
from .diagnoses import explain_ending
from .folder import lock_file_for, make_ready
from .java import Run, environment
from .options import OPTIONS, USUAL_PORT, heap_bytes, machine_memory
from .programs import choose_java, find_distribution, missing_program
from .saver import Saver

STOP_SECONDS: Final = 60.0
"""It takes three before it begins to save; and for as long as it is busy it is left to."""
LAST_SAVE_SECONDS: Final = 3.0
"""A save that takes longer goes on while it is being told to end."""
_VERSION: Final = "/command/core/get-version"


class OpenRefineDriver(Driver):
    """One OpenRefine on one folder of projects. Java is run directly; told to end, it saves."""

    kind: ClassVar[str] = "openrefine"
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability)
    options: ClassVar[Mapping[str, Option]] = OPTIONS
    wants_port: ClassVar[bool] = True
    default_ready_timeout: ClassVar[float] = 120.0
    """A busy or weak machine may need many times what a start usually takes."""
    start_seconds: ClassVar[float | None] = 4.0
    stop_seconds: ClassVar[float] = 4.0
    when_cut_off: ClassVar[str] = say("Edits of the last half minute before that may be lost.")
    archive_delay: ClassVar[float] = 30.0
    """Seconds from ready until a class-data archive is made: the first pages go before it."""

    def __init__(self, spec: ServiceSpec, site: Site, launcher: Launcher) -> None:
        super().__init__(spec, site, launcher)
        declared: Mapping[str, Any] = spec.options
        self.program: str | None = declared.get("program")
        self.java: str | None = declared.get("java")
        self.profile: str = declared.get("profile", "standard")
        self.java_options: Sequence[str] = tuple(declared.get("java_options", ()))
        self.keeps_archive: bool = declared.get("class_archive", True)
        self.port: int = declared.get("port") or site.port or USUAL_PORT
        self.wish: Wish = declared.get("private", "auto")
        self._privacy: Privacy = OPEN
        self._probe = HttpProbe()
        self._mark = LogMark(site.log_file)
        self._run: Run | None = None
        self._archive: ClassArchive | None = None
        self._making: asyncio.Task[None] | None = None
        self._saver: Saver | None = None
        self._saving: asyncio.Task[None] | None = None

    @property
    def _port_declared(self) -> bool:
        return "port" in self.spec.options

    def starting(self) -> str:
        """Nearly all of it is that."""
        return say("Starting {title}: loading Java", title=self.spec.title)

    async def missing(self) -> ServiceError | None:
        """What is not installed, or None."""
        return await asyncio.to_thread(missing_program, self.program, self.java)

    def versions(self) -> Mapping[str, str]:
        """The releases of OpenRefine and of the Java that runs it."""
        distribution = find_distribution(self.program)
        if distribution is None:
            return {}
        java = choose_java(self.java, distribution)
        told = {"OpenRefine": distribution.release, "Java": java.version if java else None}
        return {name: release for name, release in told.items() if release}

    async def prepare(self, progress: Progress) -> None:
        """Check programs, projects and port, and make the folders that are missing."""
        self._probe.preload()
        self._privacy = await decide_privacy(self.wish, self.spec.title, self.launcher)
        await asyncio.to_thread(self._prepare)

    def _prepare(self) -> None:
        distribution = find_distribution(self.program)
        java = choose_java(self.java, distribution) if distribution else None
        if distribution is None or java is None:
            lacking = missing_program(self.program, self.java)
            raise VceError(
                lacking.code if lacking else "program-missing",
                lacking.message if lacking else say("OpenRefine has just been removed."),
                lacking.hint if lacking else say("Start it again."),
            )
        projects = self.site.data_dir
        make_ready(projects)
        # A run before this one that is still ending keeps port and lock: the launch waits for it.
        free = lock_is_free(lock_file_for(projects))
        if free and not self._privacy.private and port_is_taken(self.port):
            raise port_in_use_error(self.port, self._port_declared)
        make_private_folder(self.site.private_dir)
        make_private_folder(self.site.runtime_dir)
        self._archive = ClassArchive.of(self.site.private_dir / "classes", java, distribution)
        self._run = Run(
            java,
            distribution,
            projects,
            self.site.private_dir,
            self.port,
            heap_bytes(self.spec.memory_bytes, machine_memory()),
            self.profile,
            (*(self._archive.options() if self.keeps_archive else ()), *self.java_options),
        )
        try:
            if free:
                # What a run that was killed had unpacked is nobody's work.
                shutil.rmtree(self._run.temporary, ignore_errors=True)
            self._run.write_files()
        except OSError as error:
            raise explain(error, self.site.private_dir) from error

    async def plan(self) -> LaunchPlan:
        """Run java itself; end it by SIGTERM, which saves, and never cut a save short."""
        if self._run is None:
            raise RuntimeError("plan() is asked for after prepare()")
        self._mark = LogMark.at_end(self.site.log_file)
        return LaunchPlan(
            argv=self._run.command(),
            env=environment(dict(self.spec.env)),
            cwd=str(self.site.private_dir),
            output=self.site.log_file,
            stop=(StopStep("SIGTERM", self.spec.stop_timeout or STOP_SECONDS, while_busy=True),),
            lock_file=lock_file_for(self.site.data_dir),
            network=self._privacy.network(self.site, self.port),
            memory_limit=self._memory_limit,
        )

    @property
    def quicker(self) -> tuple[str, ...]:
        """Options by which another run of the same programs starts sooner, as this one did."""
        return self._archive.options() if self._archive is not None and self.keeps_archive else ()

    @property
    def _memory_limit(self) -> int | None:
        """Bytes for all of it: past its heap Java holds code, threads and files it has open.

        A heap that is full is told in words; this only bounds what grows beside it.
        """
        heap = self.spec.memory_bytes
        return None if heap is None else heap + heap // 2 + 256 * 1024**2

    async def probe(self, process: Process | None) -> bool:
        """Whether our own OpenRefine, and nobody else's, tells its version."""
        if process is None:
            return False
        who = (await who_listens(process, port=self.port)).who
        if who == "stranger":
            raise port_in_use_error(self.port, self._port_declared)
        if who == "nobody":
            return False
        answer = await self.ask(_VERSION, most=MOST_BYTES)
        if answer.status != 200:
            return False
        try:
            told = json.loads(answer.body)
        except ValueError:
            return False
        return isinstance(told, dict) and "version" in told

    async def ask(self, path: str, *, method: str = "GET", most: int = 0) -> Answer:
        """Send it a request; read at most ``most`` bytes of the answer. Raises OSError."""
        upstream = self.upstream()
        return await self._probe.ask(
            method,
            path,
            port=self.port,
            socket=upstream.socket,
            host_header=upstream.host_header,
            most=most,
        )

    async def provision(self, progress: Progress) -> None:
        """See that work is saved soon, and the next start will be quicker. Nothing waits for it."""
        if self._saving is None:
            self._saver = Saver(self.ask, self.site.data_dir)
            self._saving = asyncio.create_task(self._saver.run())
        archive = self._archive if self.keeps_archive else None
        if self._making is None and archive is not None and archive.wanted:
            self._making = asyncio.create_task(self._make_archive())

    async def _make_archive(self) -> None:
        await asyncio.sleep(self.archive_delay)
        if self._run and self._archive and memory_to_spare():
            network = self._privacy.without_way_out().network
            await self._archive.make(
                self._run, self.launcher, lambda port: network(self.site, port, "classes")
            )

    async def before_stop(self) -> None:
        """Save now: told to end, it waits for three seconds before it begins to."""
        if self._saver is None:
            return
        with suppress(OSError, TimeoutError, ValueError):
            async with asyncio.timeout(LAST_SAVE_SECONDS):
                await self._saver.look(everything=True)

    async def close(self) -> None:
        """Let go of the client, and of an archive half made."""
        tasks = (self._making, self._saving)
        self._making = self._saving = self._saver = None
        ending = [task for task in tasks if task is not None]
        for task in ending:
            task.cancel()
        # Not awaited one by one: a stop that cancels us meanwhile must not be taken for their end.
        await asyncio.gather(*ending, return_exceptions=True)
        await self._probe.close()

    def upstream(self) -> Upstream:
        """Its address; it answers to no other Host than this."""
        private = self._privacy.private
        return Upstream(
            port=self.port,
            socket=str(socket_of(self.site)) if private else None,
            host_header=f"127.0.0.1:{self.port}",
        )

    def notice(self) -> ServiceError | None:
        """Whether others can reach it, and why."""
        return self._privacy.notice

    def diagnose(self, ending: Ending, log_tail: Sequence[str]) -> ServiceError | None:
        """Why it ended; an archive that may be to blame is given up."""
        if self._archive is not None:
            self._archive.suspect(ending)
        return explain_ending(ending, self._mark.lines(), self.port, self._port_declared)

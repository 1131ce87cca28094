"""A class-data archive: Java's classes as it had loaded and checked them, so it starts sooner.

It is made once for each OpenRefine and Java, by a run of its own on an empty folder, at the lowest
priority, some while after the student's own has started: neither start nor stop waits for it.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import shutil
import signal
import socket
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from ...errors import VceError
from ...launch import Ending, Launcher, LaunchPlan, PrivateNetwork, Process, StopStep
from ..http_probe import HttpProbe
from .java import Run, environment
from .programs import Distribution, Java

OLDEST_JAVA: Final = 13
"""The first release that writes such an archive by itself."""
LOWEST_PRIORITY: Final = 19
PATIENCE_SECONDS: Final = 300.0
MEMORY_TO_SPARE: Final = 600_000_000
_HEAP: Final = 256 * 1024**2
_EXIT_TOLD: Final = 143
# What a student's first page asks for: its classes are then in the archive as well.
_PAGES: Final = (
    "/command/core/get-version",
    "/",
    "/command/core/get-all-project-metadata",
    "/command/core/get-importing-configuration",
)
NetworkFor = Callable[[int], PrivateNetwork | None]
"""Gives the network for a program that listens on a port, or None for the machine's."""
_CRASHES: Final = ("SIGSEGV", "SIGBUS", "SIGABRT", "SIGILL")
log = logging.getLogger(__name__)


class ClassArchive(NamedTuple):
    """The archive for one OpenRefine with one Java, in ``folder``, be it made yet or not."""

    folder: Path
    key: str
    possible: bool

    @classmethod
    def of(cls, folder: Path, java: Java, distribution: Distribution) -> ClassArchive:
        """Name it after all that it depends on, so that an upgraded program makes a new one."""
        digest = hashlib.sha256(f"{java.program}\n{java.release}\n".encode())
        for jar in sorted(distribution.jar.parent.glob("*.jar")):
            with suppress(OSError):
                status = jar.stat()
                digest.update(f"{jar}:{status.st_size}:{status.st_mtime_ns}\n".encode())
        return cls(folder, digest.hexdigest()[:16], (java.major or 0) >= OLDEST_JAVA)

    @property
    def file(self) -> Path | None:
        """The archive, where it has been made. Its name ends in the sum of what it holds."""
        if not self.possible:
            return None
        return next(iter(sorted(self.folder.glob(f"{self.key}-*.jsa"))), None)

    @property
    def _refused(self) -> Path:
        """Stands for an archive that this Java would not write: it is not asked again."""
        return self.folder / f"{self.key}.none"

    @property
    def wanted(self) -> bool:
        """Whether it is worth while to make it."""
        return self.possible and self.file is None and not self._refused.exists()

    def options(self) -> tuple[str, ...]:
        """What java is to be told. A damaged archive, on which it may crash, is thrown away."""
        file = self.file
        if file is None:
            return ()
        try:
            if file.name == self._name(file):
                return ("-Xshare:auto", f"-XX:SharedArchiveFile={file}", "-Xlog:cds=off")
        except OSError:
            return ()
        self._give_up(file, "it is damaged")
        return ()

    def suspect(self, ending: Ending) -> None:
        """A Java that crashed may have done so because of the archive: do without it."""
        file = self.file
        if file is not None and ending.signal in _CRASHES:
            self._give_up(file, "Java has crashed")

    def _give_up(self, file: Path, why: str) -> None:
        log.warning("giving up the class-data archive %s: %s", file, why)
        with suppress(OSError):
            file.unlink()

    def _name(self, content: Path) -> str:
        """What an archive with this content is called. Raises OSError."""
        total = 0
        with content.open("rb") as file:
            while block := file.read(1 << 20):
                total = zlib.crc32(block, total)
        return f"{self.key}-{total:08x}.jsa"

    async def make(
        self, run: Run, launcher: Launcher, network: NetworkFor = lambda _: None
    ) -> None:
        """Make it. A failure is logged, and is nobody's trouble. May be cancelled at any moment."""
        scratch = self.folder / "making"
        await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)
        try:
            for folder in (self.folder, scratch):
                folder.mkdir(mode=0o700, exist_ok=True)
            partial = scratch / "partial.jsa"
            if await self._load_classes(run, launcher, network, scratch, partial):
                await asyncio.to_thread(self._keep, partial)
            else:
                self._refused.touch()
                log.info("no class-data archive for OpenRefine: see %s", self.folder / "making.log")
        except (OSError, VceError, TimeoutError) as error:
            log.info("no class-data archive for OpenRefine: %s", error)
        finally:
            await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)

    async def _load_classes(
        self, run: Run, launcher: Launcher, network: NetworkFor, scratch: Path, partial: Path
    ) -> bool:
        """Run OpenRefine, ask what a first page asks, end it; True when it wrote ``partial``."""
        private, projects = scratch / "private", scratch / "projects"
        for folder in (private, projects):
            folder.mkdir(mode=0o700)
        port = _free_port()
        making = Run(
            run.java,
            run.distribution,
            projects,
            private,
            port,
            _HEAP,
            "light",
            (f"-XX:ArchiveClassesAtExit={partial}",),
        )
        making.write_files()
        own_network = network(port)
        launching = asyncio.ensure_future(
            launcher.launch(
                LaunchPlan(
                    argv=making.command(),
                    env=environment({}),
                    cwd=str(private),
                    output=self.folder / "making.log",
                    stop=(StopStep("SIGKILL", 1.0, "tree"),),
                    nice=LOWEST_PRIORITY,
                    network=own_network,
                )
            )
        )
        try:
            process = await asyncio.shield(launching)
        except asyncio.CancelledError:
            with suppress(VceError):
                await (await launching).stop()
            raise
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                if not await _visit(process, port, own_network):
                    return False
                # Told to end rather than stopped: it writes the archive as its last act.
                os.kill(process.pid, signal.SIGTERM)
                ending = await process.down()
                return ending.exit_code == _EXIT_TOLD and partial.is_file()
        finally:
            await asyncio.shield(process.stop())

    def _keep(self, partial: Path) -> None:
        partial.chmod(0o600)
        for old in (*self.folder.glob("*.jsa"), *self.folder.glob("*.none")):
            old.unlink()
        partial.rename(self.folder / self._name(partial))
        for said in self.folder.glob("making.log*"):
            said.unlink()


async def _visit(
    process: Process,
    port: int,
    network: PrivateNetwork | None = None,
    pages: Sequence[str] = _PAGES,
) -> bool:
    """Wait until it answers, then look at each page. False where it has died."""
    probe = HttpProbe()
    socket = str(network.socket) if network else None
    death = asyncio.ensure_future(process.exited())
    try:
        while not death.done():
            with suppress(OSError):
                if (await process.listener(port=port)).who == "ours":
                    for page in pages:
                        await probe.get(
                            page,
                            port=port,
                            socket=socket,
                            host_header=f"127.0.0.1:{port}",
                            body=True,
                        )
                    return True
            await asyncio.wait({death}, timeout=0.5)
        return False
    finally:
        death.cancel()
        await probe.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def memory_to_spare() -> bool:
    """Whether another Java may run for a while without pushing anything out of memory."""
    try:
        for line in Path("/proc/meminfo").read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024 >= MEMORY_TO_SPARE
    except (OSError, ValueError):
        pass
    return False

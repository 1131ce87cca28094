"""Running pg_dump and its like: as their own server's release, under a keeper, through pipes."""

from __future__ import annotations

import asyncio
import os
import secrets
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

from ...drivers.postgres.door import Door
from ...drivers.postgres.programs import Server
from ...errors import VceError
from ...launch import Launcher, ToolResult
from ...sentences import say
from ...services.tools import run_tool
from ..threads import in_thread
from ..watch import Watch
from .pipes import PipeReader, PipeWriter, make_pipe

LONGEST: Final = 86_400.0
"""Seconds after which a tool is given up. Progress is shown, and it can be cancelled before."""
_T = TypeVar("_T")


class ToolFailedError(VceError):
    """A tool ended with an error; ``said`` is the last of what it printed."""

    def __init__(self, name: str, result: ToolResult) -> None:
        self.said = result.output.strip()
        lines = [line for line in self.said.splitlines() if line.strip()]
        telling = [line for line in lines if "error" in line.lower() or "fatal" in line.lower()]
        self.hung_up = result.ending.signal == "SIGPIPE" or "Broken pipe" in self.said
        ending = result.ending
        # Not by what it read: a pipe that is closed, and a crash, have other signals.
        self.by_force = ending.keeper_lost or ending.signal in ("SIGKILL", "SIGTERM")
        self.reason = ending.describe()
        if lines:
            words = (telling or lines)[0]
            self.reason = words.removeprefix(f"{name}: ").removeprefix("error: ")
        super().__init__(
            "command-failed", say("{name} failed: {reason}", name=name, reason=self.reason)
        )


class Tools:
    """One server's programs. ``folder`` is private: for pipes, a password file and messages.

    ``door`` is None for work on files alone.
    """

    def __init__(
        self,
        launcher: Launcher,
        server: Server,
        folder: Path,
        door: Door | None = None,
        *,
        nice: int = 0,
    ) -> None:
        self.launcher = launcher
        self.server = server
        self.folder = folder
        self.door = door
        self.nice = nice

    def without_door(self) -> Tools:
        """The same, for work on files alone."""
        return Tools(self.launcher, self.server, self.folder, nice=self.nice)

    def missing(self, name: str) -> VceError | None:
        """Why a program cannot be run, or None."""
        if os.access(self.server.tool(name), os.X_OK):
            return None
        return VceError(
            "program-missing",
            say(
                "The program {name} of PostgreSQL {major} is not in {folder}. Your databases "
                "are safe.",
                name=name,
                major=self.server.major,
                folder=self.server.folder,
            ),
            say(
                "Install it: `apt-get install postgresql-client-{major}`.", major=self.server.major
            ),
        )

    async def run(self, name: str, *arguments: str) -> str:
        """Run one to its end; what it said. Raises ToolFailedError."""
        if missing := self.missing(name):
            raise missing
        door = self.door
        tag = secrets.token_hex(4)
        environment = door.environment(self.folder) if door else Door.without_address()
        output = self.folder / f"{name}-{tag}.log"
        try:
            result = await run_tool(
                self.launcher,
                [self.server.tool(name), *(door.arguments() if door else ()), *arguments],
                env=environment,
                cwd=str(self.folder),
                output=output,
                timeout=LONGEST,
                nice=self.nice,
            )
        finally:
            with suppress(OSError):
                output.unlink()
        if not result.ok:
            raise ToolFailedError(name, result)
        return result.output

    async def reading(
        self,
        watch: Watch,
        use: Callable[[BinaryIO], _T],
        name: str,
        *arguments: str,
    ) -> _T:
        """Run one that writes to the pipe that ``{pipe}`` in its arguments stands for.

        ``use`` gets what it writes, in a thread. Raises ToolFailedError, and what ``use`` raises.
        """
        gone = threading.Event()
        with self._pipe() as pipe:
            work = _reader(pipe, gone, watch, use)
            return await self._beside(
                in_thread(watch, work), gone, name, _with({"{pipe}": pipe}, arguments)
            )

    async def feeding(
        self, watch: Watch, give: Callable[[PipeWriter], object], name: str, *arguments: str
    ) -> None:
        """Run one that reads the pipe that ``{pipe}`` in its arguments stands for.

        ``give`` fills it, in a thread. Raises ToolFailedError, and what ``give`` raises.
        """
        gone = threading.Event()
        with self._pipe() as pipe:
            work = in_thread(watch, give, PipeWriter(pipe, gone, watch))
            await self._beside(work, gone, name, _with({"{pipe}": pipe}, arguments))

    async def converting(
        self,
        watch: Watch,
        give: Callable[[PipeWriter], object],
        use: Callable[[BinaryIO], _T],
        name: str,
        *arguments: str,
    ) -> _T:
        """Both at a time: one that reads the pipe ``{from}`` and writes to the pipe ``{pipe}``."""
        gone = threading.Event()
        with self._pipe() as source, self._pipe() as pipe:
            places = {"{from}": source, "{pipe}": pipe}

            async def both() -> _T:
                giving = asyncio.ensure_future(
                    in_thread(watch, give, PipeWriter(source, gone, watch))
                )
                try:
                    return await in_thread(watch, _reader(pipe, gone, watch, use))
                finally:
                    # Whatever was not taken by now is not wanted.
                    await self._ended(giving, gone)

            return await self._beside(both(), gone, name, _with(places, arguments))

    @staticmethod
    async def _ended(giving: asyncio.Future[object], gone: threading.Event) -> None:
        while not giving.done() and not gone.is_set():
            await asyncio.wait({giving}, timeout=0.1)
        with suppress(asyncio.CancelledError, Exception):
            await giving

    @contextmanager
    def _pipe(self) -> Iterator[Path]:
        path = self.folder / f"pipe-{secrets.token_hex(4)}"
        make_pipe(path)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    async def _beside(
        self,
        work: Coroutine[object, object, _T],
        gone: threading.Event,
        name: str,
        arguments: Sequence[str],
    ) -> _T:
        """Run the tool and ``work`` at a time, neither of which outlives this."""
        tool = asyncio.ensure_future(self.run(name, *arguments))
        tool.add_done_callback(lambda _: gone.set())
        try:
            result = await work
            await tool
        except BaseException as error:
            failed = tool.done() and not tool.cancelled() and tool.exception()
            tool.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await tool
            # What the tool says of its end explains what became of the other one, unless it is that
            # the other one hung up.
            if isinstance(failed, ToolFailedError) and failed.hung_up:
                failed = None
            if failed and isinstance(error, Exception):
                raise failed from error
            raise
        return result


def _reader(
    pipe: Path, gone: threading.Event, watch: Watch, use: Callable[[BinaryIO], _T]
) -> Callable[[], _T]:
    def work() -> _T:
        with PipeReader(pipe, gone, watch) as reader:
            # Unbuffered: blocks of a pipe are large as they are.
            return use(reader)  # type: ignore[arg-type]

    return work


def _with(places: Mapping[str, Path], arguments: Sequence[str]) -> list[str]:
    known = {**places, **{f"--file={key}": f"--file={path}" for key, path in places.items()}}
    return [str(known.get(each, each)) for each in arguments]

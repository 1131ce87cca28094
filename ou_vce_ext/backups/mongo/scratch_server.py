"""A second MongoDB server, to build new data in: the same driver, elsewhere, and easily ended."""

from __future__ import annotations

import asyncio
import dataclasses
import importlib
import os
import secrets
import shutil
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeVar

from ...drivers.base import Progress
from ...drivers.mongo.driver import MongoDriver
from ...drivers.mongo.folder import forget_first_start, lock_file_for
from ...drivers.mongo.provision import Account, Server, ensure_account
from ...errors import VceError
from ...launch import LaunchPlan, Process, StopStep
from ...models import ServiceSpec, Site
from ...sentences import say
from ...services.logs import ServiceLog
from .. import scratch
from ..threads import in_thread, to_its_end
from ..watch import Watch
from .connection import connected, explain
from .patience import begun

_T = TypeVar("_T")
_KEPT_OPTIONS: Final = ("program", "cache_mb", "auth", "user", "password", "databases")
_SHUTDOWN_SECONDS: Final = 300.0
_NEWS_SECONDS: Final = 2.0


class ScratchServer(MongoDriver):
    """It ends at once, since nobody needs what it has, unless :meth:`settle` was called."""

    def __init__(self, live: MongoDriver, site: Site) -> None:
        super().__init__(_spec(live.spec), site, live.launcher)
        self._process_of_scratch: Process | None = None

    async def prepare(self, progress: Progress) -> None:
        """As the driver's, to its end: a thread of it would go on making folders when cancelled."""
        preparing = asyncio.ensure_future(super().prepare(progress))
        try:
            await asyncio.shield(preparing)
        except asyncio.CancelledError:
            with suppress(VceError):
                await preparing
            raise

    async def plan(self) -> LaunchPlan:
        """As the driver's, but no member of a replica set, and ended by force.

        A member writes everything twice: it keeps a list of all changes for others. The live server
        makes the data a member's when it is started on them.
        """
        plan = await super().plan()
        argv = list(plan.argv)
        at = argv.index("--replSet")
        del argv[at : at + 2]
        return dataclasses.replace(plan, argv=tuple(argv), stop=(StopStep("SIGKILL", 10.0),))

    async def provision(self, progress: Progress) -> None:
        """Have the account that a server of this service has; and delete nothing for being old."""
        await asyncio.to_thread(forget_first_start, self.site.data_dir)
        if self.declared.account:
            await asyncio.to_thread(importlib.import_module, "pymongo")
            await self._make_account(self.declared.account)
        await asyncio.to_thread(self._keep_the_old)

    async def _make_account(self, account: Account) -> None:
        from pymongo.errors import PyMongoError

        try:
            await ensure_account(self.server(), account)
        except (PyMongoError, OSError) as error:
            raise explain(error) from error

    def _keep_the_old(self) -> None:
        with connected(self.server()) as client:
            client.admin.command({"setParameter": 1, "ttlMonitorEnabled": False})

    async def run(
        self, process: Process, watch: Watch, function: Callable[..., _T], *args: Any
    ) -> _T:
        """Work in a thread with the server; cancelled, the server is ended to end the thread."""
        working = asyncio.ensure_future(in_thread(watch, function, *args))
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            watch.cancel()
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process.pid, signal.SIGKILL)
            working.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await working
            raise
        except VceError as error:
            if error.code == "not-answering" and (why := await self._death(process)):
                raise why from error
            raise

    async def _death(self, process: Process) -> VceError | None:
        """What this server died of, if it did: a full disk, mostly."""
        try:
            async with asyncio.timeout(_NEWS_SECONDS):
                ending = await process.exited()
        except TimeoutError:
            return None
        found = self.diagnose(ending, ServiceLog(self.site.log_file).tail())
        return VceError(
            found.code,
            say(
                "The second MongoDB, in which the data were being built, ended. {message} The "
                "databases you have are as they were.",
                message=found.message,
            ),
            found.hint,
        )

    async def settle(self, process: Process) -> None:
        """Have all of it on disk, and end it gently. Raises VceError."""
        await begun(_shut_down, self.server())
        try:
            async with asyncio.timeout(_SHUTDOWN_SECONDS):
                ending = await process.exited()
        except TimeoutError:
            ending = None
        if ending is None or ending.exit_code != 0:
            raise VceError(
                "internal",
                say(
                    "The new data were built, and the server that built them did not end well. "
                    "Your databases are as they were."
                ),
                say("Try again. If it happens again, show your tutor the log."),
            )


def _shut_down(server: Server) -> None:
    from pymongo.errors import AutoReconnect

    # It hangs up instead of answering.
    with connected(server) as client, suppress(AutoReconnect):
        client.admin.command({"shutdown": 1, "force": True, "timeoutSecs": 0})


def _spec(live: ServiceSpec) -> ServiceSpec:
    """The live service's declaration, without what places it and without roles of its own.

    Roles may be ones that are only in the data that are yet to come.
    """
    kept = {key: value for key, value in live.options.items() if key in _KEPT_OPTIONS}
    if live.external:
        # Others keep its secrets: for its own account this one has a password that nobody is told.
        program = {key: value for key, value in kept.items() if key == "program"}
        kept = {**program, "password": secrets.token_urlsafe(24)}
    return dataclasses.replace(
        live, external=False, data_dir=None, stop_timeout=None, memory_bytes=None, options=kept
    )


@asynccontextmanager
async def scratch_server(live: MongoDriver) -> AsyncIterator[tuple[ScratchServer, Process]]:
    """A running server of nobody's, until the block ends. Its data are left. Raises VceError."""
    site = scratch.scratch_site(live.site, free_port())
    server = ScratchServer(live, site)
    try:
        await to_its_end(lambda: scratch.make_folders(site))
        async with scratch.running(server) as process:
            yield server, process
    except BaseException:
        await to_its_end(lambda: discard(site))
        raise
    # Only the data are of use from here on.
    await to_its_end(lambda: discard(site, keep_data=True))


def discard(site: Site, *, keep_data: bool = False) -> None:
    """Remove a scratch server's folders. Blocks; never raises."""
    if keep_data:
        for folder in (site.private_dir, site.runtime_dir):
            shutil.rmtree(folder, ignore_errors=True)
    else:
        scratch.discard(site)
    with suppress(OSError):
        lock_file_for(site.data_dir).unlink(missing_ok=True)


def remove_left(site: Site) -> None:
    """Remove what builds that were cut off have left beside the live data. Blocks."""
    scratch.clear(site)
    for parent in {site.data_dir.parent, site.private_dir}:
        for path in _marked(parent, site):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                with suppress(OSError):
                    path.unlink()


def _marked(parent: Path, site: Site) -> list[Path]:
    starts = (scratch.MARK, f"{site.data_dir.name}{scratch.MARK}")
    try:
        return [path for path in parent.iterdir() if path.name.startswith(starts)]
    except OSError:
        return []


def free_port() -> int:
    """A TCP port that nobody has just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

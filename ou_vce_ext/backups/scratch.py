"""A second instance of a service, out of everybody's way: to prove a backup, or to build data."""

from __future__ import annotations

import asyncio
import dataclasses
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from ..drivers.base import Driver, Progress, no_progress
from ..errors import VceError
from ..launch import Process
from ..models import Site
from ..services.clock import SystemClock
from ..services.diagnosis import of_death, start_timeout
from ..services.logs import ServiceLog
from ..services.private_files import make_private_folder
from ..services.readiness import wait_until_ready

MARK: Final = ".scratch-"
"""In the name of each folder that holds nothing anybody needs, once its operation has ended."""
BEFORE: Final = "-before-"
"""In the name of a folder of old data, between that of the live one and the moment."""
NICE: Final = 10


def scratch_site(live: Site, port: int | None) -> Site:
    """A place of its own for a second instance. Its data lie beside the live ones.

    So they are on the same file system, and can change places with them. The folders are not made.
    """
    tag = secrets.token_hex(3)
    private = live.private_dir / f"{MARK}{tag}"
    return dataclasses.replace(
        live,
        data_dir=live.data_dir.with_name(f"{live.data_dir.name}{MARK}{tag}"),
        private_dir=private,
        # As short as can be: PostgreSQL's and Xvnc's sockets fail above 107 bytes.
        runtime_dir=live.runtime_dir.with_name(f"s{tag}"),
        log_file=private / "log",
        port=port,
    )


def is_kept(name: str, live: Path) -> bool:
    """Whether ``name`` is that of a folder of old data of ``live``."""
    return name.startswith(live.name + BEFORE)


def make_folders(site: Site) -> None:
    """Make a scratch site's private folders. Raises VceError."""
    make_private_folder(site.private_dir, passable=True)
    make_private_folder(site.runtime_dir)


def discard(site: Site, *others: Path) -> None:
    """Remove all of a scratch site, and ``others`` with it. Blocks; never raises."""
    for folder in (site.data_dir, site.private_dir, site.runtime_dir, *others):
        # Whatever went wrong, what is removed here is scratch by its name.
        if MARK in folder.name or folder == site.runtime_dir:
            shutil.rmtree(folder, ignore_errors=True)


def clear(site: Site) -> None:
    """Remove what second instances that were cut off have left in private folders.

    None may run any more. Blocks; never raises.
    """
    with suppress(OSError):
        for private in [*site.private_dir.glob(f"{MARK}*")]:
            shutil.rmtree(private, ignore_errors=True)
            tag = private.name.removeprefix(MARK)
            shutil.rmtree(site.runtime_dir.with_name(f"s{tag}"), ignore_errors=True)


@asynccontextmanager
async def running(driver: Driver, progress: Progress = no_progress) -> AsyncIterator[Process]:
    """Run ``driver``'s service, made for a scratch site, at low priority, until the block ends.

    Raises VceError where it does not become ready. However the block ends, the service is stopped
    by its own gentle steps before this returns.
    """
    clock = SystemClock()
    await driver.prepare(progress)
    plan = dataclasses.replace(await driver.plan(), nice=NICE)
    launching = asyncio.ensure_future(driver.launcher.launch(plan))
    try:
        process = await asyncio.shield(launching)
    except asyncio.CancelledError:
        # It is on its way: whoever is cancelled now must not leave it behind.
        with suppress(VceError):
            await (await launching).stop()
        await driver.close()
        raise
    try:
        outcome = await wait_until_ready(driver, process, clock, driver.ready_timeout)
        log = ServiceLog(driver.site.log_file).tail()
        if outcome == "died":
            ending = await process.exited()
            error = driver.diagnose(ending, log) or of_death(driver.spec.title, ending, log)
            raise VceError(error.code, error.message, error.hint)
        if outcome == "timeout":
            error = start_timeout(driver.spec.title, driver.ready_timeout, log)
            raise VceError(error.code, error.message, error.hint)
        await driver.provision(progress)
        yield process
        await driver.before_stop()
    finally:
        with suppress(VceError):
            await process.stop()
        await driver.close()

"""One real MongoDB service at a place of its own, driven as a lifecycle drives it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient

from ou_vce_ext.drivers.base import no_progress, scrubbed_environment
from ou_vce_ext.drivers.mongo.driver import MongoDriver
from ou_vce_ext.errors import VceError
from ou_vce_ext.launch import Launcher, Process
from ou_vce_ext.models import ServiceError, ServiceSpec, Site
from ou_vce_ext.services.clock import SystemClock
from ou_vce_ext.services.logs import ServiceLog
from ou_vce_ext.services.readiness import Outcome, wait_until_ready
from tests.free_ports import free_port

# Every character that an address could trip over.
SECRET = "p@ss/w:o%r?d#[é]"


Client = AsyncMongoClient[dict[str, Any]]


def client_at(uri: str, **settings: Any) -> Client:
    """A client; that there is no server is told within seconds.

    By default it would watch the server over a connection of its own, too.
    """
    return AsyncMongoClient(
        uri, serverSelectionTimeoutMS=5000, serverMonitoringMode="poll", **settings
    )


class MongoRig:
    """A driver in ``root``, and the steps of its life. ``options`` are keys of the declaration."""

    def __init__(
        self,
        root: Path,
        launcher: Launcher,
        options: Mapping[str, object] | None = None,
        **declaration: Any,
    ) -> None:
        self.launcher = launcher
        options = dict(options or {})
        port = options.get("port") or free_port()
        assert isinstance(port, int)
        self.port = port
        self.site = Site(
            name="mongo",
            root_dir=root / "home",
            data_dir=root / "data" / "mongo",
            private_dir=root / "private",
            runtime_dir=root / "run",
            log_file=root / "logs" / "mongo.log",
            base_url="/",
            port=port,
            secret=SECRET,
        )
        self.site.log_file.parent.mkdir(parents=True, exist_ok=True)
        spec = ServiceSpec("mongo", "mongo", "MongoDB", options=options, **declaration)
        self.driver = MongoDriver(spec, self.site, launcher)
        self.process: Process | None = None

    @property
    def uri(self) -> str:
        """What a kernel finds in its environment."""
        return self.driver.environment()["MONGODB_URI"]

    @property
    def folder(self) -> Path:
        """Where the databases are."""
        return self.site.data_dir

    def log(self) -> str:
        """The last lines of the server."""
        return ServiceLog(self.site.log_file).text(200)

    async def launch(self) -> Process:
        """Prepare and launch, without waiting for it to be ready."""
        missing = await self.driver.missing()
        assert missing is None, missing
        await self.driver.prepare(no_progress)
        self.process = await self.launcher.launch(await self.driver.plan())
        return self.process

    async def become_ready(self) -> Outcome:
        """Wait until it answers, or has died."""
        assert self.process is not None
        return await wait_until_ready(self.driver, self.process, SystemClock(), 150)

    async def start(self) -> Process:
        """Bring it all the way up."""
        process = await self.launch()
        assert await self.become_ready() == "ready", self.log()
        await self.driver.provision(no_progress)
        return process

    async def stop(self) -> None:
        """Take it down, as a person's stop does."""
        await self.driver.close()
        assert self.process is not None
        ending = await self.process.stop()
        assert ending.exit_code == 0, (ending, self.log())
        self.process = None

    async def refusal(self) -> VceError:
        """The reason a start is refused for; it must be."""
        try:
            await self.launch()
        except VceError as refused:
            return refused
        raise AssertionError("it was started: " + self.log())

    async def death(self) -> ServiceError:
        """Start what cannot live, and give what the driver says of its end."""
        process = await self.launch()
        assert await self.become_ready() == "died"
        ending = await process.down()
        await self.driver.close()
        return self.driver.diagnose(ending, ServiceLog(self.site.log_file).tail())

    def client(self, **settings: Any) -> Client:
        """A client with the kernel's address."""
        return client_at(self.uri, **settings)

    def kernel(self, code: str) -> str:
        """What a program prints that was started with the environment of a kernel."""
        return subprocess.run(
            [sys.executable, "-c", code],
            env={
                **scrubbed_environment(),
                "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
                **self.driver.environment(),
            },
            capture_output=True,
            text=True,
            check=True,
            timeout=150,
        ).stdout.strip()


async def make_template(root: Path, launcher: Launcher) -> Path:
    """A finished data folder to copy, which is quicker than to make one for each fault."""
    rig = MongoRig(root, launcher)
    await rig.start()
    async with rig.client() as client:
        await client.student.kept.insert_one({"answer": 42})
    await rig.stop()
    return rig.folder


def copy_data(template: Path, folder: Path) -> None:
    """Put a copy of a stopped server's folder at ``folder``."""
    shutil.copytree(template, folder, ignore=shutil.ignore_patterns("WiredTigerPreplog.*"))
    folder.chmod(0o700)

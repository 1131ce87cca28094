"""One real PostgreSQL service at a place of its own, driven as a lifecycle drives it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg

from ou_vce_ext.drivers.base import no_progress, scrubbed_environment
from ou_vce_ext.drivers.postgres.driver import PostgresDriver
from ou_vce_ext.errors import VceError
from ou_vce_ext.launch import Launcher, Process
from ou_vce_ext.models import ServiceError, ServiceSpec, Site
from ou_vce_ext.services.clock import SystemClock
from ou_vce_ext.services.logs import ServiceLog
from ou_vce_ext.services.readiness import Outcome, wait_until_ready
from tests.free_ports import free_port

# Every character that a password file, a shell or SQL could trip over.
SECRET = "a:b\\c'd\"e$f%g h"


class PostgresRig:
    """A driver in ``root``, and the steps of its life. ``options`` are keys of the declaration."""

    def __init__(
        self,
        root: Path,
        launcher: Launcher,
        options: Mapping[str, object] | None = None,
        *,
        data_dir: Path | None = None,
        runtime_dir: Path | None = None,
        **declaration: Any,
    ) -> None:
        self.root = root
        self.launcher = launcher
        options = dict(options or {})
        port = options.get("port") or free_port()
        assert isinstance(port, int)
        self.site = Site(
            name="postgres",
            root_dir=root / "home",
            data_dir=data_dir or root / "data" / "postgres",
            private_dir=root / "private",
            runtime_dir=runtime_dir or root / "run",
            log_file=root / "logs" / "postgres.log",
            base_url="/",
            port=port,
            secret=SECRET,
        )
        spec = ServiceSpec("postgres", "postgres", "PostgreSQL", options=options, **declaration)
        self.driver = PostgresDriver(spec, self.site, launcher)
        self.process: Process | None = None

    @property
    def folder(self) -> Path:
        """Where the databases really are."""
        return self.driver.data_dir

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
        told = self.driver.diagnose(ending, ServiceLog(self.site.log_file).tail())
        assert told is not None, self.log()
        return told

    async def query(self, sql: str, **settings: object) -> list[tuple[Any, ...]]:
        """Ask as the student, through the environment alone unless ``settings`` say otherwise."""
        env = self.driver.environment()
        wanted: dict[str, Any] = {
            "host": env["PGHOST"],
            "port": env["PGPORT"],
            "user": env["PGUSER"],
            "dbname": env["PGDATABASE"],
            "passfile": env["PGPASSFILE"],
            **settings,
        }
        async with await psycopg.AsyncConnection.connect(**wanted, autocommit=True) as connection:
            cursor = await connection.execute(sql.encode())
            return await cursor.fetchall() if cursor.description else []

    async def admin(self, sql: str, dbname: str = "postgres") -> list[tuple[Any, ...]]:
        """Ask as the superuser."""
        secret = (self.folder / "ou-vce-ext.secret").read_text().strip()
        return await self.query(sql, user="postgres", password=secret, dbname=dbname)

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
    rig = PostgresRig(root, launcher)
    await rig.start()
    await rig.query("CREATE TABLE kept AS SELECT 42 AS answer")
    await rig.stop()
    return rig.folder


def copy_cluster(template: Path, folder: Path) -> None:
    """Put a copy of a stopped server's folder at ``folder``."""
    shutil.copytree(template, folder, symlinks=True)
    folder.chmod(0o700)

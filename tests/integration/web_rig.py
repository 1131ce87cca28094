"""One real web app at a place of its own, driven as a lifecycle drives it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, UnixConnector

from ou_vce_ext.drivers.base import no_progress
from ou_vce_ext.drivers.web.driver import WebDriver
from ou_vce_ext.errors import VceError
from ou_vce_ext.launch import Ending, Launcher, Process
from ou_vce_ext.models import ServiceError, ServiceSpec, Site
from ou_vce_ext.services.clock import SystemClock
from ou_vce_ext.services.logs import ServiceLog
from ou_vce_ext.services.readiness import Outcome, wait_until_ready

APPS = Path(__file__).with_name("web_apps.py")


def app(*arguments: str) -> tuple[str, ...]:
    """The command of one of our small apps."""
    return (sys.executable, str(APPS), *arguments)


def notes_app(seed: Path) -> str:
    """The declaration of an app that starts by itself and serves its folder, sown by ``seed``."""
    command = (sys.executable, "-m", "http.server", "{port}", "--bind", "127.0.0.1")
    return f"""
[services.notes]
kind = "web"
title = "Notes"
command = {json.dumps([*command, "--directory", "{data_dir}"])}
autostart = true
data_dir = "notes"
seed = {{ folder = "{seed}" }}
"""


class WebRig:
    """A driver in ``root``, and the steps of its life."""

    def __init__(
        self,
        root: Path,
        launcher: Launcher,
        command: Sequence[str] = (),
        *,
        spec: ServiceSpec | None = None,
        options: Mapping[str, object] | None = None,
        **declaration: Any,
    ) -> None:
        self.launcher = launcher
        home = root / "home"
        home.mkdir(exist_ok=True)
        (root / "logs").mkdir(exist_ok=True)
        self.spec = spec or ServiceSpec(
            "app", "web", "App", command=tuple(command), options=options or {}, **declaration
        )
        self.site = Site(
            name=self.spec.name,
            root_dir=home,
            data_dir=root / "private" / "data",
            private_dir=root / "private",
            runtime_dir=root / "run",
            log_file=root / "logs" / "app.log",
            base_url="/base/",
        )
        self.driver = WebDriver(self.spec, self.site, launcher)
        self.process: Process | None = None

    def log(self) -> str:
        """What it printed."""
        return ServiceLog(self.site.log_file).text(200)

    async def launch(self) -> Process:
        """Prepare and launch, without waiting for it to be ready."""
        missing = await self.driver.missing()
        assert missing is None, missing
        await self.driver.prepare(no_progress)
        self.process = await self.launcher.launch(await self.driver.plan())
        return self.process

    async def become_ready(self, seconds: float = 120) -> Outcome:
        """Wait until it answers, or has died."""
        assert self.process is not None
        return await wait_until_ready(self.driver, self.process, SystemClock(), seconds)

    async def start(self) -> Process:
        """Bring it all the way up."""
        process = await self.launch()
        assert await self.become_ready() == "ready", self.log()
        return process

    async def stop(self) -> Ending:
        """Take it down, as a person's stop does."""
        assert self.process is not None
        ending = await self.process.stop()
        await self.driver.close()
        return ending

    async def refusal(self) -> VceError:
        """The reason a start is refused for; it must be."""
        try:
            await self.launch()
        except VceError as refused:
            return refused
        raise AssertionError("it was started: " + self.log())

    async def death(self) -> ServiceError:
        """What is said of an app that has died while it started."""
        assert self.process is not None
        assert await self.become_ready() == "died"
        ending = await self.process.down()
        await self.driver.close()
        told = self.driver.diagnose(ending, ServiceLog(self.site.log_file).tail())
        assert told is not None, self.log()
        return told

    async def get(self, path: str) -> tuple[int, str]:
        """Ask the app as the proxy does."""
        upstream = self.driver.upstream()
        connector = UnixConnector(path=upstream.socket) if upstream.socket else None
        host = f"[{upstream.host}]" if ":" in upstream.host else upstream.host
        origin = "http://localhost" if upstream.socket else f"http://{host}:{upstream.port}"
        async with (
            ClientSession(connector=connector) as session,
            session.get(origin + path, headers={"Host": upstream.host_header}) as answer,
        ):
            return answer.status, await answer.text()

"""One real OpenRefine at a place of its own, driven as a lifecycle drives it, and a client."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import socket
import urllib.parse
import urllib.request
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ou_vce_ext.drivers.base import no_progress
from ou_vce_ext.drivers.openrefine.driver import OpenRefineDriver
from ou_vce_ext.errors import VceError
from ou_vce_ext.launch import Ending, Launcher, Process
from ou_vce_ext.models import ServiceError, ServiceSpec, Site
from ou_vce_ext.services.clock import SystemClock
from ou_vce_ext.services.logs import ServiceLog
from ou_vce_ext.services.readiness import Outcome, wait_until_ready
from tests.free_ports import free_port


class OpenRefineRig:
    """A driver in ``root``, and the steps of its life. Starts sooner by the light profile."""

    def __init__(
        self,
        root: Path,
        launcher: Launcher,
        options: Mapping[str, object] | None = None,
        **declaration: Any,
    ) -> None:
        self.launcher = launcher
        (root / "logs").mkdir(exist_ok=True)
        self.site = Site(
            name="openrefine",
            root_dir=root / "home",
            data_dir=root / "home" / "openrefine_projects",
            private_dir=root / "private",
            runtime_dir=root / "run",
            log_file=root / "logs" / "openrefine.log",
            base_url="/",
            port=free_port(),
        )
        # Its client is a stranger on the machine's loopback address.
        options = {"profile": "light", "private": False, **(options or {})}
        spec = ServiceSpec("openrefine", "openrefine", "OpenRefine", options=options, **declaration)
        self.driver = OpenRefineDriver(spec, self.site, launcher)
        # Where a test wants the archive, it asks for it.
        self.driver.archive_delay = 3600.0  # type: ignore[misc]
        self.process: Process | None = None

    @property
    def folder(self) -> Path:
        """Where the projects are."""
        return self.site.data_dir

    def log(self) -> str:
        """The last lines it printed."""
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
        """Wait for its end, and give what the driver says of it."""
        assert self.process is not None
        ending = await self.process.down()
        await self.driver.close()
        told = self.driver.diagnose(ending, ServiceLog(self.site.log_file).tail())
        assert told is not None, self.log()
        return told

    def client(self) -> OpenRefineClient:
        """A client that speaks to it as a browser behind the proxy would."""
        return OpenRefineClient(self.driver.port, self.driver.upstream().socket)


class _ThroughSocket(urllib.request.HTTPHandler):
    """Whatever host it is asked for, goes to a unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        path = self._path

        class Connection(http.client.HTTPConnection):
            def connect(self) -> None:
                self.sock = socket.socket(socket.AF_UNIX)
                self.sock.connect(path)

        return self.do_open(Connection, req)


class OpenRefineClient:
    """OpenRefine's own HTTP API, as its pages use it."""

    def __init__(self, port: int, unix: str | None = None) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self._opener = urllib.request.build_opener(*([_ThroughSocket(unix)] if unix else []))

    async def ask(self, path: str, data: bytes | None = None, **headers: str) -> tuple[str, bytes]:
        """GET or POST; the address that answered in the end, and what it said."""
        request = urllib.request.Request(self.origin + path, data, headers)

        def fetch() -> tuple[str, bytes]:
            with self._opener.open(request, timeout=150) as answer:
                return answer.geturl(), answer.read()

        return await asyncio.to_thread(fetch)

    async def token(self) -> str:
        """What every change has to be sent with."""
        _, body = await self.ask("/command/core/get-csrf-token")
        return urllib.parse.quote(json.loads(body)["token"])

    async def create_project(self, name: str, csv: str) -> str:
        """Upload a CSV; the new project's id."""
        file = 'name="project-file"; filename="data.csv"\r\nContent-Type: text/csv'
        return await self._create(f'name="project-name"\r\n\r\n{name}', f"{file}\r\n\r\n{csv}")

    async def create_project_from(self, url: str) -> str:
        """Have it fetch a CSV by itself; the new project's id."""
        return await self._create(f'name="url"\r\n\r\n{url}')

    async def _create(self, *fields: str) -> str:
        boundary = uuid.uuid4().hex
        head = f"--{boundary}\r\nContent-Disposition: form-data; "
        parts = [*(head + field for field in fields), f"--{boundary}--\r\n"]
        where, _ = await self.ask(
            f"/command/core/create-project-from-upload?csrf_token={await self.token()}",
            "\r\n".join(parts).encode(),
            **{"Content-Type": f"multipart/form-data; boundary={boundary}"},
        )
        found = re.search(r"project=(\d+)", where)
        assert found, where
        return found[1]

    async def edit(self, project: str, row: int, cell: int, value: str) -> None:
        """Change one cell."""
        form = {"project": project, "row": row, "cell": cell, "value": value, "type": "text"}
        _, body = await self.ask(
            f"/command/core/edit-one-cell?csrf_token={await self.token()}",
            urllib.parse.urlencode(form).encode(),
        )
        assert json.loads(body)["code"] == "ok", body

    async def delete(self, project: str) -> None:
        """Delete a project."""
        form = f"project={project}&csrf_token={await self.token()}"
        await self.ask("/command/core/delete-project", form.encode())

    async def cells(self, project: str) -> list[list[str]]:
        """The first rows."""
        _, body = await self.ask(f"/command/core/get-rows?project={project}&start=0&limit=10")
        return [[cell["v"] for cell in row["cells"]] for row in json.loads(body)["rows"]]

    async def names(self) -> dict[str, str]:
        """Each project's name by its id."""
        _, body = await self.ask("/command/core/get-all-project-metadata")
        projects = json.loads(body)["projects"]
        return {project: told["name"] for project, told in projects.items()}

"""A real JupyterHub on loopback with its own front proxy, and people who log in to it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
from yarl import URL

from ou_vce_ext.services import proc
from tests.free_ports import free_port

from .jupyter_rig import LIGHTER, REPOSITORY, wait

EXTENSIONS = {
    "ou_vce_ext": True,
    # What is not looked at here need not be waited for.
    **dict.fromkeys(("jupyterlab", "jupyter_lsp", "jupyter_server_proxy", "notebook"), False),
}
PASSWORD = "a password for tests"
CONFIG = """
c.JupyterHub.bind_url = {url!r}
c.JupyterHub.hub_port = {hub_port}
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/cookie_secret"
c.JupyterHub.cleanup_servers = True
c.ConfigurableHTTPProxy.command = [{proxy!r}]
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api_port}"
c.ConfigurableHTTPProxy.pid_file = "{folder}/proxy.pid"
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = {password!r}
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{folder}/{{username}}"
c.Spawner.cmd = [{python!r}, "-m", "jupyterhub.singleuser"]
c.Spawner.args = ["--allow-root", "--ServerApp.jpserver_extensions={extensions!r}"]
c.Spawner.environment = {environment!r}
c.Spawner.start_timeout = 150
"""


class Hub:
    """A running hub. ``url`` ends with a slash; ``folder`` holds everybody's home."""

    def __init__(self, url: URL, folder: Path, process: subprocess.Popen[bytes]) -> None:
        self.url = url
        self.folder = folder
        self.process = process

    @property
    def log(self) -> str:
        """What hub, proxy and servers have printed."""
        return (self.folder / "hub.log").read_text(errors="replace")


def front_proxy() -> str | None:
    """The hub's own front proxy, which npm brings, or None."""
    folder = REPOSITORY / "ui-tests" / "node_modules" / ".bin"
    return shutil.which("configurable-http-proxy", path=f"{folder}:{os.environ['PATH']}")


@contextmanager
def hub(folder: Path, toml: str, proxy: str) -> Iterator[Hub]:
    """Run a hub whose servers have the services of ``toml``."""
    (folder / "module.toml").write_text(toml)
    url = f"http://127.0.0.1:{free_port()}/campus/"
    paths = [LIGHTER, str(REPOSITORY), os.environ.get("PYTHONPATH", "")]
    environment = {
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "VCE_CONFIG": str(folder / "module.toml"),
        "JUPYTERHUB_SINGLEUSER_APP": "jupyter_server.serverapp.ServerApp",
    }
    (folder / "hub_config.py").write_text(
        CONFIG.format(
            url=url,
            hub_port=free_port(),
            api_port=free_port(),
            folder=folder,
            proxy=proxy,
            python=sys.executable,
            password=PASSWORD,
            environment=environment,
            extensions=EXTENSIONS,
        )
    )
    with (folder / "hub.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", str(folder / "hub_config.py")],
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    found = Hub(URL(url), folder, process)
    try:
        yield found
    finally:
        kept = proc.descendants(process.pid)
        process.send_signal(signal.SIGTERM)
        process.wait(150)
        wait(lambda: not any(proc.is_alive(pid, None) for pid in kept), told=lambda: found.log)


class Person:
    """A browser at the hub: cookies, redirects, and the headers a real one sends."""

    def __init__(self, session: aiohttp.ClientSession, hub: Hub, name: str) -> None:
        self.session = session
        self.hub = hub
        self.name = name

    @property
    def origin(self) -> str:
        return str(self.hub.url.origin())

    def xsrf(self, place: URL) -> str:
        """The token that a page at ``place`` finds in its cookies."""
        cookie = self.session.cookie_jar.filter_cookies(place).get("_xsrf")
        return cookie.value if cookie else ""

    async def ask(
        self, path: str, method: str = "GET", **told: Any
    ) -> tuple[int, str, aiohttp.ClientResponse]:
        """Status, text and answer, as a script of a page there gets them."""
        place = URL(f"{self.hub.url}{path}", encoded=True)
        site = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
        headers = {**site, "X-XSRFToken": self.xsrf(place), "Origin": self.origin}
        headers.update(told.pop("headers", {}))
        told.setdefault("allow_redirects", False)
        async with self.session.request(method, place, headers=headers, **told) as answer:
            return answer.status, await answer.text(errors="replace"), answer

    async def visit(self, path: str) -> tuple[int, str, URL]:
        """Status, text and final address of a page that is opened, redirects followed."""
        headers = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none"}
        async with self.session.get(self.hub.url.join(URL(path)), headers=headers) as answer:
            return answer.status, await answer.text(), answer.url

    async def log_in(self) -> None:
        """Fill in the hub's form, once it is up."""
        async with asyncio.timeout(150):
            while True:
                try:
                    status, _, _ = await self.visit("hub/login")
                    if status == 200:
                        break
                except aiohttp.ClientError:
                    assert self.hub.process.poll() is None, self.hub.log
                await asyncio.sleep(0.1)
        place = self.hub.url.join(URL("hub/login"))
        form = {"username": self.name, "password": PASSWORD, "_xsrf": self.xsrf(place)}
        headers = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin"}
        async with self.session.post(
            place, data=form, headers=headers, allow_redirects=False
        ) as answer:
            assert answer.status == 302, await answer.text()

    async def open_server(self) -> None:
        """Have the hub start a server of one's own, and come back to it logged in."""
        await self.visit("hub/spawn")
        async with asyncio.timeout(150):
            while True:
                status, _, place = await self.visit(f"user/{self.name}/vce/status")
                if status == 200 and place.path.endswith("/vce/status"):
                    return
                assert self.hub.process.poll() is None, self.hub.log
                await asyncio.sleep(0.3)

    async def api(self, path: str, method: str = "GET") -> dict[str, Any]:
        """The JSON of a request to one's own services."""
        status, text, _ = await self.ask(f"user/{self.name}/vce/api/{path}", method)
        assert status < 300, text
        told: dict[str, Any] = json.loads(text)
        return told

    async def start(self, service: str) -> None:
        """Start a service, as the panel does, and wait until it is ready."""
        operation = await self.api(f"services/{service}/start", "POST")
        async with asyncio.timeout(150):
            while operation["state"] == "running":
                await asyncio.sleep(0.05)
                operation = await self.api(f"operations/{operation['id']}")
        assert operation["state"] == "succeeded", operation


@asynccontextmanager
async def person(hub: Hub, name: str) -> AsyncIterator[Person]:
    """Somebody with a browser of their own."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        yield Person(session, hub, name)

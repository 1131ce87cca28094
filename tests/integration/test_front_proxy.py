"""Behind nginx and below a prefix: everything works as it does without them."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from tests.free_ports import free_port

from .jupyter_rig import REPOSITORY, TOKEN, Jupyter, jupyter, wait
from .rfb_viewer import viewer

pytestmark = pytest.mark.integration

PREFIX = "/hub/user/jo/"
SHIPPED = REPOSITORY / "examples" / "nginx" / "jupyter.conf"
AROUND = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/jupyter.conf;
}}
"""


def shipped(prefix: str, port: int, target: str) -> str:
    """The configuration that we ship, for the ports and the path there are here."""
    text = SHIPPED.read_text()
    for theirs, here in (
        ("listen 80;", f"listen 127.0.0.1:{port};"),
        ("server 127.0.0.1:8888;", f"server 127.0.0.1:{target};"),
        ("location / {", f"location {prefix} {{"),
    ):
        assert text.count(theirs) == 1, theirs
        text = text.replace(theirs, here)
    return text


@pytest.fixture(scope="module", params=["/", PREFIX], ids=["root", "path"])
def front(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Jupyter]:
    """A server at the root, or below a path, as it is seen through nginx."""
    nginx = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    if nginx is None:
        pytest.skip("nginx is not installed")
    prefix: str = request.param
    folder = tmp_path_factory.mktemp("front")
    toml = f"""
        [services.postgres]
        enabled = false
        [services.mongo]
        enabled = false
        [services.echo]
        kind = "web"
        command = ["{sys.executable}", "-m", "tests.integration.echo_program", "{{port}}"]
        cwd = "{REPOSITORY}"
        [services.clock]
        kind = "desktop"
        command = ["xclock"]
    """
    trusted = ("--ServerApp.trust_xheaders=True",)
    with jupyter(folder, toml=toml, base_url=prefix, arguments=trusted) as server:
        port = free_port()
        target = server.url.split(":")[2].split("/")[0]
        (folder / "jupyter.conf").write_text(shipped(prefix, port, target))
        config = folder / "nginx.conf"
        config.write_text(AROUND.format(folder=folder))
        process = subprocess.Popen([nginx, "-c", str(config), "-e", str(folder / "error.log")])
        seen = Jupyter(server.process, f"http://127.0.0.1:{port}{prefix}", server.log)
        try:
            wait(lambda: _up(seen, process))
            yield seen
        finally:
            process.terminate()
            process.wait()


def path_of(server: Jupyter) -> str:
    """The path that the server is reached under."""
    return urlsplit(server.url).path


def _up(server: Jupyter, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "nginx has ended: its configuration is wrong"
    try:
        return server.request("GET", "api/status")[0] == 200
    except OSError:
        return False


def fetch(
    server: Jupyter,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, bytes]:
    """Status and body of a request to a proxied app."""
    request = urllib.request.Request(
        f"{server.url}vce/app/{path}",
        data=body,
        method=method,
        headers={"Authorization": f"token {TOKEN}", **(headers or {})},
    )
    try:
        with urllib.request.urlopen(request, timeout=120) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read()


def start(server: Jupyter, name: str) -> None:
    done = server.finish(server.api("POST", f"services/{name}/start"))
    assert done["state"] == "succeeded", done


def test_urls_are_below_the_prefix(front: Jupyter) -> None:
    assert front.service("echo")["url"] == f"{path_of(front)}vce/app/echo/"


def test_requests_arrive_as_they_were_sent(front: Jupyter) -> None:
    start(front, "echo")
    status, text = fetch(front, "GET", "echo/a%2Fb/c?x=1&y=%20")
    told = json.loads(text)
    assert status == 200
    assert told["target"] == "/a%2Fb/c?x=1&y=%20"
    names = {name.lower(): value for name, value in told["headers"]}
    assert names["x-forwarded-prefix"].rstrip("/") == f"{path_of(front)}vce/app/echo"
    assert names["x-forwarded-host"] == urlsplit(front.url).netloc
    assert names["x-forwarded-for"] == "127.0.0.1"
    assert TOKEN not in text.decode()


def test_a_gigabyte_passes_both_ways_and_stays_nowhere(front: Jupyter) -> None:
    start(front, "echo")
    size = 1_000_000_000 if path_of(front) == "/" else 30_000_000
    piece = os.urandom(1_000_000)
    digest = hashlib.sha256()
    connection = http.client.HTTPConnection(urlsplit(front.url).netloc, timeout=120)
    place = f"{path_of(front)}vce/app/echo"
    told = {"Authorization": f"token {TOKEN}"}
    status = Path(f"/proc/{front.process.pid}/status")
    # Loaded a while after the start, or when somebody asks: not while memory is looked at.
    front.api("GET", "backups")
    before = high_water(status, reset=True)
    connection.putrequest("POST", f"{place}/upload")
    for name, value in {**told, "Content-Length": str(size)}.items():
        connection.putheader(name, value)
    connection.endheaders()
    for _ in range(size // len(piece)):
        connection.send(piece)
        digest.update(piece)
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["sha256"]) == (200, digest.hexdigest())
    connection.request("GET", f"{place}/download?bytes={size}", headers=told)
    answer = connection.getresponse()
    assert answer.status == 200
    got = 0
    while chunk := answer.read(1 << 20):
        got += len(chunk)
    connection.close()
    assert got == size
    assert high_water(status) - before < 16_000_000


def high_water(status: Path, *, reset: bool = False) -> int:
    """The most memory a process has had, in bytes, since that was last reset."""
    if reset:
        status.with_name("clear_refs").write_text("5")
    found = next(line for line in status.read_text().splitlines() if "VmHWM" in line)
    return int(found.split()[1]) * 1024


def test_events_come_as_they_happen(front: Jupyter) -> None:
    start(front, "echo")
    headers = {"Authorization": f"token {TOKEN}"}
    request = urllib.request.Request(f"{front.url}vce/app/echo/events", headers=headers)
    with urllib.request.urlopen(request, timeout=120) as answer:
        assert answer.readline() == b"data: first\n"


async def test_websockets_pass(front: Jupyter) -> None:
    start(front, "echo")
    url = front.url.replace("http:", "ws:") + "vce/app/echo/socket"
    origin = "/".join(front.url.split("/")[:3])
    request = HTTPRequest(url, headers={"Authorization": f"token {TOKEN}", "Origin": origin})
    socket = await websocket_connect(request, subprotocols=["chat.v1"])
    assert socket.selected_subprotocol == "chat.v1"
    await socket.write_message("hello")
    assert await socket.read_message() == "hello"
    await socket.write_message(b"\0" * 1_000_000, binary=True)
    assert await socket.read_message() == b"\0" * 1_000_000
    socket.close()


@pytest.mark.parametrize("front", [PREFIX], ids=["path"], indirect=True)
async def test_a_desktop_is_shown_while_it_starts(front: Jupyter) -> None:
    front.api("POST", "services/clock/start")
    front.wait_state("clock", "starting", "ready")
    async with viewer(front, "clock") as seen:
        await seen.ask()
        assert any(await seen.picture())
    status, page = fetch(front, "GET", "clock/", headers={"Accept": "text/html"})
    assert status == 200
    assert f"{PREFIX}vce/api/services/clock".encode() in page
    front.finish(front.api("POST", "services/clock/stop"))


@pytest.mark.parametrize("front", [PREFIX], ids=["path"], indirect=True)
def test_openrefine_makes_a_project(front: Jupyter) -> None:
    service = front.service("openrefine")
    if service["state"] == "unavailable":
        pytest.skip(service["error"]["message"])
    start(front, "openrefine")
    status, text = fetch(front, "GET", "openrefine/command/core/get-csrf-token")
    token = json.loads(text)["token"]
    rows = "name,kind\n" + "".join(f"row {n},{n % 2}\n" for n in range(5000))
    boundary = "a-boundary-of-our-own"
    name = 'Content-Disposition: form-data; name="project-name"\r\n\r\nfront'
    file = 'Content-Disposition: form-data; name="project-file"; filename="rows.csv"'
    file += f"\r\nContent-Type: text/csv\r\n\r\n{rows}"
    body = f"--{boundary}\r\n{name}\r\n--{boundary}\r\n{file}\r\n--{boundary}--\r\n"
    # OpenRefine answers with a redirect at its own origin, which must come back below our prefix.
    status, page = fetch(
        front,
        "POST",
        f"openrefine/command/core/create-project-from-upload?csrf_token={token}",
        body.encode(),
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
    )
    assert status == 200
    assert b"OpenRefine" in page
    status, text = fetch(front, "GET", "openrefine/command/core/get-all-project-metadata")
    [(number, project)] = json.loads(text)["projects"].items()
    assert project["name"] == "front"
    status, text = fetch(front, "GET", f"openrefine/command/core/get-rows?project={number}&limit=1")
    assert json.loads(text)["total"] == 5000


def test_a_stopped_app_offers_to_start(front: Jupyter) -> None:
    front.finish(front.api("POST", "services/echo/stop"))
    browser = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}
    status, page = fetch(front, "GET", "echo/", headers=browser)
    assert status == 503
    assert b"<html" in page
    assert path_of(front).encode() in page
    status, text = fetch(front, "GET", "echo/", headers={"Accept": "application/json"})
    assert status == 503
    assert set(json.loads(text)) == {"code", "message", "hint"}

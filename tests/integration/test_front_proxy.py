"""Behind nginx and below a prefix: everything works as it does without them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from .jupyter_rig import REPOSITORY, TOKEN, Jupyter, free_port, jupyter, wait

pytestmark = pytest.mark.integration

PREFIX = "/hub/user/jo/"
NGINX = """
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
    map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
    server {{
        listen 127.0.0.1:{port};
        client_max_body_size 0;
        location {prefix} {{
            proxy_pass http://127.0.0.1:{target};
            proxy_http_version 1.1;
            proxy_request_buffering off;
            proxy_buffering off;
            proxy_read_timeout 1h;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
        }}
    }}
}}
"""


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    """A server below a prefix, as it is seen through nginx."""
    nginx = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    if nginx is None:
        pytest.skip("nginx is not installed")
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
    """
    trusted = ("--ServerApp.trust_xheaders=True",)
    with jupyter(folder, toml=toml, base_url=PREFIX, arguments=trusted) as server:
        port = free_port()
        target = server.url.split(":")[2].split("/")[0]
        config = folder / "nginx.conf"
        config.write_text(NGINX.format(folder=folder, port=port, target=target, prefix=PREFIX))
        process = subprocess.Popen([nginx, "-c", str(config), "-e", str(folder / "error.log")])
        seen = Jupyter(server.process, f"http://127.0.0.1:{port}{PREFIX}", server.log)
        try:
            wait(lambda: process.poll() is None and _up(seen))
            yield seen
        finally:
            process.terminate()
            process.wait()


def _up(server: Jupyter) -> bool:
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
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read()


def start(server: Jupyter, name: str) -> None:
    done = server.finish(server.api("POST", f"services/{name}/start"), 90)
    assert done["state"] == "succeeded", done


def test_urls_are_below_the_prefix(front: Jupyter) -> None:
    assert front.service("echo")["url"] == f"{PREFIX}vce/app/echo/"


def test_requests_arrive_as_they_were_sent(front: Jupyter) -> None:
    start(front, "echo")
    status, text = fetch(front, "GET", "echo/a%2Fb/c?x=1&y=%20")
    told = json.loads(text)
    assert status == 200
    assert told["target"] == "/a%2Fb/c?x=1&y=%20"
    names = {name.lower(): value for name, value in told["headers"]}
    assert names["x-forwarded-prefix"].rstrip("/") == f"{PREFIX}vce/app/echo"
    assert TOKEN not in text.decode()


def test_a_large_upload_and_download_pass_through_unharmed(front: Jupyter) -> None:
    start(front, "echo")
    body = os.urandom(1 << 20) * 60
    status, text = fetch(front, "POST", "echo/upload", body)
    assert status == 200
    assert json.loads(text)["sha256"] == hashlib.sha256(body).hexdigest()
    status, down = fetch(front, "GET", f"echo/download?bytes={150_000_000}")
    assert (status, len(down)) == (200, 150_000_000)


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
    assert PREFIX.encode() in page
    status, text = fetch(front, "GET", "echo/", headers={"Accept": "application/json"})
    assert status == 503
    assert set(json.loads(text)) == {"code", "message", "hint"}

"""Beside a real jupyter-server-proxy, whose generic addresses must lead nobody past our door."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from tests.free_ports import free_port

from .compared import beside_us, other_proxy
from .jupyter_rig import REPOSITORY, TOKEN, Jupyter, jupyter, wait

pytestmark = pytest.mark.integration

AUTHORIZER = """
from jupyter_server.auth import Authorizer

class Readers(Authorizer):
    "Whoever says so may only look at our services; everything else of Jupyter is theirs."

    def is_authorized(self, handler, user, action, resource):
        reader = "X-Reader" in handler.request.headers
        return not (reader and resource == "vce" and action != "read")
"""
PLACES = (
    "proxy/{port}/x",
    "proxy/{port}",
    "proxy/0{port}/x",
    "proxy/absolute/{port}/x",
    "proxy/localhost:{port}/x",
    "proxy/127.0.0.1:{port}/x",
    "proxy/absolute/127.0.0.1:{port}/x",
)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    home = tmp_path_factory.mktemp("generic")
    (home / "readers.py").write_text(AUTHORIZER)
    toml = f"""
        services.openrefine.enabled = false
        services.mongo.enabled = false
        [services.echo]
        command = ["{sys.executable}", "-m", "tests.integration.echo_program", "{{port}}"]
        cwd = "{REPOSITORY}"
        autostart = true
    """
    with jupyter(
        home,
        toml=toml,
        env=beside_us(home, other_proxy(home)),
        arguments=("--ServerApp.authorizer_class=readers.Readers",),
    ) as found:
        assert "jupyter_server_proxy | extension was successfully loaded" in found.log.read_text()
        found.wait_state("echo", "ready")
        yield found


def port_of(server: Jupyter) -> int:
    """The port that the echoing app was told."""
    process = Path(f"/proc/{server.service('echo')['pid']}/cmdline")
    return int(process.read_bytes().split(b"\0")[-2])


def ask(
    server: Jupyter, method: str, path: str, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of one request; redirects are not followed."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=120)
    body = b"x" if method in ("POST", "PUT", "PATCH") else None
    told = {"Authorization": f"token {TOKEN}", **(headers or {})}
    connection.request(method, f"/{path}", body=body, headers=told)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, dict(answer.getheaders()), content


def test_a_port_that_is_none_of_ours_is_the_other_extensions(server: Jupyter) -> None:
    port = free_port()
    command = [sys.executable, "-m", "tests.integration.echo_program", str(port)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL) as app:
        try:
            wait(lambda: ask(server, "GET", f"proxy/{port}/x", {"X-Reader": "1"})[0] == 200)
        finally:
            app.terminate()


@pytest.mark.parametrize("place", PLACES)
def test_who_may_use_services_is_led_to_the_apps_own_address(server: Jupyter, place: str) -> None:
    path = place.format(port=port_of(server))
    below = "/x" if place.endswith("/x") else "/"
    for method in METHODS:
        status, headers, _ = ask(server, method, f"{path}?y=%20")
        assert (status, headers["Location"]) == (307, f"/vce/app/echo{below}?y=%20"), method
    status, text = server.request("GET", f"{path}?y")
    assert status == 200
    assert json.loads(text)["target"] == f"{below}?y"
    assert TOKEN not in text


@pytest.mark.parametrize("place", PLACES)
def test_nobody_else_gets_past(server: Jupyter, place: str) -> None:
    path = place.format(port=port_of(server))
    for method in METHODS:
        for headers, code in (({"X-Reader": "1"}, "forbidden"), ({"Authorization": ""}, "not-")):
            status, _, content = ask(server, method, path, headers)
            assert status == 403, method
            if method != "HEAD":
                assert json.loads(content)["code"].startswith(code)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("reader", [False, True])
async def test_no_websocket_gets_past(server: Jupyter, place: str, reader: bool) -> None:
    url = server.url.replace("http:", "ws:") + place.format(port=port_of(server))
    told = {"Authorization": f"token {TOKEN}", **({"X-Reader": "1"} if reader else {})}
    with pytest.raises(HTTPClientError) as refused:
        await websocket_connect(HTTPRequest(url, headers=told))
    assert refused.value.code == 403


def test_a_database_has_no_page_to_be_led_to(server: Jupyter) -> None:
    service: dict[str, Any] = server.wait_state("postgres", "ready", "unavailable")
    if service["state"] == "unavailable":
        pytest.skip(service["error"]["message"])
    port = service["connection"]["port"]
    status, _, content = ask(server, "GET", f"proxy/{port}/")
    assert (status, json.loads(content)["code"]) == (403, "forbidden")
    assert "PostgreSQL" in json.loads(content)["message"]

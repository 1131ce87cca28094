"""Through a real JupyterHub: a student's whole way, and everybody else kept out of it."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from ou_vce_ext.services import proc
from tests.api.described import served

from .hub_rig import Hub, Person, front_proxy, hub, person
from .jupyter_rig import REPOSITORY

pytestmark = pytest.mark.integration

SAVER = """
import signal, sys, time
from http.server import HTTPServer, SimpleHTTPRequestHandler
def save(*_):
    time.sleep(0.5)
    open(sys.argv[2], "w").write("saved")
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
HTTPServer(("127.0.0.1", int(sys.argv[1])), SimpleHTTPRequestHandler).serve_forever()
"""
TOML = f"""
services.openrefine.enabled = false
services.postgres.enabled = false
services.mongo.enabled = false
[services.echo]
command = ["{sys.executable}", "-m", "tests.integration.echo_program", "{{port}}"]
cwd = "{REPOSITORY}"
[services.saver]
command = ["{sys.executable}", "saver.py", "{{port}}", "{{root_dir}}/saved"]
ready = {{ path = "/" }}
"""
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
PATHS = sorted(
    {path.format(name="echo", id="1", path="x") for _, path in served()}
    | {"/app/echo/", "/app/echo/x", "/app/echo", "/nothing"}
)


@pytest.fixture(scope="module")
def campus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    proxy = front_proxy()
    if proxy is None or importlib.util.find_spec("jupyterhub") is None:
        pytest.skip("jupyterhub (PyPI) or configurable-http-proxy (npm) is not installed")
    folder = tmp_path_factory.mktemp("campus")
    for name in ("jo", "eve"):
        (folder / name).mkdir()
        (folder / name / "saver.py").write_text(SAVER)
    with hub(folder, TOML, proxy) as found:
        yield found


async def socket_to_echo(who: Person, **more: str) -> str:
    """What a WebSocket to jo's app says to a greeting, or the status it was refused with."""
    place = f"{who.hub.url}user/jo/vce/app/echo/socket".replace("http:", "ws:", 1)
    headers = {"Origin": who.origin, "Sec-Fetch-Mode": "websocket", **more}
    try:
        async with who.session.ws_connect(place, headers=headers) as socket:
            await socket.send_str("hello")
            return str(await socket.receive_str())
    except aiohttp.WSServerHandshakeError as refusal:
        return str(refusal.status)


async def kept_out(who: Person) -> None:
    """Ask for everything of jo's, in every way."""
    for path in PATHS:
        for method in METHODS:
            status, text, answer = await who.ask(f"user/jo/vce{path}", method)
            assert status == 403, f"{who.name}: {method} {path}: {status}"
            assert method == "HEAD" or set(json.loads(text)) == {"code", "message", "hint"}, path
            assert "Set-Cookie" not in answer.headers or "jupyterhub-user-jo=" not in str(
                answer.headers.getall("Set-Cookie")
            )
    assert await socket_to_echo(who) == "403"


async def test_a_students_whole_way_and_nobody_elses(campus: Hub) -> None:
    async with person(campus, "jo") as jo, person(campus, "eve") as eve:
        await jo.log_in()
        await jo.open_server()
        await jo.start("echo")
        await jo.start("saver")
        listed = (await jo.api("services"))["services"]
        assert {each["name"]: each["url"] for each in listed} == {
            name: f"/campus/user/jo/vce/app/{name}/" for name in ("echo", "saver")
        }
        await check_the_app(jo)
        await check_what_a_cookie_needs(jo)

        async with person(campus, "nobody") as nobody:
            await kept_out(nobody)
            status, _, place = await nobody.visit("user/jo/vce/app/echo/")
            assert place.path == "/campus/hub/login"
        await eve.log_in()
        status, _, _ = await eve.visit("user/jo/vce/app/echo/")
        assert status == 403
        await kept_out(eve)

        await check_the_end(jo)


async def check_the_app(jo: Person) -> None:
    """Requests and WebSockets arrive, and none of the hub's credentials with them."""
    for method, body in (("GET", None), ("POST", b"x" * 300_000)):
        status, text, _ = await jo.ask("user/jo/vce/app/echo/a%2Fb?c", method, data=body)
        assert status == 200, text
        told = json.loads(text)
        assert (told["method"], told["target"]) == (method, "/a%2Fb?c")
        names = {name.lower(): value for name, value in told["headers"]}
        assert names["x-forwarded-prefix"] == "/campus/user/jo/vce/app/echo"
        for cookie in jo.session.cookie_jar:
            assert cookie.value not in text, cookie.key
    status, text, _ = await jo.visit("user/jo/vce/app/echo/")
    assert (status, json.loads(text)["target"]) == (200, "/")
    assert await socket_to_echo(jo) == "hello"


async def check_what_a_cookie_needs(jo: Person) -> None:
    """Pages of others at the same address have jo's cookies sent along, and no token."""
    for method, path in sorted(served()):
        path = path.format(name="echo", id="1", path="x")
        if path.startswith("/app"):
            continue
        status, text, _ = await jo.ask(f"user/jo/vce{path}", method, headers={"X-XSRFToken": "x"})
        assert (status, json.loads(text)["code"]) == (403, "xsrf"), f"{method} {path}"
    for headers in (
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"},
    ):
        status, text, _ = await jo.ask("user/jo/vce/app/echo/x", "POST", headers=headers)
        assert (status, json.loads(text)["code"]) == (403, "xsrf")
    evil = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert await socket_to_echo(jo, **evil) == "403"


async def check_the_end(jo: Person) -> None:
    """The hub stops the server: its services save first, and nothing of them is left."""
    pids = [each["pid"] for each in (await jo.api("services"))["services"]]
    assert all(pids)
    server = proc_of_server(pids[0])
    status, text, _ = await jo.ask("hub/api/users/jo/server", "DELETE")
    assert status in (202, 204), text
    async with asyncio.timeout(150):
        while any(proc.is_alive(pid, None) for pid in [*pids, server]):
            await asyncio.sleep(0.05)
    assert (jo.hub.folder / "jo" / "saved").read_text() == "saved"


def proc_of_server(pid: int) -> int:
    """The Jupyter server above a service: the one whose command says so."""
    while b"jupyterhub.singleuser" not in Path(f"/proc/{pid}/cmdline").read_bytes():
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        assert pid > 1, os.listdir("/proc")
    return pid

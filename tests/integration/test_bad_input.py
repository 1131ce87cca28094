"""Everything declared wrong at once: each mistake is told where it stands, and the rest runs on."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.free_ports import free_port

from .jupyter_rig import Jupyter, jupyter

pytestmark = pytest.mark.integration

APP = """
import http.server, sys
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler)\\
    .serve_forever()
"""


@pytest.fixture(scope="module")
def taken() -> Iterator[int]:
    """A port on which a stranger listens."""
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        yield int(stranger.getsockname()[1])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, taken: int) -> Iterator[Jupyter]:
    home = tmp_path_factory.mktemp("home")
    app = home / "app.py"
    app.write_text(APP)
    command = f'command = ["{sys.executable}", "{app}", "{{port}}"]'
    shared = free_port()
    toml = f"""
        [services.postgres]
        autostart = false
        program = "/nonexistent"
        [services.mongo]
        enabled = false
        [services.good]
        kind = "web"
        {command}
        [services.wrongkey]
        kind = "web"
        opne = "browser"
        {command}
        [services.oddkind]
        kind = "wbe"
        {command}
        [services.twin-a]
        kind = "web"
        port = {shared}
        {command}
        [services.twin-b]
        kind = "web"
        port = {shared}
        {command}
        [services.nothing]
        kind = "web"
        command = ["/nonexistent/program", "{{port}}"]
        [services.taken]
        kind = "web"
        port = {taken}
        {command}
        [services.dies]
        kind = "web"
        command = ["sh", "-c", "echo the reason is here >&2; exit 3"]
        [services.openrefine]
        data_dir = "/proc/openrefine"
    """
    with jupyter(home, toml=toml) as running:
        yield running


@pytest.mark.parametrize(
    ("name", "state", "code", "words"),
    [
        ("wrongkey", "failed", "config-invalid", ["opne", "open", "test.toml"]),
        ("oddkind", "failed", "config-invalid", ["wbe", "web"]),
        ("twin-a", "failed", "config-invalid", ["twin-b", "port"]),
        ("twin-b", "failed", "config-invalid", ["twin-a", "port"]),
        ("nothing", "unavailable", "program-missing", ["/nonexistent/program"]),
        ("postgres", "unavailable", "program-missing", ["/nonexistent"]),
    ],
)
def test_a_mistake_is_shown_on_its_service(
    server: Jupyter, name: str, state: str, code: str, words: list[str]
) -> None:
    service = server.wait_state(name, "failed", "unavailable")
    assert (service["state"], service["error"]["code"]) == (state, code)
    told = f"{service['error']['message']} {service['error']['hint']}"
    for word in words:
        assert word in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("wrongkey", "config-invalid", ["opne"]),
        ("nothing", "program-missing", ["/nonexistent/program"]),
        ("taken", "port-in-use", ["Port"]),
        ("dies", "command-failed", ["exit code 3"]),
        ("openrefine", "data-", ["/proc/openrefine"]),
    ],
)
def test_a_start_that_cannot_be_says_why(
    server: Jupyter, name: str, code: str, words: list[str]
) -> None:
    done = server.finish(server.api("POST", f"services/{name}/start"))
    assert done["state"] == "failed"
    assert done["error"]["code"].startswith(code), done
    for word in words:
        assert word in done["error"]["message"], done
    assert done["error"]["hint"]
    service = server.service(name)
    assert service["error"]["code"] == done["error"]["code"]
    if name == "dies":
        assert "the reason is here" in service["error"]["log_tail"]


def test_a_taken_port_is_named_with_its_owner(server: Jupyter, taken: int) -> None:
    done = server.finish(server.api("POST", "services/taken/start"))
    assert str(taken) in done["error"]["message"]
    assert str(os.getpid()) in done["error"]["message"]


def test_the_others_run_on(server: Jupyter) -> None:
    done = server.finish(server.api("POST", "services/good/start"))
    assert done["state"] == "succeeded", done
    assert server.request("GET", "vce/app/good/")[0] == 200
    assert server.request("GET", "api/status")[0] == 200


def test_each_mistake_is_in_the_log(server: Jupyter) -> None:
    log = server.log.read_text()
    for word in ("opne", "wbe", "twin-a"):
        assert word in log
    assert "Traceback" not in log


def test_the_status_page_says_so(server: Jupyter) -> None:
    status, page = server.request("GET", "vce/status")
    assert status == 200
    assert "opne" in page


def test_an_unwritable_home_is_told_and_jupyter_runs_on(tmp_path: Path) -> None:
    sealed = tmp_path / "sealed"
    sealed.mkdir()
    (sealed / "data").write_text("a file where the folder should be")
    with jupyter(tmp_path, env={"VCE_DATA_DIR": str(sealed / "data")}) as running:
        service = running.wait_state("postgres", "failed")
        assert str(sealed / "data") in service["error"]["message"]
        assert running.request("GET", "api/status")[0] == 200

"""Packages made for jupyter-server-proxy, which is not there, run as services of ours."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .compared import other_proxy
from .jupyter_rig import LIGHTER, REPOSITORY, Jupyter, jupyter, wait

pytestmark = pytest.mark.integration

APPS = REPOSITORY / "tests" / "integration" / "web_apps.py"
PACKAGE = f"""
import sys
from pathlib import Path

Path(__file__).with_name("imported").touch()
ICON = str(Path(__file__).with_name("icon.svg"))

def told(port, base_url):
    return [sys.executable, {str(APPS)!r}, "environment", str(port)]

def environment(unix_socket):
    return {{"TOLD_SOCKET": unix_socket or "none", "PORT_OF_MINE": "{{port}}"}}

def setup():
    return {{
        "command": told,
        "environment": environment,
        "timeout": 20,
        "absolute_url": True,
        "launcher_entry": {{"title": "The lent one", "icon_path": ICON}},
    }}

def fails():
    raise FileNotFoundError("rserver: not found")

def braces():
    return {{"command": ["echo", "{{nothing}}"]}}

def missing():
    return {{"command": ["no-such-program-anywhere"]}}
"""
ENTRIES = ("lent = lent_proxy:setup", "fails = lent_proxy:fails", "braces = lent_proxy:braces")
CONFIG = f"""
import sys
c.ServerProxy.servers = {{
    "written": {{
        "command": [sys.executable, {str(APPS)!r}, "tcp", "127.0.0.1", "{{port}}"],
        "new_browser_tab": False,
        "mappath": lambda path: "/seen" + path,
        "request_headers_override": {{"Host": "port-{{port}}"}},
    }}
}}
"""
NONE = "".join(
    f"[services.{name}]\nenabled = false\n" for name in ("openrefine", "postgres", "mongo")
)


def lay_out(home: Path) -> dict[str, str]:
    """Install the package, and the configuration; the environment in which both are found."""
    site = home / "site"
    info = site / "lent_proxy-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "lent_proxy.py").write_text(PACKAGE)
    (site / "icon.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lent-proxy\nVersion: 1.0\n")
    lines = [*ENTRIES, "missing = lent_proxy:missing"]
    (info / "entry_points.txt").write_text("\n".join(["[jupyter_serverproxy_servers]", *lines]))
    config = home / ".jupyter"
    (config / "jupyter_server_config.d").mkdir(parents=True)
    (config / "jupyter_server_config.py").write_text(CONFIG)
    # Where jupyter-server-proxy is installed after all, it would load every entry by itself.
    off = {"ServerApp": {"jpserver_extensions": {"jupyter_server_proxy": False}}}
    (config / "jupyter_server_config.d" / "jupyter_server_proxy.json").write_text(json.dumps(off))
    packages = str(other_proxy(home))
    folders = [LIGHTER, str(REPOSITORY), str(site), packages, os.environ.get("PYTHONPATH", "")]
    return {
        "PYTHONPATH": os.pathsep.join(filter(None, folders)),
        "JUPYTER_PREFER_ENV_PATH": "0",
    }


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    home = tmp_path_factory.mktemp("adopt")
    names = ("lent", "hello", "written", "fails", "braces", "missing", "unheard-of")
    toml = NONE + "".join(f'[services.{name}]\nadopt = "{name}"\n' for name in names)
    with jupyter(home, toml=toml, env=lay_out(home)) as found:
        found.wait_state("fails", "unavailable")
        yield found


def page(server: Jupyter, name: str, path: str = "") -> str:
    """What the app answers, once it has been started."""
    done = server.finish(server.api("POST", f"services/{name}/start"))
    assert done["state"] == "succeeded", done
    status, text = server.request("GET", f"vce/app/{name}/{path}")
    assert status == 200, text
    return text


def test_a_package_from_pypi_runs_under_our_supervision(server: Jupyter) -> None:
    assert "/some/path" in page(server, "hello", "some/path")
    service = server.service("hello")
    assert service["open"] == "browser"
    assert {"open", "start", "stop", "logs"} <= set(service["capabilities"])
    pid = service["pid"]
    os.kill(pid, 9)
    wait(lambda: server.service("hello")["pid"] not in (pid, None))
    server.wait_state("hello", "ready")
    assert server.finish(server.api("POST", "services/hello/stop"))["state"] == "succeeded"


def test_what_a_packages_functions_say_is_done(server: Jupyter) -> None:
    service = server.service("lent")
    assert service["title"] == "The lent one"
    status, picture = server.request("GET", service["icon"].lstrip("/"))
    assert (status, picture[:4]) == (200, "<svg")
    assert page(server, "lent", "x").startswith("/vce/app/lent/x\n")
    _, log = server.request("GET", "vce/api/services/lent/logs")
    assert "TOLD_SOCKET=none\n" in log
    port = log.partition("PORT_OF_MINE=")[2].split("\n")[0]
    assert f"PORT={port}\n" in log
    assert "TOKEN" not in log


def test_an_entry_of_jupyters_configuration_is_as_good(server: Jupyter) -> None:
    seen, host = page(server, "written", "x?y").split()
    assert seen == "/seen/x?y"
    assert host.startswith("port-")
    assert server.service("written")["open"] == "tab"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("fails", "FileNotFoundError: rserver: not found"),
        ("braces", "'{nothing}'"),
        ("missing", "`no-such-program-anywhere`"),
        ("unheard-of", "There is no entry `unheard-of`"),
    ],
)
def test_what_is_wrong_with_an_entry_is_told_in_words(
    server: Jupyter, name: str, said: str
) -> None:
    found: dict[str, Any] = server.wait_state(name, "unavailable")
    assert said in found["error"]["message"]
    assert found["error"]["hint"]
    done = server.finish(server.api("POST", f"services/{name}/start"))
    assert (done["state"], said in done["error"]["message"]) == ("failed", True)


def test_where_nothing_is_adopted_nothing_is_imported(tmp_path: Path) -> None:
    with jupyter(tmp_path, toml=NONE, env=lay_out(tmp_path)) as server:
        assert server.request("GET", "vce/api/services")[0] == 200
    assert not (tmp_path / "site" / "imported").exists()

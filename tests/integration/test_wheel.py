"""The published files, in an environment that has nothing but them."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO
from urllib.request import Request, urlopen

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.slow]

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def no_node(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """This environment, with next to nothing on the PATH."""
    programs = tmp_path_factory.mktemp("programs")
    for name in ("sh", "uname"):
        (programs / name).symlink_to(str(shutil.which(name)))
    return {**os.environ, "PATH": str(programs)}


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution of this very tree, its Lab side built before."""
    out = tmp_path_factory.mktemp("sdist")
    build = [sys.executable, "-m", "build", "--sdist", "--outdir", str(out), str(ROOT)]
    subprocess.run(build, check=True)
    [built] = out.glob("*.tar.gz")
    return built


@pytest.fixture(scope="module")
def wheel(sdist: Path, no_node: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, made from the source distribution where there is no Node."""
    assert shutil.which("node", path=no_node["PATH"]) is None
    unpacked = tmp_path_factory.mktemp("unpacked")
    subprocess.run(["tar", "-xf", str(sdist), "-C", str(unpacked)], check=True)
    [source] = unpacked.iterdir()
    out = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(out), str(source)]
    subprocess.run(build, check=True, env=no_node)
    [built] = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(
    wheel: Path, no_node: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The `bin` folder of an empty environment that was given the wheel and JupyterLab."""
    venv = tmp_path_factory.mktemp("empty environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    python = str(venv / "bin" / "python")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", f"{wheel}[lab]"]
    subprocess.run(pip, check=True, env=no_node)
    return venv / "bin"


@pytest.fixture
def lab(installed: Path, no_node: dict[str, str], tmp_path: Path) -> Iterator[str]:
    """The base URL of a `jupyter lab` of that environment, with the token `secret`."""
    command = [
        *(str(installed / "jupyter"), "lab", "--no-browser", "--allow-root"),
        *("--port=0", "--ServerApp.port_retries=0", "--IdentityProvider.token=secret"),
    ]
    environ = {
        **{key: value for key, value in no_node.items() if not key.startswith("JUPYTER")},
        "PATH": f"{installed}:{no_node['PATH']}",
        "HOME": str(tmp_path),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
    }
    server = subprocess.Popen(command, cwd=tmp_path, env=environ, stderr=subprocess.PIPE, text=True)
    try:
        assert server.stderr is not None
        url = wait_for(server.stderr, r"http://127\.0\.0\.1:\d+/")
        wait_until_listening(server, url)
        yield url
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=150)


def wait_for(lines: IO[str], pattern: str) -> str:
    seen = []
    for line in lines:
        seen.append(line)
        if found := re.search(pattern, line):
            return found[0]
    pytest.fail(f"ended without {pattern}:\n" + "".join(seen))


def wait_until_listening(server: subprocess.Popen[str], url: str) -> None:
    """Jupyter tells its address before it listens; until then it may only end, or listen."""
    host, port = url.removeprefix("http://").rstrip("/").split(":")
    while True:
        with suppress(ConnectionRefusedError), socket.create_connection((host, int(port))):
            return
        with suppress(subprocess.TimeoutExpired):
            pytest.fail(f"ended with exit code {server.wait(timeout=0.1)} before it listened")


def get(base_url: str, path: str) -> bytes:
    request = Request(base_url + path, headers={"Authorization": "token secret"})
    with urlopen(request, timeout=120) as response:
        body: bytes = response.read()
    return body


def test_wheel_holds_the_built_lab_side_once(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    [remote_entry] = [name for name in names if "/static/remoteEntry." in name]
    assert ".data/data/share/jupyter/labextensions/ou-vce-ext/static/" in remote_entry
    enabled = ".data/data/etc/jupyter/jupyter_server_config.d/ou_vce_ext.json"
    assert sum(name.endswith(enabled) for name in names) == 1
    assert "ou_vce_ext/locale/fr_FR/LC_MESSAGES/ou_vce_ext.json" in names


def test_wheel_holds_what_the_code_reads(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    read = [
        path
        for path in (ROOT / "ou_vce_ext").rglob("*")
        if path.suffix in {".yml", ".yaml", ".html"}
    ]
    wanted = {str(path.relative_to(ROOT)) for path in read if "labextension" not in path.parts}
    assert "ou_vce_ext/rest-api.yml" in wanted
    # Built, like the Lab side, and read by the server.
    viewer = ("viewer.js", "viewer.css", "novnc-licence.txt")
    wanted |= {f"ou_vce_ext/viewer/{name}" for name in viewer}
    assert {*wanted, "ou_vce_ext/py.typed"} <= names


def test_lab_starts_with_both_sides_enabled(lab: str) -> None:
    page = get(lab, "lab").decode()
    settings = json.loads(
        page.split('id="jupyter-config-data" type="application/json">')[1].split("<")[0]
    )
    [ours] = [each for each in settings["federated_extensions"] if each["name"] == "ou-vce-ext"]
    script = get(lab, f"lab/extensions/ou-vce-ext/{ours['load']}")
    assert b"ou-vce-ext" in script
    services = json.loads(get(lab, "vce/api/services"))["services"]
    assert {"openrefine", "postgres", "mongo"} <= {service["name"] for service in services}

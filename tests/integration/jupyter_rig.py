"""A real Jupyter server in a process of its own, with a home of its own, for tests of its life."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ou_vce_ext.services import proc
from tests.free_ports import free_port

TOKEN = "a-token-for-tests"
REPOSITORY = Path(__file__).parents[2]
LIGHTER = str(REPOSITORY / "tests" / "lighter")
"""Goes before a server's other paths, and spares it what takes long and is not looked at."""


class Jupyter:
    """One running server. ``api`` speaks to its REST API; ``tree`` is all that it started."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, log: Path) -> None:
        self.process = process
        self.url = url
        self.log = log

    def request(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        accept: str = "*/*",
    ) -> tuple[int, str]:
        """Status and text of a request below ``base_url``."""
        request = urllib.request.Request(
            self.url + path,
            data=json.dumps(body or {}).encode() if method in ("POST", "PUT", "PATCH") else None,
            method=method,
            headers={
                "Authorization": f"token {TOKEN}",
                "Content-Type": "application/json",
                "Accept": accept,
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=120) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.read().decode()

    def api(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        """The JSON of a request below ``vce/api/``."""
        status, text = self.request(method, f"vce/api/{path}", body)
        assert status < 500, text
        # A page of Jupyter's own is all there is where the extension could not be loaded.
        assert text.startswith("{"), f"{status}: {text[:500]} {self.log.read_text()[-3000:]}"
        return json.loads(text)

    def service(self, name: str) -> dict[str, Any]:
        """One service as the REST API shows it now."""
        found: dict[str, Any] = self.api("GET", f"services/{name}")
        return found

    def state(self, name: str) -> str:
        """The state of one service now."""
        return str(self.service(name)["state"])

    def wait_state(self, name: str, *states: str, seconds: float = 150) -> dict[str, Any]:
        """The service, as soon as it is in one of ``states``."""
        found: dict[str, Any] = {}

        def there() -> bool:
            found.update(self.service(name))
            return found["state"] in states

        wait(there, seconds, lambda: f"{found} {self.log.read_text()[-3000:]}")
        return found

    def finish(self, operation: Mapping[str, Any], seconds: float = 150) -> dict[str, Any]:
        """The operation once it has ended."""
        found = dict(operation)

        def ended() -> bool:
            found.update(self.api("GET", f"operations/{operation['id']}"))
            return bool(found["state"] != "running")

        wait(ended, seconds, lambda: f"{found} {self.log.read_text()[-3000:]}")
        return found

    def tree(self) -> list[int]:
        """Every process below this server's keepers."""
        return proc.descendants(self.process.pid)


def wait(
    condition: Callable[[], object], seconds: float = 120, told: Callable[[], str] = lambda: ""
) -> None:
    """Return once ``condition`` holds; fails after ``seconds``, telling ``told()``."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"it did not happen in time: {told()}"
        time.sleep(0.02)


@contextmanager
def jupyter(
    home: Path,
    *,
    toml: str = "",
    arguments: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    prefix: Sequence[str] = (),
    base_url: str = "/",
    python: str = sys.executable,
    extension: str = "ou_vce_ext",
    without: Sequence[str] = (),
    stdin: int = subprocess.DEVNULL,
) -> Iterator[Jupyter]:
    """Run a server with ``home`` as its home and ``home/work`` as its root folder.

    ``toml`` declares services; ``prefix`` goes before the command (``setpriv …``); ``stdin`` may
    be a terminal; ``without`` are extensions that are off although they are installed.
    """
    work, config = home / "work", home / ".jupyter"
    work.mkdir(parents=True, exist_ok=True)
    (config / "vce.d").mkdir(parents=True, exist_ok=True)
    (config / "vce.d" / "test.toml").write_text(toml)
    log = home / "jupyter.log"
    port = free_port()
    extensions = {extension: True, **dict.fromkeys(without, False)}
    command = [
        *prefix,
        python,
        "-m",
        "jupyter_server",
        "--no-browser",
        "--allow-root",
        f"--port={port}",
        "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={TOKEN}",
        f"--ServerApp.base_url={base_url}",
        f"--ServerApp.jpserver_extensions={extensions!r}",
        *arguments,
    ]
    variables = {
        **os.environ,
        "HOME": str(home),
        "PYTHONPATH": os.pathsep.join(
            [LIGHTER, str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])]
        ),
        "PYTHONDONTWRITEBYTECODE": "1",
        **(env or {}),
    }
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "VCE_DATA_DIR"):
        if name not in (env or {}):
            variables.pop(name, None)
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=work,
            env=variables,
            stdin=stdin,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    server = Jupyter(process, f"http://127.0.0.1:{port}{base_url}", log)
    try:
        wait(lambda: _answers(server), 150, lambda: log.read_text()[-3000:])
        yield server
    finally:
        kept = proc.descendants(process.pid)
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(150)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        wait(lambda: not any(proc.is_alive(pid, None) for pid in kept))


def _answers(server: Jupyter) -> bool:
    assert server.process.poll() is None, server.log.read_text()[-3000:]
    with contextlib.suppress(OSError):
        return server.request("GET", "api/status")[0] == 200
    return False


def end(server: Jupyter, number: signal.Signals) -> None:
    """Send the server a signal and wait until it is gone."""
    server.process.send_signal(number)
    server.process.wait(150)

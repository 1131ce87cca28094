"""What is secret stays so: on command lines, in logs, events, errors and whatever is shown."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from ou_vce_ext.services import proc

from .jupyter_rig import REPOSITORY, TOKEN, jupyter

pytestmark = pytest.mark.integration

SHOWN = (
    "vce/status",
    "vce/api/services",
    "vce/api/operations",
    "vce/api/services/postgres/logs?lines=10000",
    "vce/api/services/mongo/logs?lines=10000",
    "vce/api/services/echo/logs?lines=10000",
    "vce/api/services/broken/logs?lines=10000",
)


async def test_nothing_secret_is_to_be_seen(tmp_path: Path) -> None:
    toml = f"""
        services.openrefine.enabled = false
        [services.echo]
        command = ["{sys.executable}", "-m", "tests.integration.echo_program", "{{port}}"]
        cwd = "{REPOSITORY}"
        [services.broken]
        command = ["sh", "-c", "env; exit 3"]
    """
    with jupyter(tmp_path, toml=toml, env={"JUPYTER_TOKEN": TOKEN}) as server:
        address = server.url.replace("http:", "ws:") + "api/events/subscribe"
        headers = {"Authorization": f"token {TOKEN}"}
        events = await websocket_connect(HTTPRequest(address, headers=headers))
        for name in ("postgres", "mongo"):
            service: dict[str, Any] = server.wait_state(name, "ready", "unavailable")
            if service["state"] == "unavailable":
                pytest.skip(service["error"]["message"])
        assert server.finish(server.api("POST", "services/broken/start"))["state"] == "failed"
        assert server.finish(server.api("POST", "services/echo/start"))["state"] == "succeeded"
        assert server.request("GET", f"vce/app/echo/x?token={TOKEN}&mine=1")[0] == 200
        secrets = {TOKEN}
        for file in tmp_path.rglob("secret"):
            secrets.add(file.read_text().strip())
        assert len(secrets) == 3, "the databases have generated passwords"

        told: dict[str, str] = {}
        for path in SHOWN:
            status, told[path] = server.request("GET", path)
            assert status == 200, path
        for pid in proc.descendants(server.process.pid):
            line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            told[f"command line of {pid}"] = line
        logs = list((tmp_path / ".local/share/jupyter/vce/logs").iterdir())
        assert {log.stem for log in logs} >= {"postgres", "mongo", "echo", "broken"}
        for log in logs:
            told[str(log)] = log.read_text(errors="replace")
        lines = server.log.read_text().splitlines()
        # Jupyter itself prints its address with the token once, for whoever started it.
        told["Jupyter's log"] = "\n".join(each for each in lines if "/?token=" not in each)
        for name in ("echo", "mongo", "postgres"):
            server.finish(server.api("POST", f"services/{name}/stop"))
        told["events"], stopped = "", 0
        while stopped < 3:
            message = await asyncio.wait_for(events.read_message(), 120)
            assert message is not None
            told["events"] += str(message)
            stopped += json.loads(message).get("new") == "stopped"
        events.close()
    for place, text in told.items():
        for secret in secrets:
            assert secret not in text, f"{place} shows a secret"

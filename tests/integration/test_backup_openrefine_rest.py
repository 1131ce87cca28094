"""A student's whole way with OpenRefine's projects: back up, reset, see it was a mistake, undo."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from ou_vce_ext.backups import scratch
from tests.free_ports import free_port
from tests.integration.jupyter_rig import Jupyter, jupyter, wait
from tests.integration.openrefine_rig import OpenRefineClient
from tests.integration.rich_projects import make_rich, seen

pytestmark = [pytest.mark.integration, pytest.mark.slow]

DECLARED = """
services.postgres.enabled = false
services.mongo.enabled = false
[services.openrefine]
profile = "light"
class_archive = false
private = false
port = {port}
"""


def succeeded(server: Jupyter, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Ask for an operation, and give it when it has ended well."""
    over = server.finish(server.api("POST", path, body), 300)
    assert over["state"] == "succeeded", over
    return over


def test_a_reset_is_undone(short_dir: Path) -> None:
    port = free_port()
    with jupyter(short_dir, toml=DECLARED.format(port=port)) as server:
        succeeded(server, "services/openrefine/start")
        client = OpenRefineClient(port)
        project = asyncio.run(make_rich(client, "A week of work"))
        before = asyncio.run(seen(client, project))

        backup = succeeded(server, "services/openrefine/backups")["result"]
        assert [item["name"] for item in backup["contents"]] == ["A week of work"]

        def proven() -> bool:
            found = server.api("GET", f"backups/{backup['id']}")
            assert found["verified"] != "failed", found
            return bool(found["verified"] == "verified")

        wait(proven, 300)
        preview = server.api("GET", "services/openrefine/reset")
        assert [item["name"] for item in preview["goes"]] == ["A week of work"]

        reset = succeeded(server, "services/openrefine/reset")
        assert asyncio.run(client.names()) == {}
        succeeded(server, f"backups/{reset['result']['safety_copy']}/restore")
        assert asyncio.run(seen(client, project)) == before

        succeeded(server, f"backups/{backup['id']}/restore", {"as": "Beside", "items": [project]})
        names = asyncio.run(client.names())
        assert sorted(names.values()) == ["A week of work", "Beside"]
        home = Path(server.service("openrefine")["data_dir"]).parent
        assert not [path for path in home.iterdir() if scratch.MARK in path.name]

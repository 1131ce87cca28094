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
from tests.openrefine_files import Made

CUT = Made("1700000000001", "Towns")
LOST = Made("1700000000002", "Rivers")
PUT_ASIDE = f"{LOST.id}.project.corrupted"
"""What OpenRefine calls the folder of a project of which it can read nothing."""

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


def lay_out(folder: Path) -> None:
    """What lies in a projects folder by an accident: a project cut short, one lost, and a note."""
    (CUT.write(folder) / "data.zip").write_bytes(CUT.data()[:-40])
    lost = LOST.write(folder)
    (lost / "data.zip").write_bytes(LOST.data()[:-40])
    (lost / "metadata.json").unlink()
    (folder / "notes.txt").write_text("Zoë's")


def accidents(folder: Path) -> dict[str, bytes]:
    """The same, byte for byte; but for what OpenRefine writes anew for having been asked."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and "metadata" not in path.name
        and path.relative_to(folder).parts[0] in (f"{CUT.id}.project", PUT_ASIDE, "notes.txt")
    }


def test_a_reset_is_undone(short_dir: Path) -> None:
    port = free_port()
    with jupyter(short_dir, toml=DECLARED.format(port=port)) as server:
        folder = Path(server.service("openrefine")["data_dir"])
        lay_out(folder)
        succeeded(server, "services/openrefine/start")
        there = accidents(folder)
        assert len(there) == 9
        client = OpenRefineClient(port)
        project = asyncio.run(make_rich(client, "A week of work"))
        before = asyncio.run(seen(client, project))

        over = succeeded(server, "services/openrefine/backups")
        backup = over["result"]
        assert "2 projects in it cannot be opened" in over["message"]
        damaged = [("Towns", True), (f"Project {LOST.id}", True)]
        found = [(item["name"], item["damaged"]) for item in backup["contents"]]
        assert sorted(found) == sorted(
            [("A week of work", False), *damaged, ("Other files in the projects folder", False)]
        )

        def proven() -> bool:
            found = server.api("GET", f"backups/{backup['id']}")
            assert found["verified"] != "failed", found
            return bool(found["verified"] == "verified")

        wait(proven, 300)
        preview = server.api("GET", "services/openrefine/reset")
        found = [(item["name"], item["damaged"]) for item in preview["goes"]]
        assert sorted(found) == sorted([("A week of work", False), *damaged])
        assert "1 other file in the projects folder" in preview["stays"]

        reset = succeeded(server, "services/openrefine/reset")
        assert asyncio.run(client.names()) == {}
        assert accidents(folder).keys() == {"notes.txt"}
        succeeded(server, f"backups/{reset['result']['safety_copy']}/restore")
        assert asyncio.run(seen(client, project)) == before
        assert accidents(folder) == there
        # Nothing was changed meanwhile: OpenRefine only adds settings to a fresh folder by itself.
        assert "the safety copy is taken again" not in server.log.read_text()

        succeeded(server, f"backups/{backup['id']}/restore", {"as": "Beside", "items": [project]})
        names = asyncio.run(client.names())
        assert sorted(names.values()) == ["A week of work", "Beside", "Towns"]
        home = Path(server.service("openrefine")["data_dir"]).parent
        assert not [path for path in home.iterdir() if scratch.MARK in path.name]

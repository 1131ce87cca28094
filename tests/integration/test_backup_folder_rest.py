"""A web app's folder, the whole way through REST while the app runs and serves what is in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .jupyter_rig import Jupyter, jupyter, wait
from .web_rig import notes_app

pytestmark = pytest.mark.integration

ALONE = """
services.openrefine.enabled = false
services.postgres.enabled = false
services.mongo.enabled = false
"""
WORK = {"week 3/Łódź.txt": "Zoë's", "first.txt": "mine"}


def succeeded(server: Jupyter, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Ask for an operation, and give it when it has ended well."""
    over = server.finish(server.api("POST", path, body))
    assert over["state"] == "succeeded", json.dumps(over)
    return over


def files(folder: Path) -> dict[str, str]:
    """What is in a folder, but for hidden files."""
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


def served(server: Jupyter) -> str:
    """What the app itself shows of its first file, or that it has none."""
    server.wait_state("notes", "ready")
    status, text = server.request("GET", "vce/app/notes/first.txt")
    return text if status == 200 else str(status)


def test_the_whole_way(tmp_path: Path) -> None:
    seed = tmp_path / "seed"
    seed.mkdir()
    (seed / "first.txt").write_text("the module's")
    folder = tmp_path / "work" / "notes"
    for name, text in WORK.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    with jupyter(tmp_path, toml=ALONE + notes_app(seed)) as server:
        assert served(server) == "mine"
        backup = succeeded(server, "services/notes/backups")["result"]
        [item] = backup["contents"]
        assert (item["kind"], item["name"], item["count"]) == ("folder", "notes", 2)

        def proven() -> bool:
            found = server.api("GET", f"backups/{backup['id']}")
            assert found["verified"] != "failed", found
            return bool(found["verified"] == "verified")

        wait(proven)
        preview = server.api("GET", "services/notes/reset")
        assert [(each["name"], each["count"]) for each in preview["goes"]] == [("notes", 2)]
        assert "files of your module" in preview["becomes"]

        reset = succeeded(server, "services/notes/reset")
        assert (served(server), files(folder)) == ("the module's", {"first.txt": "the module's"})
        undone = succeeded(server, f"backups/{reset['result']['safety_copy']}/restore")
        assert (served(server), files(folder)) == ("mine", WORK)
        assert undone["result"]["safety_copy"]

        (folder / "first.txt").write_text("later")
        path = f"backups/{backup['id']}/restore"
        succeeded(server, path, {"as": "notes of week 3"})
        assert files(folder.with_name("notes of week 3")) == WORK
        assert served(server) == "later"
        for name, code in (("../elsewhere", "bad-request"), ("notes of week 3", "conflict")):
            refused = server.finish(server.api("POST", path, {"as": name}))
            assert (refused["state"], refused["error"]["code"]) == ("failed", code)
        succeeded(server, path)
        assert (served(server), files(folder)) == ("mine", WORK)
        server.wait_state("notes", "ready")
    assert not [each for each in tmp_path.rglob("*") if ".scratch-" in each.name]
    assert not (tmp_path / "elsewhere").exists()

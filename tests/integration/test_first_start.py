"""What a module provides is there at a service's first start, and nobody's work is ever joined."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.openrefine_files import Made

from .jupyter_rig import Jupyter, jupyter, wait
from .web_rig import notes_app

DECLARED = """
[services.postgres]
autostart = true
seed = {{ databases = {{ student = "{seeds}/given.sql" }} }}
[services.mongo]
autostart = true
seed = {{ collections = {{ hospital = {{ wards = "{seeds}/wards.json" }} }} }}
[services.openrefine]
autostart = true
profile = "light"
seed = {{ projects = ["{seeds}/Towns.openrefine.tar.gz"] }}
[services.late]
kind = "postgres"
seed = {{ databases = {{ student = "{seeds}/late.sql" }} }}
[services.lost]
kind = "web"
title = "Lost"
command = ["{python}", "-m", "http.server", "{{port}}", "--bind", "127.0.0.1"]
autostart = true
data_dir = "lost"
seed = {{ folder = "{seeds}/nowhere" }}
"""


def there(server: Jupyter, name: str) -> list[tuple[str, int | None]]:
    """What a service holds, as its preview of a reset tells."""
    server.wait_state(name, "ready")
    goes = server.api("GET", f"services/{name}/reset")["goes"]
    return [(item["name"], item["count"]) for item in goes]


def test_a_seed_is_there_at_the_first_start_and_comes_once(tmp_path: Path) -> None:
    seeds = tmp_path / "seeds"
    (seeds / "notes").mkdir(parents=True)
    (seeds / "notes" / "first.txt").write_text("the module's")
    (seeds / "given.sql").write_text("CREATE TABLE given AS SELECT generate_series(1, 7) n;\n")
    (seeds / "late.sql").write_text("CREATE TABLE late AS SELECT 1 AS n FROM pg_sleep(3600);\n")
    (seeds / "wards.json").write_text('[{"ward": 1}, {"ward": 2}, {"ward": 3}]')
    (seeds / "Towns.openrefine.tar.gz").write_bytes(
        Made(name="Towns", past=(), future=()).archive()
    )
    notes = tmp_path / "work" / "notes" / "first.txt"
    # An empty folder that came with the home is as good as none.
    notes.parent.mkdir(parents=True)
    toml = DECLARED.format(python=sys.executable, seeds=seeds) + notes_app(seeds / "notes")
    with jupyter(tmp_path, toml=toml) as server:
        assert ("given", 7) in there(server, "postgres")
        assert ("wards", 3) in there(server, "mongo")
        assert "Towns" in [name for name, _ in there(server, "openrefine")]
        server.wait_state("notes", "ready")
        assert notes.read_text() == "the module's"

        # What cannot be loaded is told, and nothing pretends to be what the module provides.
        error = server.wait_state("lost", "failed")["error"]
        assert error["code"] == "config-invalid"
        assert "nowhere" in error["message"]
        assert not (tmp_path / "work" / "lost").exists()

        # While one is loaded its service is starting, and a stop leaves nothing of it.
        start = server.api("POST", "services/late/start")
        private = tmp_path / ".local" / "share" / "jupyter" / "vce"
        wait(lambda: any(private.glob("*/.scratch-*/log")), told=lambda: str([*private.glob("*")]))
        late = server.service("late")
        assert (late["state"], late["pid"], late["operation"]) == ("starting", None, start["id"])
        assert server.finish(server.api("POST", "services/late/stop"))["state"] == "succeeded"
        assert server.finish(start)["state"] == "cancelled"
        late = server.service("late")
        assert (late["state"], late["error"], late["operation"]) == ("stopped", None, None)
        assert not any(private.glob("*/.scratch-*"))

        notes.unlink()
        (seeds / "given.sql").unlink()
    with jupyter(tmp_path, toml=toml) as server:
        assert ("given", 7) in there(server, "postgres")
        server.wait_state("notes", "ready")
        # Deleted is deleted.
        assert list(notes.parent.iterdir()) == []
    assert not [each for each in tmp_path.rglob("*") if ".scratch-" in each.name]

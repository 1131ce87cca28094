"""What a module provides is there at a service's first start, and nobody's work is ever joined."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.openrefine_files import Made

from .jupyter_rig import Jupyter, jupyter

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
[services.notes]
kind = "web"
title = "Notes"
command = ["{python}", "-m", "http.server", "{{port}}", "--bind", "127.0.0.1",
           "--directory", "{{data_dir}}"]
autostart = true
data_dir = "notes"
seed = {{ folder = "{seeds}/notes" }}
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
    (seeds / "wards.json").write_text('[{"ward": 1}, {"ward": 2}, {"ward": 3}]')
    (seeds / "Towns.openrefine.tar.gz").write_bytes(
        Made(name="Towns", past=(), future=()).archive()
    )
    notes = tmp_path / "work" / "notes" / "first.txt"
    # An empty folder that came with the home is as good as none.
    notes.parent.mkdir(parents=True)
    toml = DECLARED.format(python=sys.executable, seeds=seeds)
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

        notes.unlink()
        (seeds / "given.sql").unlink()
    with jupyter(tmp_path, toml=toml) as server:
        assert ("given", 7) in there(server, "postgres")
        server.wait_state("notes", "ready")
        # Deleted is deleted.
        assert list(notes.parent.iterdir()) == []
    assert not [each for each in tmp_path.rglob("*") if ".scratch-" in each.name]

"""Databases that others run: backed up, proven, loaded beside what is there, and never replaced."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ou_vce_ext.services.keepers import KeeperLauncher

from .backup_mongo_rig import all_rights
from .jupyter_rig import Jupyter, jupyter, wait
from .mongo_rig import MongoRig
from .postgres_rig import SECRET, PostgresRig

pytestmark = [pytest.mark.integration, pytest.mark.slow]

ONLY = """
services.openrefine.enabled = false
services.{other}.enabled = false
[services.{name}]
external = true
"""


def succeeded(server: Jupyter, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Ask for an operation, and give it when it has ended well."""
    over = server.finish(server.api("POST", path, body))
    assert over["state"] == "succeeded", json.dumps(over)
    return over


def walk(home: Path, toml: str, name: str, item: str, look: Callable[[], object]) -> None:
    """All that can be done with the data of a service ``name``; ``item`` is loaded as ``second``.

    ``look`` gives what the server held before, whatever was loaded beside.
    """
    with jupyter(home, toml=toml) as server:
        server.wait_state(name, "ready")
        before = look()
        backup = succeeded(server, f"services/{name}/backups")["result"]
        assert item in {each["key"] for each in backup["contents"]}, backup

        def proven() -> bool:
            found = server.api("GET", f"backups/{backup['id']}")
            assert found["verified"] != "failed", found
            return bool(found["verified"] == "verified")

        wait(proven, told=lambda: server.log.read_text()[-3000:])
        path = f"backups/{backup['id']}/restore"
        succeeded(server, path, {"as": "second", "items": [item]})
        for refused, body in (
            (path, {}),
            (path, {"without_safety_copy": True}),
            (f"services/{name}/reset", {}),
        ):
            status, text = server.request("POST", f"vce/api/{refused}", body)
            assert status == 409, text
            told = json.loads(text)
            assert told["code"] == "capability-missing", told
            assert "outside JupyterLab" in told["message"], told
            assert told["hint"], told
        assert look() == before
        server.wait_state(name, "ready")


async def test_a_postgresql_of_others(short_dir: Path, launcher: KeeperLauncher) -> None:
    # Its student may make databases, and is nobody special: not even all of it is theirs to read.
    theirs = PostgresRig(short_dir, launcher, {"databases": ["tm351", "closed"]})
    await theirs.start()
    await theirs.query("CREATE TABLE work AS SELECT n, 'Łódź' t FROM generate_series(1, 500) n")
    await theirs.query("SELECT lo_from_bytea(0, convert_to(repeat('Århus ', 2000), 'UTF8'))")
    await theirs.admin("ALTER DATABASE closed OWNER TO postgres")
    await theirs.admin("REVOKE ALL ON DATABASE closed FROM PUBLIC")
    toml = ONLY.format(name="postgres", other="mongo") + (
        f'port = {theirs.site.port}\nuser = "student"\ndatabases = ["tm351"]\n'
        f"password = '''{SECRET}'''\n"
    )
    loop = asyncio.get_running_loop()

    def look() -> object:
        def ask(sql: str, database: str) -> list[tuple[Any, ...]]:
            asked = theirs.query(sql, dbname=database)
            return asyncio.run_coroutine_threadsafe(asked, loop).result()

        databases = ask("SELECT datname FROM pg_database WHERE datname <> 'second'", "tm351")
        sums = "SELECT count(*), sum(hashtext(t)), sum(n) FROM work"
        if ask("SELECT 1 FROM pg_database WHERE datname = 'second'", "tm351"):
            assert ask(sums, "second") == ask(sums, "tm351")
        return sorted(databases), ask(sums, "tm351")

    await asyncio.to_thread(walk, short_dir / "home", toml, "postgres", "tm351", look)
    await theirs.stop()


async def test_a_mongodb_of_others(short_dir: Path, launcher: KeeperLauncher) -> None:
    theirs = MongoRig(short_dir, launcher)
    await theirs.start()
    running = theirs.driver.server()

    def make() -> None:
        with all_rights(running.socket, running.key) as client:
            client["shop"]["work"].insert_many([{"n": n, "t": "Łódź"} for n in range(500)])
            client["shop"]["work"].create_index("n")

    await asyncio.to_thread(make)
    toml = ONLY.format(name="mongo", other="postgres") + f'uri = "{theirs.uri}"\n'

    def look() -> object:
        with all_rights(running.socket, running.key) as client:
            found = list(client["shop"]["work"].find())
            if "second" in client.list_database_names():
                assert list(client["second"]["work"].find()) == found
                assert set(client["second"]["work"].index_information()) == {"_id_", "n_1"}
            names = set(client.list_database_names()) - {"second"}
            return names, found

    await asyncio.to_thread(walk, short_dir / "home", toml, "mongo", "shop", look)
    await theirs.stop()

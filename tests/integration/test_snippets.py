"""The snippets of the connection card, each run as the panel hands it out."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ou_vce_ext.drivers.base import scrubbed_environment
from ou_vce_ext.drivers.postgres.programs import find_servers
from ou_vce_ext.models import Connection
from ou_vce_ext.services.keepers import KeeperLauncher
from tests.integration.mongo_rig import MongoRig
from tests.integration.postgres_rig import PostgresRig

pytestmark = pytest.mark.integration

SNIPPETS = Path(__file__).parents[2] / "labextension" / "src" / "snippets.json"
JAVA = Path("/usr/share/java")  # OpenRefine brings a driver for PostgreSQL, and Jython

# Each cell by itself, as a notebook does, and what it would show under it.
NOTEBOOK = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for code in json.load(sys.stdin):
    shown = shell.run_cell(code)
    shown.raise_error()
    print(shown.result)
"""
JDBC = """
import sys
from org.postgresql import Driver
from java.util import Properties
asking = Driver().connect(sys.argv[1], Properties()).createStatement()
rows = asking.executeQuery("select 'by JDBC'")
rows.next()
print(rows.getString(1))
"""


def snippets(kind: str, form: str, connection: Connection) -> dict[str, dict[str, Any]]:
    """Those of a kind by their id, filled in as `snippets.ts` does."""
    told = json.loads(SNIPPETS.read_text())[kind]
    facts = {key: str(value) for key, value in connection._asdict().items()}
    values = {**told["forms"][form], **facts}

    def filled(text: str) -> str:
        return re.sub(r"\{([a-z_]+)\}", lambda found: values.get(found[1], found[0]), text)

    return {one["id"]: {**one, "code": filled(filled(one["code"]))} for one in told["snippets"]}


def run(command: list[str], environment: Mapping[str, str], said: str = "") -> str:
    """What a program prints in a student's terminal, which has to end well."""
    done = subprocess.run(
        command,
        env={**scrubbed_environment(), **environment},
        input=said,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def cells(found: Mapping[str, dict[str, Any]], environment: Mapping[str, str]) -> str:
    """What all that is for a notebook shows there."""
    codes = [one["code"] for one in found.values() if one["language"] == "python"]
    path = os.pathsep.join(path for path in sys.path if path)
    lent = {"PYTHONPATH": path, **environment}
    return run([sys.executable, "-W", "ignore", "-c", NOTEBOOK], lent, json.dumps(codes))


async def test_those_of_postgresql(short_dir: Path, launcher: KeeperLauncher) -> None:
    rig = PostgresRig(short_dir, launcher)
    await rig.start()
    connection = rig.driver.connection()
    kernel = rig.driver.environment()
    psql = find_servers()[0].folder
    for form, environment in (("lent", kernel), ("named", {})):
        found = snippets("postgres", form, connection)
        shown = cells(found, environment)
        assert shown.count("student") >= 3, shown
        assert "pg_catalog" in shown
        asked = found["psql"]["code"] + ' -Atc "select current_user"'
        path = {"PATH": f"{psql}{os.pathsep}{os.environ['PATH']}"}
        assert run(["sh", "-c", asked], {**environment, **path}) == "student\n"
    script = short_dir / "jdbc.py"
    script.write_text(JDBC)
    jars = os.pathsep.join(str(JAVA / name) for name in ("jython.jar", "postgresql.jar"))
    asked = found["jdbc"]["code"]
    java = ["java", "-cp", jars, "org.python.util.jython", str(script), asked]
    assert "by JDBC" in run(java, kernel)
    await rig.stop()


async def test_those_of_mongodb(short_dir: Path, launcher: KeeperLauncher) -> None:
    rig = MongoRig(short_dir, launcher)
    await rig.start()
    connection = rig.driver.connection()
    for form, environment in (("lent", rig.driver.environment()), ("named", {})):
        assert "[]" in cells(snippets("mongo", form, connection), environment)
    await rig.stop()

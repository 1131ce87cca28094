"""Projects with all that a student may have done to one, and how to see that it is all there."""

from __future__ import annotations

import asyncio
import json
import urllib.parse
from typing import Any

from tests.integration.openrefine_rig import OpenRefineClient

TRANSFORM = {
    "op": "core/text-transform",
    "engineConfig": {"facets": [], "mode": "row-based"},
    "columnName": "name",
    "expression": "grel:value.toUppercase()",
    "onError": "keep-original",
    "repeat": False,
    "repeatCount": 10,
}
ADDITION = {
    "op": "core/column-addition",
    "engineConfig": {"facets": [], "mode": "row-based"},
    "baseColumnName": "number",
    "expression": "grel:if(value == '3', now(), value.toNumber() / 7)",
    "onError": "store-error",
    "newColumnName": "quotient",
    "columnInsertIndex": 1,
}
REMOVAL = {"op": "core/column-removal", "columnName": "town"}


async def change(client: OpenRefineClient, command: str, **form: str) -> None:
    """What one of its pages would send."""
    form["csrf_token"] = urllib.parse.unquote(await client.token())
    _, body = await client.ask(f"/command/core/{command}", urllib.parse.urlencode(form).encode())
    assert json.loads(body)["code"] in ("ok", "pending"), body
    # What takes longer goes on by itself, one thing after the other.
    while "project" in form:
        if not (await asked(client, "get-processes", form["project"]))["processes"]:
            return
        await asyncio.sleep(0.02)


async def asked(client: OpenRefineClient, command: str, project: str, **more: str) -> Any:
    """What it says of a project."""
    query = urllib.parse.urlencode({"project": project, **more})
    _, body = await client.ask(f"/command/core/{command}?{query}")
    return json.loads(body)


async def make_rich(client: OpenRefineClient, name: str, rows: int = 40) -> str:
    """A project with transforms, an undone step, stars, flags, tags and a name of its own."""
    lines = (f"Zoë {row},Łódź {row % 7},{row * 7919 % 997}\n" for row in range(rows))
    project = await client.create_project("data csv", "name,town,number\n" + "".join(lines))
    await client.edit(project, 1, 1, "København")
    for row, mark in ((0, "starred"), (3, "starred"), (5, "flagged")):
        await change(client, "annotate-one-row", project=project, row=str(row), **{mark: "true"})
    operations = json.dumps([TRANSFORM, ADDITION, REMOVAL])
    await change(client, "apply-operations", project=project, operations=operations)
    history = await asked(client, "get-history", project)
    last_but_one = str(history["past"][-2]["id"])
    await change(client, "undo-redo", project=project, lastDoneID=last_but_one)
    await change(client, "set-project-tags", project=project, old="", new="geo,week 3")
    await change(client, "rename-project", project=project, name=name)
    return project


async def seen(client: OpenRefineClient, project: str) -> dict[str, Any]:
    """All that OpenRefine shows of a project, to be compared."""
    _, body = await client.ask("/command/core/get-all-project-metadata")
    told = json.loads(body)["projects"][project]
    rows = await asked(client, "get-rows", project, start="0", limit="100000")
    models = await asked(client, "get-models", project)
    return {
        "name": told["name"],
        "tags": told["tags"],
        "rows": [(row["starred"], row["flagged"], row["cells"]) for row in rows["rows"]],
        "columns": models["columnModel"]["columns"],
        "history": await asked(client, "get-history", project),
    }

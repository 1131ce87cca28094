"""Backups through REST over a real, tiny service whose data are files: the whole way."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import sys
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from jupyter_server.serverapp import ServerApp
from traitlets.config import Config

from ou_vce_ext.backups import manager
from ou_vce_ext.drivers.web.driver import WebDriver
from ou_vce_ext.errors import BadRequestError, UnsuitableError
from ou_vce_ext.models import Capability
from tests.api.conftest import Ask
from tests.api.described import assert_matches
from tests.api.test_live import SERVER, ended
from tests.unit.fake_strategy import FOREIGN, FileStrategy

BACKUP = "/api/backups/{id}"


@pytest.fixture
def jp_server_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """A Jupyter server with one app whose data are the files in its folder."""
    able = {Capability.BACKUP, Capability.RESTORE, Capability.RESET}
    monkeypatch.setattr(WebDriver, "capabilities", WebDriver.capabilities | able)
    defaults = manager.Backups.__init__.__kwdefaults__ or {}
    monkeypatch.setitem(defaults, "strategy_for", FileStrategy)
    program = tmp_path / "server.py"
    program.write_text(SERVER)
    module = tmp_path / "module.toml"
    command = [sys.executable, "-I", str(program), "{port}", "0"]
    module.write_text(
        "services.openrefine.enabled = false\nservices.postgres.enabled = false\n"
        "services.mongo.enabled = false\n[services.files]\n"
        f'kind = "web"\ntitle = "Files"\ncommand = {json.dumps(command)}\ndata_dir = "files"\n'
    )
    return Config(
        {
            "ServerApp": {"jpserver_extensions": {"ou_vce_ext": True}, "max_body_size": 1_000_000},
            "VCE": {"config_file": str(module), "data_dir": str(tmp_path / "private")},
        }
    )


@pytest.fixture
def files(jp_serverapp: ServerApp, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Path:
    """The service's data, in a server with its hooks run, as after a real start."""
    folder = Path(jp_serverapp.root_dir) / "files"
    folder.mkdir()
    (folder / "mine").write_text("a week of work")
    jp_asyncio_loop.run_until_complete(jp_serverapp._post_start())  # type: ignore[no-untyped-call]
    return folder


async def do(ask: Ask, path: str, described: str, body: Any = None) -> dict[str, Any]:
    """Ask for an operation, and give it when it has ended well."""
    response = await ask(path, "POST", body=json.dumps(body) if body is not None else None)
    told = assert_matches(response, described, "POST")
    assert response.code == 202, told
    over = await ended(ask, told["id"])
    assert over["state"] == "succeeded", over
    return over


async def listed(ask: Ask) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = assert_matches(await ask("/api/backups"), "/api/backups")[
        "backups"
    ]
    return found


async def proven(ask: Ask, identifier: str) -> dict[str, Any]:
    """A backup when the proof that follows it has ended."""
    async with asyncio.timeout(120):
        while True:
            told: dict[str, Any] = assert_matches(await ask(f"/api/backups/{identifier}"), BACKUP)
            if told["verified"] != "unverified":
                return told
            await asyncio.sleep(0.02)


async def test_a_backup_is_taken_proven_and_taken_away(files: Path, ask: Ask) -> None:
    over = await do(ask, "/api/services/files/backups", "/api/services/{name}/backups")
    made = over["result"]
    assert (made["service"], made["reason"], made["verified"]) == ("files", "manual", "unverified")
    assert (await proven(ask, made["id"]))["verified"] == "verified"
    path = files.parent / made["path"]
    assert path.parent.name == "files-backup"
    assert path.stat().st_mode & 0o777 == 0o600
    with tarfile.open(path) as archive:
        assert archive.getnames() == ["mine", "manifest.json"]
    assert [each["id"] for each in await listed(ask)] == [made["id"]]
    service = assert_matches(await ask("/api/services/files"), "/api/services/{name}")
    assert service["last_backup"]["id"] == made["id"]
    # It was started for the backup, and stopped again.
    assert service["state"] == "stopped"

    address = f"/api/backups/{made['id']}/download"
    whole = await ask(address)
    assert_matches(whole, f"{BACKUP}/download")
    assert hashlib.sha256(whole.body).hexdigest() == made["sha256"]
    assert path.name in whole.headers["Content-Disposition"]
    part = await ask(address, headers={"Range": "bytes=5-9"})
    assert_matches(part, f"{BACKUP}/download")
    assert (part.code, part.body) == (206, whole.body[5:10])
    assert part.headers["Content-Range"] == f"bytes 5-9/{len(whole.body)}"
    tail = await ask(address, headers={"Range": "bytes=-10"})
    assert tail.body == whole.body[-10:]
    beyond = await ask(address, headers={"Range": f"bytes={len(whole.body)}-"})
    assert assert_matches(beyond, f"{BACKUP}/download")["code"] == "range-not-satisfiable"
    head = await ask(address, "HEAD")
    assert (head.code, head.headers["Content-Length"]) == (200, str(len(whole.body)))


async def test_a_reset_is_previewed_and_undone(files: Path, ask: Ask) -> None:
    reset = "/api/services/{name}/reset"
    refused = await ask("/api/services/files/reset")
    assert assert_matches(refused, reset)["code"] == "conflict"
    await do(ask, "/api/services/files/start", "/api/services/{name}/start")
    preview = assert_matches(await ask("/api/services/files/reset"), reset)
    assert [item["key"] for item in preview["goes"]] == ["mine"]
    assert preview["goes_bytes"] == len("a week of work")
    french = {"Accept-Language": "fr"}
    preview = assert_matches(await ask("/api/services/files/reset", headers=french), reset)
    assert preview["stays"] == ["Vos sauvegardes"]
    over = await do(ask, "/api/services/files/reset", reset, {})
    told = json.loads((await ask(f"/api/operations/{over['id']}", headers=french)).body)
    assert told["message"].startswith("Le service Files est comme au premier jour. Pour annuler, ")
    safety = over["result"]["safety_copy"]
    assert [path.name for path in files.iterdir()] == ["first"]
    described = assert_matches(await ask(f"/api/backups/{safety}"), BACKUP)
    assert (described["reason"], described["verified"]) == ("safety", "verified")
    assert "safety-copy" in described["path"]
    undone = await do(ask, f"/api/backups/{safety}/restore", f"{BACKUP}/restore", {})
    assert undone["result"]["safety_copy"] not in (None, safety)
    assert {path.name: path.read_text() for path in files.iterdir()} == {"mine": "a week of work"}
    service = assert_matches(await ask("/api/services/files"), "/api/services/{name}")
    assert service["state"] == "ready"
    left = [path.name for path in files.parent.iterdir() if path.name.startswith("files")]
    assert left == ["files"]


async def test_what_is_brought_is_loaded_beside_or_in_place(files: Path, ask: Ask) -> None:
    name = "catch up é.txt"
    address = f"/api/backups?service=files&filename={quote(name)}"
    response = await ask(address, "POST", body=FOREIGN + b"the module team's")
    brought = assert_matches(response, "/api/backups", "POST")
    assert response.code == 201
    assert response.headers["Location"].endswith(brought["id"])
    assert (brought["reason"], brought["verified"]) == ("upload", "unverified")
    assert Path(brought["path"]).name == name
    restore = f"/api/backups/{brought['id']}/restore"
    over = await do(ask, restore, f"{BACKUP}/restore", {"as": "theirs"})
    assert over["result"] == {"safety_copy": None, "kept": []}
    assert {path.name for path in files.iterdir()} == {"mine", "theirs"}
    (files / "theirs").unlink()
    over = await do(ask, restore, f"{BACKUP}/restore", {"items": ["catch up é"]})
    assert over["result"]["safety_copy"]
    assert {path.name for path in files.iterdir()} == {"mine", "catch up é"}
    wrong = await ask(restore, "POST", body=json.dumps({"items": ["nothing"]}))
    assert assert_matches(wrong, f"{BACKUP}/restore", "POST")["code"] == "bad-request"


async def test_what_is_no_backup_is_not_kept(files: Path, ask: Ask) -> None:
    for content in (b"", b"nonsense" * 1000, _tar("../x"), _tar("/etc/passwd")):
        response = await ask(
            "/api/backups?service=files&filename=a.tar", "POST", body=content or None
        )
        told = assert_matches(response, "/api/backups", "POST")
        assert (response.code, told["code"]) == (400, "backup-unsuitable")
    folder = files.parent / "backups" / "files-backup"
    assert [path.name for path in folder.iterdir() if not path.name.startswith(".")] == []
    for query in ("", "?service=files", "?service=files&filename=a%2Fb", "?service=..&filename=a"):
        response = await ask(f"/api/backups{query}", "POST", body=FOREIGN)
        assert assert_matches(response, "/api/backups", "POST")["code"] == "bad-request"
    response = await ask("/api/backups?service=other&filename=a", "POST", body=FOREIGN)
    assert assert_matches(response, "/api/backups", "POST")["code"] == "unknown-service"


def _tar(name: str) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    return made.getvalue()


async def test_a_file_may_be_larger_than_what_this_server_takes_else(
    files: Path, ask: Ask, http_server: Any, jp_http_port: int, jp_auth_header: dict[str, str]
) -> None:
    content = FOREIGN + b"x" * 5_000_000
    address = "/api/backups?service=files&filename=large"
    brought = assert_matches(await ask(address, "POST", body=content), "/api/backups", "POST")
    assert brought["bytes"] == len(content)
    assert brought["sha256"] == hashlib.sha256(content).hexdigest()
    # One whose sender goes away leaves nothing.
    lines = [f"{name}: {value}" for name, value in jp_auth_header.items()]
    head = ["POST /a%40b/vce" + address + " HTTP/1.1", "Host: localhost", *lines]
    _, writer = await asyncio.open_connection("127.0.0.1", jp_http_port)
    writer.write("\r\n".join([*head, "Content-Length: 9000000", "", ""]).encode() + content)
    await writer.drain()
    folder = files.parent / "backups" / "files-backup"
    async with asyncio.timeout(120):
        while not list(folder.glob("*.partial")):
            await asyncio.sleep(0.01)
        writer.close()
        while list(folder.glob("*.partial")):
            await asyncio.sleep(0.01)
    assert len(await listed(ask)) == 1


async def test_pins_and_deletions(files: Path, ask: Ask) -> None:
    over = await do(ask, "/api/services/files/backups", "/api/services/{name}/backups")
    address = f"/api/backups/{over['result']['id']}"
    await proven(ask, over["result"]["id"])
    pinned = await ask(address, "PATCH", body='{"pinned": true}')
    assert assert_matches(pinned, BACKUP, "PATCH")["pinned"] is True
    assert (await listed(ask))[0]["pinned"] is True
    wrong = await ask(address, "PATCH", body="{}")
    assert assert_matches(wrong, BACKUP, "PATCH")["code"] == "bad-request"
    gone = await ask(address, "DELETE")
    assert gone.code == 204
    assert gone.body == b""
    for response in (await ask(address), await ask(address, "DELETE")):
        assert response.code == 404
    assert await listed(ask) == []


async def test_everything_in_one_file_and_back(files: Path, ask: Ask) -> None:
    root = files.parent
    (root / "notebooks" / "week 1").mkdir(parents=True)
    (root / "notebooks" / "week 1" / "a.ipynb").write_text("{}")
    (root / "notebooks" / "elsewhere").symlink_to("/etc")
    (root / "notebooks" / "passwd").symlink_to("/etc/passwd")
    body: dict[str, Any] = {"folders": ["notebooks"]}
    over = await do(ask, "/api/backups/all", "/api/backups/all", body)
    made = over["result"]
    assert (over["service"], made["service"]) == (None, None)
    assert Path(made["path"]).parent.as_posix() == "backups"
    keys = [item["key"] for item in made["contents"]]
    assert keys == ["files:mine", ":notebooks"]
    assert (await proven(ask, made["id"]))["verified"] == "verified"
    with tarfile.open(root / made["path"]) as archive:
        assert archive.getnames() == [
            "services/files.tar",
            "folders/notebooks/week 1/a.ipynb",
            "manifest.json",
        ]
    (files / "mine").write_text("spoilt")
    (root / "notebooks" / "week 1" / "a.ipynb").write_text("spoilt")
    over = await do(ask, f"/api/backups/{made['id']}/restore", f"{BACKUP}/restore", {})
    assert over["result"]["safety_copy"]
    assert (files / "mine").read_text() == "a week of work"
    assert (root / "notebooks" / "week 1" / "a.ipynb").read_text() == "spoilt"
    [beside] = root.glob("restored-*")
    assert (beside / "notebooks" / "week 1" / "a.ipynb").read_text() == "{}"
    body = {"items": ["files:mine"], "as": "again"}
    await do(ask, f"/api/backups/{made['id']}/restore", f"{BACKUP}/restore", body)
    assert (files / "again").read_text() == "a week of work"
    for wrong in (["../x"], ["/etc"], ["backups"], ["notebooks/elsewhere"], ["none"], ["a\0b"]):
        response = await ask("/api/backups/all", "POST", body=json.dumps({"folders": wrong}))
        assert assert_matches(response, "/api/backups/all", "POST")["code"] == "bad-request"


async def test_a_takeaway_from_another_home_is_welcome(files: Path, ask: Ask) -> None:
    over = await do(ask, "/api/backups/all", "/api/backups/all", {})
    content = (files.parent / over["result"]["path"]).read_bytes()
    response = await ask("/api/backups?service=files&filename=home.tar", "POST", body=content)
    brought = assert_matches(response, "/api/backups", "POST")
    assert (brought["service"], brought["path"]) == (None, "backups/home.tar")
    response = await ask(
        "/api/backups?service=files&filename=x.tar", "POST", body=content[:-2048] + b"x" * 2048
    )
    assert assert_matches(response, "/api/backups", "POST")["code"] == "backup-unsuitable"


async def test_old_and_failed_backups_are_problems_told(
    files: Path, ask: Ask, jp_serverapp: ServerApp
) -> None:
    backups = await jp_serverapp.web_app.settings["vce_backups"]()
    strategy = backups.counter.strategy("files")
    backups.registry.get("files").driver.spec.backup.update(every="10m", warn_after="10m")

    async def told() -> list[str]:
        response = await ask("/status", headers={"Accept": "application/json"})
        return [each["code"] for each in assert_matches(response, "/status")["problems"]]

    await do(ask, "/api/services/files/start", "/api/services/{name}/start")
    strategy.failures["take"] = OSError(28, "No space left on device")
    await backups.timetable.look_round()
    async with asyncio.timeout(120):
        while await told() != ["backup-failed"]:
            await asyncio.sleep(0.02)
    del strategy.failures["take"]
    await do(ask, "/api/services/files/backups", "/api/services/{name}/backups")
    assert await told() == []
    backups.timetable._changed["files"] = datetime.now(UTC) + timedelta(hours=1)
    assert await told() == ["backup-old"]


async def test_what_only_its_work_can_find_out_is_told_by_the_operation(
    files: Path, ask: Ask, jp_serverapp: ServerApp
) -> None:
    backups = await jp_serverapp.web_app.settings["vce_backups"]()
    strategy = backups.counter.strategy("files")
    over = await do(ask, "/api/services/files/backups", "/api/services/{name}/backups")
    restore = f"/api/backups/{over['result']['id']}/restore"
    await proven(ask, over["result"]["id"])

    async def failed(body: dict[str, Any]) -> str:
        response = await ask(restore, "POST", body=json.dumps(body))
        ending = await ended(ask, assert_matches(response, f"{BACKUP}/restore", "POST")["id"])
        return str(ending["error"]["code"])

    assert await failed({"as": "mine"}) == "conflict"
    strategy.failures["load_beside"] = BadRequestError("That cannot be a name.")
    assert await failed({"as": "other"}) == "bad-request"
    strategy.failures["open"] = UnsuitableError("It is broken.")
    assert await failed({}) == "backup-unsuitable"
    assert (files / "mine").read_text() == "a week of work"

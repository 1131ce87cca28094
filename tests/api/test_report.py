"""What is shown to others: every private thing put wherever it can come from, and looked for."""

from __future__ import annotations

import asyncio
import io
import json
import sys
import zipfile
from pathlib import Path

import pytest
from jupyter_server.serverapp import ServerApp
from traitlets.config import Config

from tests.api.conftest import Ask
from tests.api.described import assert_matches

PASSWORD = "Blue7-Kestrel+Pass"
KEY = "sk-live-4f9aQ7ZkXc2"
E_MAIL = "ann.other@students.example.ac.uk"
IP = "192.0.2.77"
IP6 = "2001:db8::7:1"
PERSON = "Zebedee"
MACHINE = "zeppelin-pc"
DATABASE_HOST = "db7.cluster.example.org"
URI = f"mongodb://{PERSON}:{PASSWORD}@{DATABASE_HOST}:27017/x"
PRIVATE = (PASSWORD, KEY, E_MAIL, IP, IP6, PERSON, MACHINE, DATABASE_HOST, "example.ac.uk")

PROGRAM = """
import os, sys
for line in open(sys.argv[1], encoding="utf-8"):
    print(line.rstrip(), flush=True)
sys.exit(3)
"""


@pytest.fixture
def said(tmp_path: Path, jp_root_dir: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a program that knows too much prints, and an environment that does."""
    monkeypatch.setenv("JUPYTERHUB_USER", PERSON)
    monkeypatch.setenv("HOSTNAME", MACHINE)
    monkeypatch.setenv("COURSE_API_KEY", KEY)
    monkeypatch.setenv("SHARED_DB", URI)
    return [
        f"connecting to {URI} as {PERSON} from {MACHINE} ({IP}, {IP6})",
        f"GET /lab?token={{token}} 200 Cookie: username-8888={KEY}; _xsrf={KEY}",
        f"using {KEY} of {E_MAIL}",
        f'{{"user":"{PERSON}","password":"{PASSWORD}","host":"{DATABASE_HOST}"}}',
        f"cannot write {jp_root_dir}/divorce papers.csv",
        f"cannot write '{Path.home()}/divorce papers.csv'",
        f"cannot open {tmp_path}/private/hidden/logs/x.log and /home/{PERSON}/letters",
        "listening on 127.0.0.1:5432, http://localhost:8888/ and [::1]:5432: all well there",
        "x" * 1980 + f" {PASSWORD * 3}",
    ]


@pytest.fixture
def jp_server_config(tmp_path: Path, said: list[str]) -> Config:
    """A server with a service that prints all of it and dies, and one that is declared with it."""
    program, lines, file = (tmp_path / name for name in ("tell.py", "lines.txt", "module.toml"))
    program.write_text(PROGRAM)
    lines.write_text("\n".join(said))
    (tmp_path / "logo.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    file.write_text(
        f"""
[branding]
title = "TM351 VCE of {PERSON}"
logo = "logo.svg"
colour = "#0b6e99"
titel = "no such key"

[services]
openrefine.enabled = false

[services.teller]
title = "Teller of {PERSON}"
command = ["{sys.executable}", "-I", "{program}", "{lines}", "--password", "{PASSWORD}"]
env = {{ SOME_KEY = "{KEY}", WHERE = "{DATABASE_HOST}" }}

[services.postgres]
external = true
host = "{DATABASE_HOST}"
user = "{PERSON}"
password = "{PASSWORD}"
autostart = false

[services.mongo]
external = true
uri = "{URI}"
autostart = false
"""
    )
    return Config(
        {
            "ServerApp": {"jpserver_extensions": {"ou_vce_ext": True}},
            "VCE": {"config_file": str(file), "data_dir": str(tmp_path / "private")},
        }
    )


async def tell_all(server: ServerApp, ask: Ask, tmp_path: Path) -> None:
    """Have the teller tell everything, and die."""
    lines = tmp_path / "lines.txt"
    lines.write_text(lines.read_text().replace("{token}", server.identity_provider.token))
    await server._post_start()  # type: ignore[no-untyped-call]
    operation = json.loads((await ask("/api/services/teller/start", "POST")).body)
    async with asyncio.timeout(120):
        while operation["state"] == "running":
            operation = json.loads((await ask(f"/api/operations/{operation['id']}")).body)
            await asyncio.sleep(0.02)
    assert operation["state"] == "failed"


def assert_private(text: str, server: ServerApp, tmp_path: Path) -> None:
    """Fail where anything private is left in ``text``."""
    own = (server.identity_provider.token, str(tmp_path), str(server.root_dir), "divorce")
    home = str(Path.home())
    for private in (*PRIVATE, *own, *([home] if len(home) > 1 else [])):
        assert private.lower() not in text.lower(), private
    assert PASSWORD[:9] not in text, "half a secret is one too"


async def test_nothing_private_is_in_report_or_bundle(
    jp_serverapp: ServerApp, ask: Ask, tmp_path: Path
) -> None:
    await tell_all(jp_serverapp, ask, tmp_path)
    text = assert_matches(await ask("/api/report"), "/api/report")
    assert_private(text, jp_serverapp, tmp_path)
    for wanted in (
        "TM351 VCE of <user>: report of",
        "failed just now",
        "teller: command-failed (",
        "exit code 3",
        "start teller",
        "ou_vce_ext: ",
        "Python: ",
        "System: ",
        "Memory: ",
        "Disk (Home folder): ",
        "Log of teller, the last ",
        "listening on 127.0.0.1:5432, http://localhost:8888/ and [::1]:5432: all well there",
        "branding.titel: There is no such key.",
        "connecting to mongodb://<credentials>@<host>:27017/x as <user> from <host> (<address>",
        "newest backup: none yet",
    ):
        assert wanted in text, wanted
    response = await ask("/api/report/bundle")
    with zipfile.ZipFile(io.BytesIO(assert_matches(response, "/api/report/bundle"))) as bundle:
        assert bundle.testzip() is None
        files = {name: bundle.read(name).decode() for name in bundle.namelist()}
    assert list(files) == ["report.txt", "status.json", "declarations.json", "logs/teller.log"]
    for text in files.values():
        assert_private(text, jp_serverapp, tmp_path)
    assert "all well there" in files["logs/teller.log"]
    status = json.loads(files["status.json"])
    assert {one["name"]: one["state"] for one in status["services"]}["teller"] == "failed"
    declared = {one["name"]: one for one in json.loads(files["declarations.json"])}
    assert declared["teller"]["env"] == {"SOME_KEY": "<secret>", "WHERE": "<secret>"}
    assert declared["postgres"]["options"]["password"] == "<secret>"
    assert "-I" in declared["teller"]["command"]
    assert_matches(await ask("/api/report/bundle", "HEAD"), "/api/report/bundle")


async def test_the_modules_look_is_served(jp_serverapp: ServerApp, ask: Ask) -> None:
    look = assert_matches(await ask("/api/branding"), "/api/branding")
    assert look == {
        "title": f"TM351 VCE of {PERSON}",
        "logo": "/a%40b/vce/api/branding/logo",
        "colour": "#0b6e99",
        "colour_dark": "#12729c",
        "help_url": None,
        "help_text": None,
    }
    logo = await ask("/api/branding/logo")
    assert assert_matches(logo, "/api/branding/logo").startswith("<svg")
    assert "sandbox" in logo.headers["Content-Security-Policy"]
    page = (await ask("/status", headers={"Accept": "text/html"})).body.decode()
    assert f"TM351 VCE of {PERSON}</p>" in page
    assert 'src="data:image/svg+xml;base64,' in page
    assert "border-top: 6px solid #0b6e99" in page

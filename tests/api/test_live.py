"""The same routes over real services: a tiny one, a slow one, one that dies, one not there."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.serverapp import ServerApp
from prometheus_client.parser import text_string_to_metric_families
from traitlets.config import Config

from tests.api.conftest import Ask
from tests.api.described import assert_matches

SERVICE = "/api/services/{name}"
OPERATION = "/api/operations/{id}"
SERVER = """
import http.server, sys, time
time.sleep(float(sys.argv[2]))
print("listening on", sys.argv[1], flush=True)
place = ("127.0.0.1", int(sys.argv[1]))
http.server.HTTPServer(place, http.server.SimpleHTTPRequestHandler).serve_forever()
"""


def declaration(folder: Path) -> Path:
    """A module's own file, and the program it runs."""
    program = folder / "server.py"
    program.write_text(SERVER)
    file = folder / "module.toml"
    python = f'"{sys.executable}", "-I"'
    file.write_text(
        f"""
[services]
openrefine.enabled = false
postgres.enabled = false
mongo.enabled = false

[services.hello]
kind = "web"
title = "Hello"
command = [{python}, "{program}", "{{port}}", "0"]

[services.slow]
kind = "web"
title = "Slow"
command = [{python}, "{program}", "{{port}}", "3600"]

[services.broken]
kind = "web"
title = "Broken"
command = [{python}, "-c", "import sys; print('no luck'); sys.exit(3)"]

[services.needy]
kind = "web"
title = "Needy"
command = [{python}, "{program}", "{{port}}", "0"]
requires = ["hello", "broken"]

[services.late]
kind = "web"
title = "Late"
command = [{python}, "{program}", "{{port}}", "3600"]
ready.timeout = 1

[services.absent]
kind = "web"
title = "Absent"
command = ["no-such-program-anywhere"]
"""
    )
    return file


@pytest.fixture
def jp_server_config(tmp_path: Path) -> Config:
    """A Jupyter server with the extension, and services of a module's own."""
    return Config(
        {
            "ServerApp": {"jpserver_extensions": {"ou_vce_ext": True}},
            "VCE": {
                "config_file": str(declaration(tmp_path)),
                "data_dir": str(tmp_path / "private"),
            },
        }
    )


@pytest.fixture
def opened(jp_serverapp: ServerApp, jp_asyncio_loop: asyncio.AbstractEventLoop) -> ServerApp:
    """The server with its hooks run, as after a real start."""
    jp_asyncio_loop.run_until_complete(jp_serverapp._post_start())  # type: ignore[no-untyped-call]
    return jp_serverapp


async def service(ask: Ask, name: str) -> dict[str, Any]:
    body: dict[str, Any] = assert_matches(await ask(f"/api/services/{name}"), SERVICE)
    return body


async def do(ask: Ask, name: str, what: str, body: str | None = None) -> dict[str, Any]:
    response = await ask(f"/api/services/{name}/{what}", "POST", body=body)
    assert response.code == 202, response.body
    told: dict[str, Any] = assert_matches(response, f"{SERVICE}/{what}", "POST")
    return told


async def ended(ask: Ask, identifier: str) -> dict[str, Any]:
    """Follow an operation to its end, as every client does."""
    async with asyncio.timeout(120):
        while True:
            body: dict[str, Any] = assert_matches(
                await ask(f"/api/operations/{identifier}"), OPERATION
            )
            if body["state"] != "running":
                return body
            await asyncio.sleep(0.02)


async def test_a_service_from_start_to_stop(opened: ServerApp, ask: Ask) -> None:
    assert (await service(ask, "hello"))["state"] == "stopped"
    start = await do(ask, "hello", "start")
    assert (await ended(ask, start["id"]))["state"] == "succeeded"
    up = await service(ask, "hello")
    async with asyncio.timeout(120):
        # A look waits a few milliseconds for what a service costs, and shows it the next time.
        while up["memory_bytes"] is None:
            up = await service(ask, "hello")
    assert (up["state"], up["error"], up["operation"]) == ("ready", None, None)
    assert up["url"] == "/a%40b/vce/app/hello/"
    assert up["pid"]
    assert up["memory_bytes"] > 1_000_000
    assert up["memory_measure"] == "pss"
    assert up["open_files"] > 3
    assert up["ready_seconds"] > 0
    again = await do(ask, "hello", "start")
    assert again["state"] == "succeeded"
    assert again["id"] != start["id"]
    logs = assert_matches(await ask("/api/services/hello/logs"), f"{SERVICE}/logs")
    assert "listening on" in logs
    restart = await do(ask, "hello", "restart")
    assert (await ended(ask, restart["id"]))["state"] == "succeeded"
    assert (await service(ask, "hello"))["pid"] != up["pid"]
    stop = await do(ask, "hello", "stop", "{}")
    assert (await ended(ask, stop["id"]))["state"] == "succeeded"
    down = await service(ask, "hello")
    assert (down["state"], down["pid"], down["memory_bytes"]) == ("stopped", None, None)


async def test_the_same_request_joins_and_another_is_told_so(opened: ServerApp, ask: Ask) -> None:
    answers = await asyncio.gather(*(do(ask, "slow", "start") for _ in range(20)))
    assert len({answer["id"] for answer in answers}) == 1
    refused = await ask("/api/services/slow/restart", "POST")
    body = assert_matches(refused, f"{SERVICE}/restart", "POST")
    assert (refused.code, body["code"]) == (409, "conflict")
    assert "Slow is starting" in body["message"]
    stop = await do(ask, "slow", "stop")
    assert (await ended(ask, stop["id"]))["state"] == "succeeded"
    assert (await ended(ask, answers[0]["id"]))["state"] == "cancelled"
    assert (await service(ask, "slow"))["state"] == "stopped"


async def test_a_start_can_be_called_off(opened: ServerApp, ask: Ask) -> None:
    start = await do(ask, "slow", "start")
    response = await ask(f"/api/operations/{start['id']}", "DELETE")
    assert response.code == 202
    assert_matches(response, OPERATION, "DELETE")
    assert (await ended(ask, start["id"]))["state"] == "cancelled"
    assert (await service(ask, "slow"))["state"] == "stopped"
    response = await ask(f"/api/operations/{start['id']}", "DELETE")
    body = assert_matches(response, OPERATION, "DELETE")
    assert (response.code, body["code"]) == (409, "not-cancellable")


async def test_a_service_that_dies_says_why_everywhere(opened: ServerApp, ask: Ask) -> None:
    start = await do(ask, "broken", "start")
    over = await ended(ask, start["id"])
    assert over["state"] == "failed"
    assert over["error"]["exit_code"] == 3
    assert "no luck" in over["error"]["log_tail"]
    down = await service(ask, "broken")
    assert (down["state"], down["error"]) == ("failed", over["error"])
    response = await ask("/status", headers={"Accept": "application/json"})
    status = assert_matches(response, "/status")
    assert status["state"] == "failed"
    assert [problem["service"] for problem in status["problems"]] == ["broken"]
    page = assert_matches(await ask("/status", headers={"Accept": "text/html"}), "/status")
    assert "<h1>Broken failed" in page
    assert "no luck" in page


async def test_a_program_that_is_missing_is_named(opened: ServerApp, ask: Ask) -> None:
    absent = await service(ask, "absent")
    assert (absent["state"], absent["error"]["code"]) == ("unavailable", "program-missing")
    assert "no-such-program-anywhere" in absent["error"]["message"]
    over = await ended(ask, (await do(ask, "absent", "start"))["id"])
    assert (over["state"], over["error"]["code"]) == ("failed", "program-missing")


async def test_all_are_listed_as_declared(opened: ServerApp, ask: Ask) -> None:
    listed = assert_matches(await ask("/api/services"), "/api/services")
    assert [one["name"] for one in listed["services"]] == [
        "hello",
        "slow",
        "broken",
        "needy",
        "late",
        "absent",
    ]


async def samples(ask: Ask) -> dict[tuple[str, str], float]:
    """What /metrics says of our services, by name and the last of the labels."""
    response = await ask("", below="metrics")
    assert response.code == 200
    return {
        (sample.name, "/".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(response.body.decode())
        for sample in family.samples
        if sample.name.startswith("vce_")
    }


async def test_jupyters_metrics_tell_of_services(opened: ServerApp, ask: Ask) -> None:
    told = await samples(ask)
    assert told["vce_service_state", "hello/stopped"] == 1
    assert told["vce_service_state", "hello/ready"] == 0
    assert told["vce_service_restarts_total", "hello"] == 0
    assert ("vce_service_ready_seconds", "hello") not in told
    await ended(ask, (await do(ask, "hello", "start"))["id"])
    await ended(ask, (await do(ask, "broken", "start"))["id"])
    async with asyncio.timeout(120):
        while ("vce_service_memory_bytes", "hello") not in (told := await samples(ask)):
            await asyncio.sleep(0.02)
    assert told["vce_service_memory_bytes", "hello"] > 1_000_000
    assert told["vce_service_state", "hello/ready"] == 1
    assert told["vce_service_ready_seconds", "hello"] > 0
    assert told["vce_service_state", "broken/failed"] == 1
    assert told["vce_service_restarts_total", "broken"] == 4
    assert ("vce_service_memory_bytes", "broken") not in told


async def test_what_another_needs_and_does_not_get_is_told_on_both(
    opened: ServerApp, ask: Ask
) -> None:
    over = await ended(ask, (await do(ask, "needy", "start"))["id"])
    assert (over["state"], over["error"]["code"]) == ("failed", "dependency-failed")
    waiting = await service(ask, "needy")
    assert (waiting["state"], waiting["error"]) == ("failed", over["error"])
    assert "Broken" in over["error"]["message"]
    assert "exit code 3" in over["error"]["message"]
    assert (await service(ask, "hello"))["state"] == "ready"
    assert (await service(ask, "broken"))["state"] == "failed"


async def test_what_never_answers_is_given_up_in_the_end(opened: ServerApp, ask: Ask) -> None:
    over = await ended(ask, (await do(ask, "late", "start"))["id"])
    assert (over["state"], over["error"]["code"]) == ("failed", "start-timeout")
    down = await service(ask, "late")
    assert (down["state"], down["pid"]) == ("failed", None)


async def test_too_little_time_to_end_is_a_problem_told(opened: ServerApp, ask: Ask) -> None:
    await ended(ask, (await do(ask, "hello", "start"))["id"])
    extension = opened.extension_manager.extension_apps["ou_vce_ext"].copy().pop()
    extension.grace_period = 0.0
    response = await ask("/status", headers={"Accept": "application/json"})
    status = assert_matches(response, "/status")
    assert [(p["service"], p["code"]) for p in status["problems"]] == [("hello", "grace-too-short")]

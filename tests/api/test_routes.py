"""Each route, asked well and asked badly, over a house of our telling."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

import pytest
import yaml
from jupyter_server.serverapp import ServerApp

from ou_vce_ext.errors import (
    ConflictError,
    DataInUseError,
    DefiniteError,
    VceError,
)
from ou_vce_ext.models import OperationState
from ou_vce_ext.routes.errors import STATUS
from ou_vce_ext.states import ServiceState
from tests.api.conftest import Ask
from tests.api.described import assert_matches, description
from tests.api.house import House, a_service, an_error, an_operation

SERVICE = "/api/services/{name}"


async def test_services_are_listed_in_their_order(house: House, ask: Ask) -> None:
    body = assert_matches(await ask("/api/services"), "/api/services")
    assert [service["name"] for service in body["services"]] == ["openrefine", "postgres"]


async def test_a_service_tells_why_it_failed(house: House, ask: Ask) -> None:
    house.services = [
        a_service("mongo", state=ServiceState.FAILED, error=an_error("It died.", "Look."))
    ]
    body = assert_matches(await ask("/api/services/mongo"), SERVICE)
    assert body["error"]["message"] == "It died."


@pytest.mark.parametrize("kind", ["start", "stop", "restart"])
@pytest.mark.parametrize("sent", [None, "", "{}"])
async def test_work_is_accepted_as_an_operation(
    house: House, ask: Ask, kind: str, sent: str | None
) -> None:
    response = await ask(f"/api/services/postgres/{kind}", "POST", body=sent)
    body = assert_matches(response, f"{SERVICE}/{kind}", "POST")
    assert response.code == 202
    assert (body["kind"], body["service"]) == (kind, "postgres")
    assert [asked[:2] for asked in house.asked] == [(kind, "postgres")]


@pytest.mark.parametrize(
    ("kind", "sent", "told"),
    [
        ("stop", "{}", ("cancel=False", "force=False")),
        ("stop", '{"cancel": true}', ("cancel=True", "force=False")),
        ("stop", '{"force": true}', ("cancel=False", "force=True")),
        ("restart", "{}", ("force=False",)),
        ("restart", '{"force": true}', ("force=True",)),
    ],
)
async def test_how_to_stop_is_handed_on(
    house: House, ask: Ask, kind: str, sent: str, told: tuple[str, ...]
) -> None:
    response = await ask(f"/api/services/postgres/{kind}", "POST", body=sent)
    assert_matches(response, f"{SERVICE}/{kind}", "POST")
    assert house.asked == [(kind, "postgres", *told)]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ('{"at_once": true}', '"at_once" is not known here'),
        ('{"cancel": "yes"}', '"cancel" must be true or false'),
        ('{"cancel": 1}', '"cancel" must be true or false'),
        ('{"cancel": null}', '"cancel" must be true or false'),
        ("[]", "not a JSON object"),
        ("null", "not a JSON object"),
        ('{"cancel": true', "no JSON (line 1, column 16)"),
        ('{"cancel": NaN}', "no JSON"),
        (b'{"cancel": "\xff"}', "no JSON"),
        ("[" * 60_000, "no JSON"),
        ("1" * 60_000, "no JSON"),
    ],
)
async def test_a_bad_body_is_named_and_nothing_is_done(
    house: House, ask: Ask, sent: str | bytes, said: str
) -> None:
    response = await ask("/api/services/postgres/stop", "POST", body=sent)
    body = assert_matches(response, f"{SERVICE}/stop", "POST")
    assert (response.code, body["code"]) == (400, "bad-request")
    assert said in body["message"]
    assert house.asked == []


async def test_an_unknown_key_is_told_what_is_allowed(house: House, ask: Ask) -> None:
    response = await ask("/api/services/postgres/stop", "POST", body='{"at_once": true}')
    body = assert_matches(response, f"{SERVICE}/stop", "POST")
    assert body["hint"] == 'Allowed: "cancel": true or false, "force": true or false.'


async def test_logs_are_plain_text(house: House, ask: Ask) -> None:
    house.log = "first <script>\nlast \N{SNOWMAN} \ud800\n"
    response = await ask("/api/services/postgres/logs?lines=17")
    text = assert_matches(response, f"{SERVICE}/logs")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert text == "first <script>\nlast \N{SNOWMAN} ?\n"
    assert house.asked == [("logs", "postgres", "17")]


async def test_a_picture_is_shown_so_that_nothing_in_it_runs(house: House, ask: Ask) -> None:
    response = await ask("/api/services/postgres/icon")
    picture = assert_matches(response, f"{SERVICE}/icon")
    assert response.headers["Content-Type"] == "image/svg+xml"
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert "script-src" not in response.headers["Content-Security-Policy"]
    assert "<circle" in picture


@pytest.mark.parametrize("picture", [None, "/nonexistent/icon.svg", "/etc/passwd", "/dev/zero"])
async def test_only_a_picture_is_shown(house: House, ask: Ask, picture: str | None) -> None:
    house.picture = picture
    response = await ask("/api/services/postgres/icon")
    assert_matches(response, f"{SERVICE}/icon")
    assert response.code == 404


@pytest.mark.parametrize("lines", ["0", "-1", "10001", "99999999999", "ten", "1.5", "", "١"])
async def test_lines_out_of_bounds_are_refused(house: House, ask: Ask, lines: str) -> None:
    response = await ask(f"/api/services/postgres/logs?lines={quote(lines)}")
    body = assert_matches(response, f"{SERVICE}/logs")
    assert (response.code, body["code"]) == (400, "bad-request")
    assert "1 to 10000" in body["message"]
    assert house.asked == []


@pytest.mark.parametrize(
    ("query", "asked"), [("", "200"), ("?lines=1", "1"), ("?lines=10000", "10000")]
)
async def test_lines_within_bounds(house: House, ask: Ask, query: str, asked: str) -> None:
    response = await ask(f"/api/services/postgres/logs{query}")
    assert response.code == 200
    assert house.asked == [("logs", "postgres", asked)]


async def test_operations_can_be_sifted(house: House, ask: Ask) -> None:
    house.operations.known = [
        an_operation("a1"),
        an_operation("b2", state=OperationState.SUCCEEDED),
    ]
    for query, found in (("", ["a1", "b2"]), ("?state=running", ["a1"]), ("?state=failed", [])):
        body = assert_matches(await ask(f"/api/operations{query}"), "/api/operations")
        assert [one["id"] for one in body["operations"]] == found
    response = await ask("/api/operations?state=sleeping")
    body = assert_matches(response, "/api/operations")
    assert response.code == 400
    assert "running, succeeded, failed, cancelled" in body["hint"]


async def test_an_operation_can_be_seen_and_called_off(house: House, ask: Ask) -> None:
    one = "/api/operations/{id}"
    house.operations.known = [an_operation("a1"), an_operation("b2", state=OperationState.FAILED)]
    assert assert_matches(await ask("/api/operations/a1"), one)["state"] == "running"
    assert (await ask("/api/operations/a1", "DELETE")).code == 202
    refusals = (("b2", 409, "not-cancellable"), ("zz", 404, "unknown-operation"))
    for identifier, status, code in refusals:
        response = await ask(f"/api/operations/{identifier}", "DELETE")
        body = assert_matches(response, one, "DELETE")
        assert (response.code, body["code"]) == (status, code)


async def test_the_description_is_served_as_it_is(house: House, ask: Ask) -> None:
    text = assert_matches(await ask("/api/openapi.yaml"), "/api/openapi.yaml")
    assert yaml.safe_load(text) == description()


@pytest.mark.parametrize(
    "path", ["/status", "/api/services", "/api/services/postgres", "/api/openapi.yaml"]
)
async def test_head_is_get_without_its_body(house: House, ask: Ask, path: str) -> None:
    full, brief = await ask(path), await ask(path, "HEAD")
    assert (brief.code, brief.body) == (200, b"")
    assert brief.headers["Content-Type"] == full.headers["Content-Type"]


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        ("/api/services", "POST", "GET, HEAD"),
        ("/api/services/postgres", "DELETE", "GET, HEAD"),
        ("/api/services/postgres/start", "GET", "POST"),
        ("/api/services/postgres/start", "HEAD", "POST"),
        ("/api/operations/a1", "PATCH", "DELETE, GET, HEAD"),
        ("/status", "OPTIONS", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(
    house: House, ask: Ask, path: str, method: str, allowed: str
) -> None:
    response = await ask(path, method)
    assert (response.code, response.headers["Allow"]) == (405, allowed)
    if method != "HEAD":
        assert json.loads(response.body)["code"] == "method-not-allowed"
        assert allowed in json.loads(response.body)["hint"]


@pytest.mark.parametrize(
    "path", ["", "/", "/nothing", "/api", "/api/services/", "/app", "/app/", "/status/x", "/apps"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_what_is_not_there_says_so(house: House, ask: Ask, path: str, method: str) -> None:
    response = await ask(path, method)
    assert (response.code, json.loads(response.body)["code"]) == (404, "unknown-route")


async def test_planned_routes_are_not_there_yet(house: House, ask: Ask) -> None:
    for path, item in description()["paths"].items():
        for method, operation in item.items():
            if isinstance(operation, dict) and operation.get("x-vce-since") == "planned":
                response = await ask(path.format(name="postgres", id="a1"), method.upper())
                assert response.code in (404, 405), f"{method} {path}"


@pytest.mark.parametrize(
    "name",
    ["nobody", "..", "%2e%2e", "..%2Fx", "%00", "postgres%00", "a" * 4000, "Postgres", "-x", "1x",
     "p%D0%BEstgres", "postgres%0A", "%FF", "postgres%20", "<script>", "%3Cscript%3E", "post.gres"],
)  # fmt: skip
async def test_a_strangers_name_is_unknown(house: House, ask: Ask, name: str) -> None:
    for path, method, code in (
        (f"/api/services/{name}", "GET", "unknown-service"),
        (f"/api/services/{name}/start", "POST", "unknown-service"),
        (f"/api/services/{name}/logs", "GET", "unknown-service"),
        (f"/api/operations/{name}", "GET", "unknown-operation"),
    ):
        response = await ask(path, method)
        body: dict[str, Any] = json.loads(response.body)
        assert (response.code, body["code"]) == (404, code), path
        assert set(body) == {"code", "message", "hint"}
    assert house.asked == []


def test_every_described_code_has_its_status() -> None:
    codes = description()["components"]["schemas"]["ErrorCode"]
    assert set(STATUS) == set(codes["enum"])
    for line in codes["description"].splitlines():
        code, numbers = line.split("`")[1], re.findall(r"\((\d{3})\)", line)
        assert str(STATUS[code]) in numbers


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (ConflictError("A backup of PostgreSQL is under way."), 409, "conflict"),
        (ConflictError("It is not ours.", code="capability-missing"), 409, "capability-missing"),
        (DefiniteError("disk-full", "The disk is full."), 507, "disk-full"),
        (DataInUseError("Somebody has it.", "Ask them.", {}), 409, "conflict"),
        (VceError("not-in-the-book", "Odd."), 409, "conflict"),
    ],
)
async def test_what_the_domain_refuses_is_told_in_its_words(
    house: House, ask: Ask, failure: VceError, status: int, code: str
) -> None:
    house.failure = failure
    response = await ask("/api/services/postgres/start", "POST")
    assert response.code == status
    assert json.loads(response.body) == {
        "code": code,
        "message": failure.message,
        "hint": failure.hint,
    }


async def test_a_defect_tells_a_reference_and_no_more(
    house: House, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    house.failure = ZeroDivisionError("secret detail")
    response = await ask("/api/services")
    body = assert_matches(response, "/api/services")
    assert (response.code, body["code"]) == (500, "internal")
    assert b"secret" not in response.body
    assert b"Traceback" not in response.body
    records = [record for record in caplog.records if "Reference" in record.getMessage()]
    assert len(records) == 1
    reference = records[0].getMessage().split()[1].rstrip(":")
    assert reference in body["hint"]
    assert records[0].exc_info is not None
    assert records[0].exc_info[1] is house.failure


async def test_looking_is_no_activity_and_working_is(
    house: House, ask: Ask, jp_serverapp: ServerApp
) -> None:
    settings = jp_serverapp.web_app.settings
    for path in ("/status", "/api/services", "/api/services/postgres", "/api/operations"):
        assert (await ask(path)).code == 200
    assert "api_last_activity" not in settings
    await ask("/api/services/postgres/start", "POST")
    assert "api_last_activity" in settings


async def test_without_branding_it_is_plain(house: House, ask: Ask) -> None:
    french = {"Accept-Language": "fr"}
    look = assert_matches(await ask("/api/branding", headers=french), "/api/branding")
    assert look == dict.fromkeys(look) | {"title": "Virtual computing environment"}
    refused = await ask("/api/branding/logo")
    assert refused.code == 404
    assert_matches(refused, "/api/branding/logo")

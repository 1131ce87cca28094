"""Every address the extension has registered, found in the running server itself.

A new route cannot escape: one whose pattern is not in ``SAMPLES`` fails the first test here.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.auth import Authorizer
from jupyter_server.serverapp import ServerApp
from tornado.routing import PathMatches, Rule
from traitlets.config import Config

from tests.api.conftest import Ask
from tests.api.test_door import log_in

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SAFE = ("GET", "HEAD", "OPTIONS")
SAMPLES = {
    "vce/app/[^/]+": ("vce/app/web",),
    "vce/app/[^/]+/.*": ("vce/app/web/", "vce/app/web/x", "vce/app/nothing/x"),
    "vce/status/?": ("vce/status", "vce/status/"),
    "vce/api/services": ("vce/api/services",),
    "vce/api/services/([^/]+)": ("vce/api/services/web",),
    "vce/api/services/([^/]+)/start": ("vce/api/services/web/start",),
    "vce/api/services/([^/]+)/stop": ("vce/api/services/web/stop",),
    "vce/api/services/([^/]+)/restart": ("vce/api/services/web/restart",),
    "vce/api/services/([^/]+)/logs": ("vce/api/services/web/logs",),
    "vce/api/services/([^/]+)/icon": ("vce/api/services/web/icon",),
    "vce/api/services/([^/]+)/backups": ("vce/api/services/web/backups",),
    "vce/api/services/([^/]+)/reset": ("vce/api/services/web/reset",),
    "vce/api/backups": ("vce/api/backups",),
    "vce/api/backups/all": ("vce/api/backups/all",),
    "vce/api/backups/(?!all$)([^/]+)": ("vce/api/backups/web.tar",),
    "vce/api/backups/(?!all$)([^/]+)/download": ("vce/api/backups/web.tar/download",),
    "vce/api/backups/(?!all$)([^/]+)/verify": ("vce/api/backups/web.tar/verify",),
    "vce/api/backups/(?!all$)([^/]+)/restore": ("vce/api/backups/web.tar/restore",),
    "vce/api/operations": ("vce/api/operations",),
    "vce/api/operations/([^/]+)": ("vce/api/operations/1",),
    "vce/api/report": ("vce/api/report",),
    "vce/api/report/bundle": ("vce/api/report/bundle",),
    "vce/api/branding": ("vce/api/branding",),
    "vce/api/branding/logo": ("vce/api/branding/logo",),
    r"vce/api/openapi\.yaml": ("vce/api/openapi.yaml",),
    "vce(?!/app/[^/])(?:/.*)?": ("vce", "vce/", "vce/nothing", "vce/app/", "vce/api"),
}
PLACES = sorted({place for places in SAMPLES.values() for place in places})
NAMES = (
    *("..", "%2e%2e", "..%2Fx", "%2Fetc%2Fpasswd", "web%00", "%00", "a" * 5000, "Web", "w\u0435b"),
    *("%D1%88eb", "<script>", "%3Cscript%3E", "web%0A", "%FF", "web;", "web%20", "-web"),
)


@pytest.fixture
def jp_server_config(tmp_path: Path) -> Config:
    """A server with the extension and one service of each kind of answer."""
    module = tmp_path / "module.toml"
    module.write_text(
        "services.openrefine.enabled = false\nservices.postgres.enabled = false\n"
        'services.mongo.enabled = false\n[services.web]\ncommand = ["sleep", "1"]\n'
    )
    return Config(
        {
            "ServerApp": {"jpserver_extensions": {"ou_vce_ext": True}},
            "VCE": {"config_file": str(module), "data_dir": str(tmp_path / "private")},
        }
    )


def rules(router: Any) -> Iterator[Rule]:
    """Every rule of a router and of those below it."""
    for rule in router.rules:
        if hasattr(rule.target, "rules"):
            yield from rules(rule.target)
        else:
            yield rule


def ours(app: ServerApp) -> list[str]:
    """The pattern, below ``base_url``, of each rule that leads to a handler of ours."""
    found = []
    for rule in rules(app.web_app.default_router):
        if not str(getattr(rule.target, "__module__", "")).startswith("ou_vce_ext"):
            continue
        if isinstance(rule.matcher, PathMatches):
            pattern = rule.matcher.regex.pattern
            assert pattern.startswith(app.base_url), pattern
            found.append(pattern.removeprefix(app.base_url).removesuffix("$"))
        else:
            # The generic /proxy/PORT: tested beside the extension that brings it.
            assert rule.target.__name__ == "GenericHandler", rule
    return found


def test_every_address_is_looked_at_here(jp_serverapp: ServerApp) -> None:
    assert sorted(ours(jp_serverapp)) == sorted(SAMPLES)


def refusal(response: Any, method: str) -> str:
    """The code of a refusal, which a HEAD does not tell."""
    assert response.code == 403, (method, response.effective_url, response.code)
    if method == "HEAD":
        return ""
    told = json.loads(response.body)
    assert set(told) == {"code", "message", "hint"}
    return str(told["code"])


@pytest.mark.parametrize("place", PLACES)
async def test_strangers_hear_nothing(jp_serverapp: ServerApp, ask: Ask, place: str) -> None:
    for method in METHODS:
        for headers in ({}, {"Authorization": "token wrong"}, {"Cookie": "username-x=1"}):
            response = await ask(place, method, headers=headers, anonymous=True, below="")
            assert refusal(response, method) in ("not-authenticated", "")


@pytest.mark.parametrize("place", PLACES)
async def test_whom_the_authorizer_refuses_changes_nothing(
    jp_serverapp: ServerApp, ask: Ask, place: str
) -> None:
    asked: list[tuple[str, str]] = []

    class Denying(Authorizer):
        def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
            asked.append((action, resource))
            return False

    class Reading(Denying):
        def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
            return super().is_authorized(handler, user, action, resource) or action == "read"

    for authorizer in (Denying(), Reading()):
        jp_serverapp.web_app.settings["authorizer"] = authorizer
        for method in METHODS:
            response = await ask(place, method, below="")
            carries_data = "app/" in place or place.endswith("/download")
            if isinstance(authorizer, Reading) and method in SAFE and not carries_data:
                assert response.code in (200, 404, 405, 409), (method, response.code)
            else:
                assert response.code in (403, 404, 405), (method, response.code)
    assert {resource for _, resource in asked} <= {"vce"}
    assert {action for action, _ in asked} <= {"read", "write", "execute"}


@pytest.mark.parametrize("place", PLACES)
async def test_other_websites_are_kept_out(jp_serverapp: ServerApp, ask: Ask, place: str) -> None:
    cookie, token = await log_in(ask)
    foreign = (
        {"Origin": "http://evil.example", "X-XSRFToken": token},
        {"Origin": "null", "X-XSRFToken": token},
    )
    for method in METHODS:
        without = () if method in SAFE else ({}, {"X-XSRFToken": "wrong"})
        for headers in (*foreign, *without):
            response = await ask(
                place, method, headers={"Cookie": cookie, **headers}, anonymous=True, below=""
            )
            if method == "OPTIONS" and response.code in (404, 405, 503):
                continue  # a browser may ask whether it may, and hears that there is nothing
            assert refusal(response, method) in ("xsrf", "")


@pytest.mark.parametrize("place", PLACES)
async def test_no_websocket_opens_to_whom_it_should_not(
    jp_serverapp: ServerApp, ask: Ask, place: str
) -> None:
    cookie, _ = await log_in(ask)
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    for headers in ({}, {"Cookie": cookie, "Origin": "http://evil.example"}):
        response = await ask(place, headers={**upgrade, **headers}, anonymous=True, below="")
        assert response.code == 403, headers


@pytest.mark.parametrize("place", PLACES)
async def test_nobody_waits_for_a_gigabyte(
    jp_serverapp: ServerApp, http_server: Any, jp_http_port: int, ask: Ask, place: str
) -> None:
    """Announced to an address that takes none of it: answered at once, and never with 500."""
    authorization = f"token {jp_serverapp.identity_provider.token}"
    stopped = place.startswith("vce/app/web/")  # waits a little, so that its answer is not lost
    for method in ("POST",) if stopped else ("POST", "PUT", "PATCH", "DELETE", "GET"):
        reader, writer = await asyncio.open_connection("127.0.0.1", jp_http_port)
        lines = [
            f"{method} {jp_serverapp.base_url}{place} HTTP/1.1",
            "Host: localhost",
            f"Authorization: {authorization}",
            f"Content-Length: {1 << 30}",
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        if stopped:
            writer.write(bytes(100_000))  # what an app takes is its own business
        answer = await asyncio.wait_for(reader.read(15), 120)
        if answer:
            assert answer.split()[1] in (b"302", b"400", b"403", b"404", b"405", b"413", b"503")
        writer.transport.abort()


@pytest.mark.parametrize("name", NAMES)
async def test_a_name_that_is_none_is_nobodys(
    jp_serverapp: ServerApp, http_server: Any, jp_http_port: int, name: str
) -> None:
    """As the client wrote it, in every address that has a name in it."""
    for place in PLACES:
        if "web" not in place:
            continue
        for method in ("GET", "POST"):
            reader, writer = await asyncio.open_connection("127.0.0.1", jp_http_port)
            target = f"{jp_serverapp.base_url}{place.replace('web', name, 1)}"
            lines = [
                f"{method} {target} HTTP/1.1",
                "Host: localhost",
                f"Authorization: token {jp_serverapp.identity_provider.token}",
                "Connection: close",
            ]
            writer.write("\r\n".join([*lines, "", ""]).encode())
            answer = await asyncio.wait_for(reader.read(), 120)
            assert answer.split()[1] in (b"400", b"404", b"405"), (method, target)
            assert b"<script" not in answer
            writer.close()

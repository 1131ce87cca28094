"""Who is kept out, of every route by every method, and what they are told."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest
from jupyter_server.auth import Authorizer
from jupyter_server.serverapp import ServerApp
from tornado.httputil import HTTPHeaders
from traitlets.config import Config

from ou_vce_ext.routes import handlers
from tests.api.conftest import Ask
from tests.api.described import assert_matches, description, served
from tests.api.house import House, an_operation

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
ROUTES = sorted(route for route in served() if not route[1].startswith("/app/"))
PATHS = sorted({path for _, path in ROUTES} | {"/nothing", "/"})


def at(path: str) -> str:
    return path.format(name="postgres", id="a1")


class Refusing(Authorizer):
    """Allows what ``allowed`` names and keeps what it was asked."""

    def __init__(self, *allowed: str) -> None:
        super().__init__()
        self.allowed = allowed
        self.asked: list[tuple[str, str]] = []

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        self.asked.append((action, resource))
        return action in self.allowed


def refuse(app: ServerApp, *allowed: str) -> Refusing:
    app.web_app.settings["authorizer"] = refusing = Refusing(*allowed)
    return refusing


async def log_in(ask: Ask) -> tuple[str, str]:
    """A browser's cookies after login, as a Cookie header, and its XSRF token."""
    cookies = {}
    for response in (
        await ask("login", anonymous=True, below=""),
        await ask("/api/services"),
    ):
        for header in response.headers.get_list("Set-Cookie"):
            name, _, value = header.partition(";")[0].partition("=")
            cookies[name] = value
    return "; ".join(f"{name}={value}" for name, value in cookies.items()), cookies["_xsrf"]


def test_the_file_and_the_routes_are_of_one_mind() -> None:
    """Each served operation has its handler, and no handler serves another."""
    registered = set()
    paths = {path for _, path in ROUTES}
    for pattern, handler in handlers()[:-1]:
        found = [path for path in paths if re.fullmatch(pattern, "/vce" + at(path))]
        assert len(found) == 1, f"{pattern} is for {found}"
        registered |= {(method, found[0]) for method in handler.actions}
    assert registered == set(ROUTES)


@pytest.mark.parametrize("path", PATHS)
async def test_strangers_are_kept_out(house: House, ask: Ask, path: str) -> None:
    for method in METHODS:
        for token in (None, "token wrong", "Bearer wrong", "Basic d3Jvbmc="):
            headers = {"Authorization": token} if token else {}
            response = await ask(at(path), method, headers=headers, anonymous=True)
            assert response.code == 403, f"{method} with {token}"
            assert "Set-Cookie" not in response.headers
            if method != "HEAD":
                assert json.loads(response.body)["code"] == "not-authenticated"
    assert house.asked == []


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_the_authorizer_is_asked_and_obeyed(
    house: House, ask: Ask, jp_serverapp: ServerApp, method: str, path: str
) -> None:
    refusing = refuse(jp_serverapp)
    response = await ask(at(path), method)
    body = assert_matches(response, path, method)
    assert (response.code, body["code"]) == (403, "forbidden")
    action = description()["paths"][path][method.lower()]["x-vce-action"]
    assert refusing.asked == [(action, "vce")]
    assert house.asked == []


async def test_a_reader_sees_everything_and_changes_nothing(
    house: House, ask: Ask, jp_serverapp: ServerApp
) -> None:
    refuse(jp_serverapp, "read")
    house.operations.known = [an_operation("a1")]
    for method, path in ROUTES:
        action = description()["paths"][path][method.lower()]["x-vce-action"]
        expected = (200, 404) if action == "read" else (403,)
        assert (await ask(at(path), method)).code in expected, f"{method} {path}"


@pytest.mark.parametrize(
    ("kind", "action"), [("start", "execute"), ("backup", "write"), ("restore", "write")]
)
async def test_calling_off_takes_what_asking_takes(
    house: House, ask: Ask, jp_serverapp: ServerApp, kind: str, action: str
) -> None:
    house.operations.known = [an_operation("a1", kind)]
    other = {"execute": "write", "write": "execute"}[action]
    refuse(jp_serverapp, other)
    assert (await ask("/api/operations/a1", "DELETE")).code == 403
    refuse(jp_serverapp, action)
    assert (await ask("/api/operations/a1", "DELETE")).code == 202


async def test_an_authorizer_may_take_its_time(
    house: House, ask: Ask, jp_serverapp: ServerApp
) -> None:
    class Slow(Authorizer):
        async def is_authorized(self, *args: Any) -> bool:
            return False

    jp_serverapp.web_app.settings["authorizer"] = Slow()
    assert (await ask("/api/services")).code == 403


@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if route[0] != "GET"])
async def test_a_cookie_needs_the_xsrf_token(
    house: House, ask: Ask, method: str, path: str
) -> None:
    house.operations.known = [an_operation("a1")]
    cookie, token = await log_in(ask)
    version, mask, masked, when = token.split("|")
    other = "|".join((version, mask, masked[::-1], when))
    for wrong in ({}, {"X-XSRFToken": "wrong"}, {"X-XSRFToken": other}):
        headers = {"Cookie": cookie, **wrong}
        response = await ask(at(path), method, headers=headers, anonymous=True)
        body = assert_matches(response, path, method)
        assert (response.code, body["code"]) == (403, "xsrf")
    assert house.asked == []
    headers = {"Cookie": cookie, "X-XSRFToken": token}
    response = await ask(at(path), method, headers=headers, anonymous=True)
    assert response.code in (202, 400, 404)


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_other_sites_are_kept_out(house: House, ask: Ask, method: str, path: str) -> None:
    cookie, token = await log_in(ask)
    for origin in ("http://evil.example", "null", "http://127.0.0.1:1"):
        headers = {"Cookie": cookie, "X-XSRFToken": token, "Origin": origin}
        response = await ask(at(path), method, headers=headers, anonymous=True)
        body = assert_matches(response, path, method)
        assert (response.code, body["code"]) == (403, "xsrf")
    assert house.asked == []


async def test_a_cookie_alone_may_look(house: House, ask: Ask) -> None:
    cookie, _ = await log_in(ask)
    response = await ask("/api/services", headers={"Cookie": cookie}, anonymous=True)
    assert response.code == 200


async def test_a_strange_host_is_refused(house: House, ask: Ask) -> None:
    response = await ask("/api/services", headers={"Host": "rebound.example"})
    body = assert_matches(response, "/api/services")
    assert (response.code, body["code"]) == (403, "forbidden")
    assert "address" in body["message"]


class TestWhereEveryHandlerMustBeGuarded:
    """Jupyter's own check that no handler forgets to authenticate."""

    @pytest.fixture
    def jp_server_config(self) -> Config:
        return Config({"ServerApp": {"allow_unauthenticated_access": False}})

    async def test_ours_are(self, house: House, ask: Ask) -> None:
        """Adding the handlers gives no warning, which would be an error in these tests."""
        assert (await ask("/api/services")).code == 200
        for path in ("/api/services", "/nothing", "/status"):
            response = await ask(path, anonymous=True)
            assert (response.code, json.loads(response.body)["code"]) == (403, "not-authenticated")
        page = await ask("/status", headers={"Accept": BROWSER}, anonymous=True)
        assert page.code == 302


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


async def test_only_a_browser_on_a_page_is_sent_to_log_in(house: House, ask: Ask) -> None:
    response = await ask("/status?x=1", headers={"Accept": BROWSER}, anonymous=True)
    assert_matches(response, "/status")
    assert response.code == 302
    place = response.headers["Location"]
    assert place.startswith("/a%40b/login?next=")
    assert "vce%2Fstatus%3Fx%3D1" in place
    for path, method, accept in (
        ("/status", "GET", "*/*"),
        ("/status", "GET", "application/json"),
        ("/status", "POST", BROWSER),
        ("/api/services", "GET", BROWSER),
        ("/nothing", "GET", BROWSER),
    ):
        response = await ask(path, method, headers={"Accept": accept}, anonymous=True)
        assert response.code == 403, f"{method} {path} {accept}"


@pytest.mark.parametrize("path", ["/status", "/api/services", "/nothing"])
async def test_every_answer_is_kept_by_nobody(house: House, ask: Ask, path: str) -> None:
    for anonymous in (False, True):
        headers: HTTPHeaders = (await ask(path, anonymous=anonymous)).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "Etag" not in headers


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("known", [False, True])
async def test_a_connection_that_ends_with_an_answer_says_so(
    house: House, http_server: Any, jp_http_port: int, jp_auth_header: Any, path: str, known: bool
) -> None:
    """A client must know, or its next request is lost with the connection."""
    told = jp_auth_header if known else {}
    head = [f"{name}: {value}" for name, value in told.items()]
    for method in METHODS:
        lines = [f"{method} /a%40b/vce{at(path)} HTTP/1.1", "Host: localhost", *head]
        reader, writer = await asyncio.open_connection("127.0.0.1", jp_http_port)
        writer.write("\r\n".join([*lines, "", ""]).encode())
        answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        if "\r\ntransfer-encoding: chunked\r\n" in answer:
            await reader.readuntil(b"\r\n0\r\n\r\n")
        else:
            length = int(answer.partition("content-length:")[2].split("\r\n")[0])
            await reader.readexactly(0 if method == "HEAD" else length)
        if "\r\nconnection: close\r\n" in answer:
            assert await reader.read() == b""
        else:
            writer.write("\r\n".join([*lines, "", ""]).encode())
            assert (await reader.readline()).startswith(b"HTTP/1.1 "), f"{method} {path}"
        writer.close()

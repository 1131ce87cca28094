"""Who is let in, who is kept out, and that nothing of a body is read before that is decided."""

from __future__ import annotations

from typing import Any

import pytest
from jupyter_server.auth.authorizer import Authorizer
from jupyter_server.serverapp import ServerApp

from ou_vce_ext.models import Capability
from ou_vce_ext.models_upstream import Upstream
from ou_vce_ext.proxy import handlers
from tests.api.proxy.apps import echo_app, serving
from tests.api.proxy.conftest import Apps, Browser

PAGE = {"Accept": "text/html,application/xhtml+xml"}
NAVIGATION = {**PAGE, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND")
CHANGING = ("POST", "PUT", "PATCH", "DELETE", "PROPFIND")


class Remembering(Authorizer):
    """Allows only ``allowed`` actions, and remembers what it was asked."""

    allowed: frozenset[str] = frozenset()
    asked: list[tuple[str, str]] = []  # noqa: RUF012 (traitlets wants a plain class)

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        self.asked.append((action, resource))
        return action in self.allowed


def _authorizer(app: ServerApp, *allowed: str) -> Remembering:
    found = Remembering(identity_provider=app.identity_provider)
    found.allowed = frozenset(allowed)
    found.asked = []
    app.web_app.settings["authorizer"] = found
    return found


async def _refused(asking: Any, method: str, code: str) -> None:
    async with asking as answer:
        assert answer.status == 403, method
        if method != "HEAD":
            told = await answer.json()
            assert set(told) == {"code", "message", "hint"}
            assert told["code"] == code
        assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("path", ["/", "/x", ""])
async def test_strangers_are_kept_out(
    apps: Apps, browser: Browser, jp_serverapp: ServerApp, path: str, strict: bool
) -> None:
    jp_serverapp.web_app.settings["allow_unauthenticated_access"] = not strict
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        for method in METHODS if path else METHODS[:-1]:
            for headers in ({}, {"Authorization": "token wrong"}, {"Cookie": "username-x=1"}):
                asking = browser.ask(path, method, anonymous=True, headers=headers)
                await _refused(asking, method, "not-authenticated")


def test_jupyter_itself_finds_no_door_open(apps: Apps, jp_serverapp: ServerApp) -> None:
    """As it looks at every handler where ``allow_unauthenticated_access`` is off."""
    for path, handler in handlers():
        assert jp_serverapp.web_app._check_handler_auth(path, handler) == []


async def test_a_strangers_browser_is_sent_to_log_in(apps: Apps, browser: Browser) -> None:
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        for headers in (PAGE, NAVIGATION):
            async with browser.ask("/x?y", anonymous=True, headers=headers) as answer:
                assert answer.status == 302
                assert answer.headers["Location"].startswith(f"{browser.base}login?next=")
        for headers in ({**PAGE, "Sec-Fetch-Mode": "cors"}, {**PAGE, "Sec-Fetch-Mode": "no-cors"}):
            asking = browser.ask("/x?y", anonymous=True, headers=headers)
            await _refused(asking, "GET", "not-authenticated")
        await _refused(
            browser.ask("/x", "POST", anonymous=True, headers=PAGE), "POST", "not-authenticated"
        )


async def test_a_strangers_body_is_not_read(apps: Apps, browser: Browser) -> None:
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        reader, writer = await browser.connect()
        head = browser.head("/x", "POST", "Content-Length: 1000000000", "Expect: 100-continue")
        writer.write(head.replace(browser.token.encode(), b"wrong"))
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 403 ")
        assert b"100 (Continue)" not in answer
        assert b"\r\nConnection: close\r\n" in answer
        writer.close()


async def test_a_refusal_does_not_cost_the_next_request(apps: Apps, browser: Browser) -> None:
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        for _ in range(3):
            await _refused(browser.ask("/x", anonymous=True), "GET", "not-authenticated")
            async with browser.ask("/x") as answer:
                assert answer.status == 200


async def test_the_authorizer_is_asked_to_execute(
    apps: Apps, browser: Browser, jp_serverapp: ServerApp
) -> None:
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        asked = _authorizer(jp_serverapp, "read", "write").asked
        for method in METHODS:
            await _refused(browser.ask("/x", method), method, "forbidden")
        await _refused(browser.ask(""), "GET", "forbidden")
        await _refused(browser.ask("/x", headers=NAVIGATION), "GET", "forbidden")
        assert set(asked) == {("execute", "vce")}
        assert len(asked) == len(METHODS) + 2
        _authorizer(jp_serverapp, "execute")
        async with browser.ask("/x") as answer:
            assert answer.status == 200


async def test_what_changes_something_must_come_from_here(apps: Apps, browser: Browser) -> None:
    cookie = {"Cookie": await browser.cookie()}
    ours = browser.origin
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        for method in CHANGING:
            for headers in (
                {},
                {"Origin": "https://example.org"},
                {"Origin": "null"},
                {"Origin": f"http://127.0.0.1:{port}"},
                {"Origin": ours + ".example.org"},
                {"Referer": f"{ours}/x"},
                {"Sec-Fetch-Site": "cross-site"},
                {"Sec-Fetch-Site": "same-site"},
                {"Sec-Fetch-Site": "none"},
                {"Sec-Fetch-Site": "cross-site", "Origin": ours},
                {"X-Requested-With": "XMLHttpRequest"},
            ):
                asking = browser.ask(
                    "/x", method, anonymous=True, headers={**cookie, **headers}, data=b"x"
                )
                await _refused(asking, method, "xsrf")
            for headers in (
                {"Sec-Fetch-Site": "same-origin"},
                {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
                {"Origin": ours},
                {"Origin": ours, "Sec-Fetch-Site": "none"},
            ):
                async with browser.ask(
                    "/x", method, anonymous=True, headers={**cookie, **headers}, data=b"x"
                ) as answer:
                    assert answer.status == 200, (method, headers)


async def test_a_token_is_never_sent_by_itself_so_it_may(apps: Apps, browser: Browser) -> None:
    foreign = {"Origin": "https://example.org", "Sec-Fetch-Site": "cross-site"}
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        for method in METHODS:
            async with browser.ask("/x", method, headers=foreign) as answer:
                assert answer.status == 200
            async with browser.ask(
                f"/x?token={browser.token}", method, anonymous=True, headers=foreign
            ) as answer:
                assert answer.status == 200


async def test_what_only_reads_must_not_come_from_elsewhere(apps: Apps, browser: Browser) -> None:
    cookie = {"Cookie": await browser.cookie()}
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        for headers in (
            {"Origin": "https://example.org"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
            {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors", "Origin": "http://a.b"},
        ):
            asking = browser.ask("/x", anonymous=True, headers={**cookie, **headers})
            await _refused(asking, "GET", "xsrf")
        for headers in (
            {},
            {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"},
            {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"},
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
            {"Origin": browser.origin},
        ):
            async with browser.ask("/x", anonymous=True, headers={**cookie, **headers}) as answer:
                assert answer.status == 200, headers


async def test_an_origin_that_jupyter_trusts_may_read(
    apps: Apps, browser: Browser, jp_serverapp: ServerApp
) -> None:
    headers = {
        "Cookie": await browser.cookie(),
        "Origin": "https://example.org",
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": "cors",
    }
    jp_serverapp.web_app.settings["allow_origin"] = "https://example.org"
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        async with browser.ask("/x", anonymous=True, headers=headers) as answer:
            assert answer.status == 200
            assert "Access-Control-Allow-Origin" not in answer.headers  # the app's to say
        await _refused(browser.ask("/x", "POST", anonymous=True, headers=headers), "POST", "xsrf")


async def test_a_foreign_host_is_refused_and_never_sent_to_log_in(
    apps: Apps, browser: Browser
) -> None:
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        for more in ({}, {"Authorization": ""}):
            headers = {"Host": "rebound.example:8888", **PAGE, **more}
            await _refused(browser.ask("/x", headers=headers), "GET", "forbidden")


@pytest.mark.parametrize(
    "name",
    [
        "unknown",
        "App",
        "%61pp",
        "app%00",
        "app%2F..",
        "..",
        "%2e%2e",
        "a" * 5000,
        "\N{CYRILLIC SMALL LETTER A}pp".encode().decode("latin-1"),
    ],
)
async def test_names_that_are_no_services(apps: Apps, browser: Browser, name: str) -> None:
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        for path in ("", "/x"):
            reader, writer = await browser.connect()
            head = browser.head(path, "GET", "Connection: close")
            writer.write(head.replace(b"/vce/app/app", f"/vce/app/{name}".encode("latin-1")))
            answer = await reader.read()
            writer.close()
            assert answer.startswith(b"HTTP/1.1 404 ")
            assert b'"code":"unknown-service"' in answer


async def test_a_service_without_a_page(apps: Apps, browser: Browser) -> None:
    apps.add(None, capabilities=frozenset({Capability.START}), title="PostgreSQL")
    async with browser.ask("/x", headers=PAGE) as answer:
        assert answer.status == 404
        told = await answer.json()
        assert told["code"] == "unknown-service"
        assert "PostgreSQL" in told["message"]


async def test_the_address_without_a_slash(apps: Apps, browser: Browser) -> None:
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        for query in ("", "?", "?a=1&b=%2F"):
            async with browser.ask(query) as answer:
                assert answer.status == 302
                assert answer.headers["Location"] == f"{browser.prefix}/{query}"
        async with browser.ask("", "POST") as answer:
            assert answer.status == 405


async def test_asking_an_app_for_something_is_activity(
    apps: Apps, browser: Browser, jp_serverapp: ServerApp
) -> None:
    times = jp_serverapp.web_app.settings["last_activity_times"]
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        async with browser.ask("/x", anonymous=True):
            assert "ou_vce_ext" not in times
        async with browser.ask("/x"):
            first = times["ou_vce_ext"]
        async with browser.ask("/x"):
            assert times["ou_vce_ext"] > first
    assert times["ou_vce_ext"].tzinfo is not None  # as Jupyter compares it with others

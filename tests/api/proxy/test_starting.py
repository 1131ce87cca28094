"""What is said while an app cannot answer."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from ou_vce_ext.models import ServiceError
from ou_vce_ext.models_upstream import Upstream
from ou_vce_ext.states import ServiceState
from tests.api.proxy.conftest import Apps, Browser

PAGE = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin"}
NAVIGATE = {"Sec-Fetch-Mode": "navigate"}
EVIL = "</title></script><script>alert(1)</script>&amp;'\""
TROUBLE = ServiceError(
    "died",
    f"It ended at once {EVIL}.",
    f"Look at its log {EVIL}.",
    exit_code=1,
    log_tail=("first line", f"last line {EVIL}"),
)
AT_REST = [each for each in ServiceState if each is not ServiceState.READY]


class Reader(HTMLParser):
    """What a browser would make of a page: its elements, and the text in each that has an id."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, str] = {}
        self._open: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.elements.append((tag, told))
        if tag not in ("meta", "link"):
            self._open.append((tag, told.get("id") or ""))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        for _, name in self._open:
            if name:
                self.text[name] = self.text.get(name, "") + data

    @property
    def facts(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.text["facts"])
        return found


async def page_of(asking: Any) -> tuple[Reader, str]:
    """The page that came, and its Content-Security-Policy."""
    async with asking as answer:
        assert answer.status == 503
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Retry-After"]
        return Reader(await answer.text()), answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "state", [each for each in AT_REST if each is not ServiceState.UNRESPONSIVE]
)
async def test_programs_are_told_in_json(apps: Apps, browser: Browser, state: ServiceState) -> None:
    error = TROUBLE if state in (ServiceState.FAILED, ServiceState.UNAVAILABLE) else None
    apps.add(Upstream(port=1), state=state, error=error, title="OpenRefine")
    cookie = {"Cookie": await browser.cookie(), "Origin": browser.origin}
    for method, headers in (
        ("GET", {}),
        ("GET", {"Accept": "text/html", "Sec-Fetch-Mode": "cors"}),
        ("GET", {"Accept": "text/html", "Sec-Fetch-Mode": "no-cors"}),
        ("GET", {"Accept": "image/*"}),
        ("POST", {"Accept": "text/html"}),
    ):
        body = b"x" if method == "POST" else None
        asking = browser.ask("/x", method, anonymous=True, headers={**cookie, **headers}, data=body)
        async with asking as answer:
            assert answer.status == 503
            assert int(answer.headers["Retry-After"]) > 0
            assert answer.headers["Content-Type"] == "application/json"
            told = await answer.json()
            assert set(told) == {"code", "message", "hint"}
            assert told["code"] == "not-ready"
            assert "not passed on" in told["message"]
            assert told["hint"]
            if error:
                assert error.message.removesuffix(".") in told["message"]


@pytest.mark.parametrize(
    "state", [each for each in AT_REST if each is not ServiceState.UNRESPONSIVE]
)
async def test_people_get_a_page_in_every_state(
    apps: Apps, browser: Browser, state: ServiceState
) -> None:
    error = TROUBLE if state in (ServiceState.FAILED, ServiceState.UNAVAILABLE) else None
    apps.add(Upstream(port=1), state=state, error=error, title="OpenRefine")
    for headers in (PAGE, {"Accept": "text/html"}):
        page, policy = await page_of(browser.ask("/x", headers=headers))
        assert "OpenRefine" in page.text["heading"]
        assert page.facts["state"] == state
        tags = [tag for tag, _ in page.elements]
        assert tags.count("script") == 2
        assert tags.count("h1") == 1
        assert "noscript" in tags
        nonce = re.findall(r"'nonce-([^']+)'", policy)
        assert len(set(nonce)) == 1
        assert len(nonce[0]) >= 16
        for tag, attributes in page.elements:
            if tag in ("script", "style"):
                assert attributes["nonce"] == nonce[0]
            assert not [name for name in attributes if name.startswith("on") or name == "style"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'self'" in policy
        assert "unsafe" not in policy


async def test_a_nonce_is_used_once(apps: Apps, browser: Browser) -> None:
    apps.add(Upstream(port=1), state=ServiceState.STOPPED)
    policies = {(await page_of(browser.ask("/", headers=PAGE)))[1] for _ in range(3)}
    assert len(policies) == 3


async def test_nothing_an_app_or_a_declaration_says_is_more_than_text(
    apps: Apps, browser: Browser
) -> None:
    apps.add(Upstream(port=1), state=ServiceState.FAILED, error=TROUBLE, title=EVIL)
    page, _ = await page_of(browser.ask("/", headers=PAGE))
    assert [tag for tag, _ in page.elements].count("script") == 2
    assert page.text["reason"] == TROUBLE.message
    assert page.text["hint"] == TROUBLE.hint
    assert page.text["lines"] == "\n".join(TROUBLE.log_tail)
    assert page.text["heading"] == f"{EVIL} could not start"
    assert page.facts["title"] == EVIL


@pytest.mark.parametrize(
    ("headers", "may_start"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "same-site", **NAVIGATE}, False),
        ({"Sec-Fetch-Site": "cross-site", **NAVIGATE}, False),
        ({}, False),
        ({"Referer": "http://{host}/lab"}, True),
        ({"Referer": "https://example.org/{host}"}, False),
        ({"Referer": "http://{host}/lab", "Sec-Fetch-Site": "cross-site", **NAVIGATE}, False),
    ],
)
async def test_no_link_from_elsewhere_starts_anything(
    apps: Apps, browser: Browser, headers: dict[str, str], may_start: bool
) -> None:
    apps.add(Upstream(port=1), state=ServiceState.STOPPED)
    told = {name: value.format(host=f"127.0.0.1:{browser.port}") for name, value in headers.items()}
    sent = {"Accept": "text/html", "Cookie": await browser.cookie(), **told}
    page, _ = await page_of(browser.ask("/", anonymous=True, headers=sent))
    assert page.facts["mayStart"] is may_start


async def test_the_page_can_start_the_service(apps: Apps, browser: Browser) -> None:
    """It knows the address, and brings a token that matches the cookie it comes with."""
    apps.add(Upstream(port=1), state=ServiceState.STOPPED)
    asking = browser.ask("/", headers=PAGE)
    async with asking as answer:
        facts = Reader(await answer.text()).facts
        cookies = "; ".join(each.split(";")[0] for each in answer.headers.getall("Set-Cookie"))
    assert facts["api"] == f"{browser.base}vce/api/"
    assert facts["service"] == "app"
    assert f"_xsrf={facts['xsrf']}" in cookies


async def test_an_app_that_should_answer_and_does_not(
    apps: Apps, browser: Browser, unused_tcp_port: int
) -> None:
    for state in (ServiceState.READY, ServiceState.UNRESPONSIVE):
        apps.add(Upstream(port=unused_tcp_port), state=state, title="OpenRefine")
        page, _ = await page_of(browser.ask("/x", headers=PAGE))
        assert page.facts["refused"] is True
        assert page.text["heading"] == "OpenRefine does not answer just now"


async def test_who_may_frame_jupyter_may_frame_the_page(
    apps: Apps, browser: Browser, jp_serverapp: Any
) -> None:
    policy = "frame-ancestors 'self' https://lms.example; script-src 'none'"
    jp_serverapp.web_app.settings["headers"] = {"Content-Security-Policy": policy}
    apps.add(Upstream(port=1), state=ServiceState.STOPPED)
    _, told = await page_of(browser.ask("/", headers=PAGE))
    assert told.endswith("; frame-ancestors 'self' https://lms.example")
    assert "script-src 'none'" not in told


async def test_the_words_are_ready_for_every_browser(apps: Apps, browser: Browser) -> None:
    apps.add(Upstream(port=1), state=ServiceState.STOPPED, title="Café \udcff")
    page, _ = await page_of(browser.ask("/", headers=PAGE))
    assert page.text["heading"].startswith("Café ")


@pytest.mark.parametrize("state", [ServiceState.STOPPED, ServiceState.FAILED])
async def test_without_a_script_the_page_says_what_to_do(
    apps: Apps, browser: Browser, state: ServiceState
) -> None:
    apps.add(Upstream(port=1), state=state, error=TROUBLE, title="OpenRefine")
    page, _ = await page_of(browser.ask("/", headers=PAGE))
    hidden = {told.get("id") for _, told in page.elements if "hidden" in told}
    assert "problem" not in hidden
    assert "log" not in hidden
    assert "start" in hidden  # it could do nothing


async def test_what_only_looks_like_an_address_is_none(apps: Apps, browser: Browser) -> None:
    apps.add(Upstream(port=1), state=ServiceState.STOPPED, title="OpenRefine")
    cookie = {"Cookie": await browser.cookie()}
    headers = {"Accept": "text/html", "Referer": "http://[::1"}
    page, _ = await page_of(browser.ask("/", headers=headers))
    assert page.facts["mayStart"] is False
    headers = {**cookie, "Origin": "http://["}
    async with browser.ask("/", "POST", anonymous=True, headers=headers) as answer:
        assert (answer.status, (await answer.json())["code"]) == (403, "xsrf")

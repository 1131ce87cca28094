"""What a declaration may ask of the proxy beyond passing on."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import pytest
from aiohttp import WSMsgType
from jupyter_server.serverapp import ServerApp

from ou_vce_ext.drivers.web.manners import manners_of
from ou_vce_ext.models_upstream import Upstream
from ou_vce_ext.proxy.rewriting import LARGEST_BYTES
from tests.api.proxy.apps import echo_app, scripted, serving
from tests.api.proxy.conftest import Apps, Browser, echoed
from tests.api.proxy.test_websocket import connecting, refusal

PAGE = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}


def with_manners(port: int, **options: Any) -> Upstream:
    """An app at ``port`` that was declared with ``options``."""
    manners = manners_of(options, "The app")
    return Upstream(port=port, absolute_url=options.get("absolute_url", False), manners=manners)


@pytest.mark.parametrize("absolute", [False, True])
async def test_other_paths_are_asked_for(apps: Apps, browser: Browser, absolute: bool) -> None:
    table = {"/": "/index.html", "/a b": "/c d/é"}
    prefix = browser.prefix if absolute else ""
    async with serving(echo_app()) as port:
        apps.add(with_manners(port, mappath=table, absolute_url=absolute))
        for asked, arrived in (
            ("/", "/index.html"),
            ("/?x=1", "/index.html?x=1"),
            ("/a%20b", "/c%20d/%C3%A9"),
            ("/other%2F", "/other%2F"),
            ("/%ff", "/%ff"),
        ):
            assert (await echoed(browser.ask(asked)))["target"] == prefix + arrived
        apps.add(with_manners(port, mappath=lambda path: path.upper()))
        assert (await echoed(browser.ask("/x%2fy?z")))["target"] == "/X/Y?z"


async def test_the_apps_address_leads_to_its_start_page(apps: Apps, browser: Browser) -> None:
    async with serving(echo_app()) as port:
        apps.add(with_manners(port, start_page="lab/index.html?x"))
        async with browser.ask("/", headers=PAGE) as answer:
            assert answer.status == 302
            assert answer.headers["Location"] == f"{browser.prefix}/lab/index.html?x"
        for path, headers in (("/x", PAGE), ("/?y", PAGE), ("/", {"Accept": "*/*"})):
            told = await echoed(browser.ask(path, headers=headers))
            assert told["target"] == path


def shout(response: Any) -> None:
    response.body = response.body.upper()
    response.headers["X-Shouted"] = "yes"


def forbid(response: Any, path: str, orig_response: Any, request: Any, port: int) -> None:
    assert request.method in ("GET", "HEAD", "POST")
    assert port > 0
    if path == "/secret place":
        response.code = 403
        response.body = b"not this: " + orig_response.body[:10].lower()


async def test_functions_change_an_answer_in_their_order(apps: Apps, browser: Browser) -> None:
    async with serving(echo_app()) as port:
        apps.add(with_manners(port, rewrite_response=[shout, forbid]))
        async with browser.ask("/x", headers={"Accept-Encoding": "gzip"}) as answer:
            text = await answer.text()
            assert '"METHOD": "GET"' in text
            assert '["ACCEPT-ENCODING", "IDENTITY"]' in text
            assert answer.headers["X-Shouted"] == "yes"
            assert answer.headers["Content-Length"] == str(len(text))
        async with browser.ask("/secret%20place", "POST", data=b"x" * 300_000) as answer:
            assert (answer.status, answer.reason) == (403, "Forbidden")
            assert await answer.read() == b'not this: {"method":'
        async with browser.ask("/x", "HEAD") as answer:
            assert (answer.status, await answer.read()) == (200, b"")


async def test_what_a_function_says_stays_within_the_app(apps: Apps, browser: Browser) -> None:
    def evil(response: Any) -> None:
        response.headers.add("Set-Cookie", "username-x=evil; Path=/")
        response.headers.add("Set-Cookie", "own=1; Path=/")
        response.headers["Location"] = "/there"
        response.code = 302

    async with serving(echo_app()) as port:
        apps.add(with_manners(port, rewrite_response=evil))
        async with browser.ask("/x", headers={"Cookie": await browser.cookie()}) as answer:
            assert (answer.status, answer.reason) == (302, "Found")
            assert answer.headers["Location"] == f"{browser.prefix}/there"
            assert answer.headers.getall("Set-Cookie") == [f"own=1; Path={browser.prefix}/"]


async def test_events_are_never_gathered(apps: Apps, browser: Browser) -> None:
    async with serving(echo_app()) as port:
        apps.add(with_manners(port, rewrite_response=shout))
        async with browser.ask("/events") as answer:
            assert await answer.content.readline() == b"data: first\n"


@pytest.mark.parametrize(
    "broken",
    [
        lambda response: 1 / 0,
        lambda response: setattr(response, "body", None),
        lambda response: setattr(response, "code", 100),
        lambda response: setattr(response, "headers", {"X": "\N{SNOWMAN}"}),
    ],
)
async def test_a_function_that_fails_is_told(apps: Apps, browser: Browser, broken: Any) -> None:
    async with serving(echo_app()) as port:
        apps.add(with_manners(port, rewrite_response=broken))
        for body in (None, b"x"):
            async with browser.ask("/x", "POST", data=body) as answer:
                assert answer.status == 502
                assert (await answer.json())["code"] == "app-not-answering"
        apps.add(with_manners(port, mappath=lambda path: path + 1))
        for body in (None, b"x"):
            async with browser.ask("/x", "POST", data=body) as answer:
                assert answer.status == 502
                assert "mappath" in (await answer.json())["message"]


async def test_an_answer_too_large_to_be_rewritten_is_told(apps: Apps, browser: Browser) -> None:
    async with serving(echo_app()) as port:
        apps.add(with_manners(port, rewrite_response=shout))
        async with browser.ask(f"/download?bytes={LARGEST_BYTES + 1}") as answer:
            assert answer.status == 502
            assert "16 MB" in (await answer.json())["message"]


class TestActivity:
    """Which requests tell of a person at work, so that the server is not culled."""

    @pytest.fixture
    def times(self, jp_serverapp: ServerApp) -> dict[str, datetime]:
        told: dict[str, datetime] = jp_serverapp.web_app.settings["last_activity_times"]
        return told

    async def counted(self, times: dict[str, datetime], asking: Any) -> bool:
        times.pop("ou_vce_ext", None)
        async with asking as answer:
            assert answer.status == 200
        return "ou_vce_ext" in times

    async def test_polling_can_be_left_out(
        self, apps: Apps, browser: Browser, times: dict[str, datetime]
    ) -> None:
        async with serving(echo_app()) as port:
            apps.add(with_manners(port, activity_ignores=["/poll", r"/api/events/\d+$"]))
            assert not await self.counted(times, browser.ask("/poll?x=1"))
            assert not await self.counted(times, browser.ask("/api/events/12"))
            assert await self.counted(times, browser.ask("/api/events/12/x"))
            assert await self.counted(times, browser.ask("/x/poll"))
            apps.add(with_manners(port, activity=False))
            assert not await self.counted(times, browser.ask("/x"))
            apps.add(with_manners(port, activity=lambda handler: "work" in handler.request.path))
            assert await self.counted(times, browser.ask("/work"))
            assert not await self.counted(times, browser.ask("/x"))
            apps.add(with_manners(port, activity=lambda handler: 1 / 0))
            assert await self.counted(times, browser.ask("/x"))

    async def test_what_a_person_says_on_a_websocket_counts(
        self, apps: Apps, browser: Browser, times: dict[str, datetime]
    ) -> None:
        async with serving(echo_app()) as port:
            apps.add(with_manners(port))
            async with connecting(browser) as socket:
                await socket.ping()
                times.clear()
                await socket.send_str("hello")
                await socket.receive_str()
                assert "ou_vce_ext" in times
            apps.add(with_manners(port, activity_ignores=["/socket"]))
            times.clear()
            async with connecting(browser) as socket:
                await socket.send_str("hello")
                await socket.receive_str()
            assert "ou_vce_ext" not in times


class TestRawSocket:
    """An app that speaks no HTTP: a WebSocket carries its bytes."""

    async def test_bytes_pass_both_ways_until_the_app_ends(
        self, apps: Apps, browser: Browser
    ) -> None:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"\x00welcome")
            while (line := await reader.readline()) != b"bye\n":
                writer.write(line.upper())
                await writer.drain()

        async with scripted(script) as port:
            apps.add(with_manners(port, raw_socket=True))
            async with connecting(browser, protocols=("binary",), autoclose=False) as socket:
                assert socket.protocol == "binary"
                assert await socket.receive_bytes() == b"\x00welcome"
                await socket.send_bytes(b"hel")
                await socket.send_str("lo\n")
                assert await socket.receive_bytes() == b"HELLO\n"
                await socket.send_bytes(b"bye\n")
                last = await socket.receive()
                assert (last.type, last.data) == (WSMsgType.CLOSE, 1000)

    async def test_all_that_was_sent_arrives_though_the_browser_has_gone(
        self, apps: Apps, browser: Browser
    ) -> None:
        got = asyncio.get_running_loop().create_future()

        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            got.set_result(await reader.read())

        async with scripted(script) as port:
            apps.add(with_manners(port, raw_socket=True))
            async with connecting(browser) as socket:
                assert socket.protocol is None
                for _ in range(20):
                    await socket.send_bytes(bytes(50_000))
            assert len(await asyncio.wait_for(got, 120)) == 1_000_000

    async def test_who_asks_for_a_page_is_told(
        self, apps: Apps, browser: Browser, unused_tcp_port: int
    ) -> None:
        apps.add(with_manners(unused_tcp_port, raw_socket=True))
        for method in ("GET", "POST"):
            async with browser.ask("/x", method, headers=PAGE) as answer:
                assert answer.status == 405
                assert "WebSocket" in (await answer.json())["message"]
        assert await refusal(connecting(browser)) == 503

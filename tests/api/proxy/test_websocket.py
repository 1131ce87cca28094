"""WebSockets through the proxy."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType

from ou_vce_ext.models_upstream import Upstream
from ou_vce_ext.proxy import websocket
from ou_vce_ext.proxy.websocket import MESSAGE_BYTES
from ou_vce_ext.states import ServiceState
from tests.api.proxy.apps import ARRIVED, a_body, echo_app, scripted, serving
from tests.api.proxy.conftest import Apps, Browser


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """No ping of ours finds out that somebody has gone: that is seen at once."""
    monkeypatch.setattr(websocket, "PING_SECONDS", 3600.0)


def connecting(browser: Browser, path: str = "/socket", **told: Any) -> Any:
    """A WebSocket of a page that Jupyter served, with the token in a header."""
    headers = {"Authorization": f"token {browser.token}", "Origin": browser.origin}
    headers.update(told.pop("headers", {}))
    told.setdefault("max_msg_size", 0)
    return browser.session.ws_connect(browser.address(path), headers=headers, **told)


async def refusal(connection: Any) -> int:
    """The status with which a WebSocket was refused."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await connection
    return refused.value.status


async def test_text_and_bytes_of_any_size_come_back(apps: Apps, browser: Browser) -> None:
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        async with connecting(browser) as socket:
            for text in ("", "é", "x" * 70_000):
                await socket.send_str(text)
                assert await socket.receive_str() == text
            for size in (0, 1, 125, 126, 65_535, 65_536, 5_000_000):
                await socket.send_bytes(a_body(size))
                assert await socket.receive_bytes() == a_body(size)


async def test_an_app_behind_a_unix_socket(apps: Apps, browser: Browser, tmp_path: Path) -> None:
    place = str(tmp_path / "app.sock")
    async with serving(echo_app(), path=place):
        apps.add(Upstream(socket=place))
        async with connecting(browser) as socket:
            await socket.send_str("hello")
            assert await socket.receive_str() == "hello"


async def test_the_app_agrees_to_the_subprotocol(apps: Apps, browser: Browser) -> None:
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        for offered, agreed in (
            (("chat.v1", "chat.v2"), "chat.v1"),
            (("unknown", "chat.v2"), "chat.v2"),
            (("unknown",), None),
            ((), None),
        ):
            async with connecting(browser, protocols=offered) as socket:
                assert socket.protocol == agreed


@pytest.mark.parametrize("code", [1000, 1001, 1011, 3000, 4999])
async def test_how_the_app_ends_it_is_how_the_browser_sees_it_end(
    apps: Apps, browser: Browser, code: int
) -> None:
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        async with connecting(browser, autoclose=False) as socket:
            await socket.send_str(f"close {code} enough said")
            last = await socket.receive()
            assert (last.type, last.data, last.extra) == (WSMsgType.CLOSE, code, "enough said")


@pytest.mark.parametrize("code", [1000, 1001, 3000, 4999])
async def test_how_the_browser_ends_it_is_how_the_app_sees_it_end(
    apps: Apps, browser: Browser, code: int
) -> None:
    app = echo_app()
    async with serving(app) as port:
        apps.add(Upstream(port=port))
        async with connecting(browser) as socket:
            await socket.close(code=code)
        assert await _ending(app) == f"closed {code}"


async def test_a_browser_that_vanishes_is_not_done_but_gone(apps: Apps, browser: Browser) -> None:
    app = echo_app()
    async with serving(app) as port:
        apps.add(Upstream(port=port))
        async with connecting(browser) as socket:
            await socket.send_str("hello")
            await socket.receive_str()
            socket.get_extra_info("socket")
            socket._response.connection.transport.abort()
            assert await _ending(app) == "closed 1001"


async def _ending(app: aiohttp.web.Application) -> str:
    async with asyncio.timeout(120):
        while not (told := await app[ARRIVED].get()).startswith("closed"):
            pass
    return told


async def test_an_app_that_vanishes_is_not_done_but_gone(apps: Apps, browser: Browser) -> None:
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        async with connecting(browser) as socket:
            await socket.send_str("vanish")
            last = await asyncio.wait_for(socket.receive(), 120)
            assert last.type in (WSMsgType.CLOSED, WSMsgType.ERROR)


async def test_pings_are_answered(apps: Apps, browser: Browser) -> None:
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        async with connecting(browser, autoping=False) as socket:
            await socket.ping(b"are you there")
            answer = await asyncio.wait_for(socket.receive(), 120)
            assert (answer.type, answer.data) == (WSMsgType.PONG, b"are you there")


async def test_a_message_beyond_the_limit_ends_it(apps: Apps, browser: Browser) -> None:
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        async with connecting(browser, autoclose=False) as socket:
            # the head of a frame that announces too much is enough
            head = b"\x82\xff" + (MESSAGE_BYTES + 1).to_bytes(8, "big") + b"mask"
            socket._response.connection.transport.write(head)
            last = await asyncio.wait_for(socket.receive(), 120)
            assert (last.type, last.data) == (WSMsgType.CLOSE, 1009)


async def test_a_message_of_the_app_beyond_the_limit_ends_it(apps: Apps, browser: Browser) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _shake_hands(reader, writer)
        writer.write(b"\x82\x7f" + (MESSAGE_BYTES + 1).to_bytes(8, "big"))
        await reader.read()

    async with scripted(script) as port:
        apps.add(Upstream(port=port))
        async with connecting(browser, autoclose=False) as socket:
            last = await asyncio.wait_for(socket.receive(), 120)
            assert (last.type, last.data) == (WSMsgType.CLOSE, 1009)


async def _shake_hands(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    from tornado.websocket import WebSocketProtocol13

    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    key = next(
        line[18:].strip() for line in head.split("\r\n") if line.startswith("Sec-WebSocket-K")
    )
    accept = WebSocketProtocol13.compute_accept_value(key)
    writer.write(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
    )


async def test_an_app_that_does_not_read_holds_the_browser_back(
    apps: Apps, browser: Browser
) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _shake_hands(reader, writer)
        await asyncio.Event().wait()

    async with scripted(script) as port:
        apps.add(Upstream(port=port))
        async with connecting(browser) as socket:
            sent, held = 0, False
            while not held and sent < 60_000_000:
                try:
                    await asyncio.wait_for(socket.send_bytes(bytes(500_000)), 0.5)
                except TimeoutError:
                    held = True
                sent += 500_000
            assert held
            socket._response.connection.transport.abort()


async def test_a_browser_that_does_not_read_holds_the_app_back(
    apps: Apps, browser: Browser
) -> None:
    sent = 0

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await _shake_hands(reader, writer)
        while True:
            writer.write(b"\x82\x7f" + (500_000).to_bytes(8, "big") + bytes(500_000))
            await writer.drain()
            sent += 500_000

    async with scripted(script) as port:
        apps.add(Upstream(port=port))
        async with connecting(browser) as socket:
            before = -1
            while before < sent:
                before = sent
                await asyncio.sleep(0.3)
            assert sent < 60_000_000
            socket._response.connection.transport.abort()


async def test_the_app_may_refuse(apps: Apps, browser: Browser) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Here\r\nContent-Length: 0\r\n\r\n")

    async with scripted(script) as port:
        apps.add(Upstream(port=port))
        assert await refusal(connecting(browser)) == 404


async def test_an_app_without_websockets(apps: Apps, browser: Browser) -> None:
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        assert await refusal(connecting(browser, "/x")) == 502


async def test_an_app_that_is_not_there(apps: Apps, browser: Browser, unused_tcp_port: int) -> None:
    apps.add(Upstream(port=unused_tcp_port))
    assert await refusal(connecting(browser)) == 503
    apps.add(Upstream(port=unused_tcp_port), state=ServiceState.STOPPED)
    assert await refusal(connecting(browser)) == 503


async def test_what_the_app_is_told(apps: Apps, browser: Browser) -> None:
    app = echo_app()
    cookie = await browser.cookie()
    async with serving(app) as port:
        apps.add(Upstream(port=port))
        async with connecting(
            browser,
            "/socket?token=x&a=%2F&_xsrf=y",
            protocols=("v1.token.websocket.jupyter.org.secret", "chat.v2"),
            headers={"Cookie": f"{cookie}; mine=1", "X-XSRFToken": "x"},
        ) as socket:
            assert socket.protocol == "chat.v2"
        assert await app[ARRIVED].get() == "open /socket?a=%2F"
        told = await app[ARRIVED].get()
    for secret in (browser.token, "username-", "_xsrf", "XSRF", "v1.token", "Authorization"):
        assert secret not in told
    assert f"('Origin', 'http://127.0.0.1:{port}')" in told
    assert "('Cookie', 'mine=1')" in told


async def test_who_is_kept_out(apps: Apps, browser: Browser) -> None:
    cookie = await browser.cookie()
    by_cookie = {"Cookie": cookie, "Authorization": ""}
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        for headers in (
            {"Authorization": ""},
            {"Authorization": "token wrong"},
            {**by_cookie, "Origin": "https://example.org"},
            {**by_cookie, "Origin": "null"},
            {**by_cookie, "Origin": f"http://127.0.0.1:{port}"},
            {**by_cookie, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "websocket"},
        ):
            assert await refusal(connecting(browser, headers=headers)) == 403, headers
        async with connecting(browser, headers=by_cookie) as socket:
            await socket.send_str("let in")
            assert await socket.receive_str() == "let in"

"""How a transfer ends when one of the three ends before it does."""

from __future__ import annotations

import asyncio
from io import BytesIO

import aiohttp
import pytest

from ou_vce_ext.models_upstream import Upstream
from ou_vce_ext.proxy import http
from tests.api.proxy.apps import PATTERN, echo_app, scripted, serving
from tests.api.proxy.conftest import Apps, Browser, echoed


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """No timer of ours ends anything here: what ends does so by itself."""
    monkeypatch.setattr(http, "LINGER_SECONDS", 3600.0)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + PATTERN,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n0123456789abcdef\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n0123",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
    ],
)
async def test_an_app_that_dies_halfway_is_never_a_short_success(
    apps: Apps, browser: Browser, head: bytes
) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head)
        await writer.drain()

    async with scripted(script) as port:
        apps.add(Upstream(port=port))
        async with browser.ask("/x") as answer:
            assert answer.status == 200
            with pytest.raises(aiohttp.ClientError):
                await answer.read()


async def test_to_an_old_client_too_a_broken_answer_is_broken(apps: Apps, browser: Browser) -> None:
    """HTTP/1.0 takes the end of the connection for the end of the body: so it must be reset."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await writer.drain()

    async with scripted(script) as port:
        apps.add(Upstream(port=port))
        reader, writer = await browser.connect()
        writer.write(browser.head("/x").replace(b"HTTP/1.1", b"HTTP/1.0"))
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()


@pytest.mark.parametrize("more", ["", "Connection: keep-alive"])
async def test_an_old_client_gets_a_whole_answer_of_unknown_length(
    apps: Apps, browser: Browser, more: str
) -> None:
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        reader, writer = await browser.connect()
        head = browser.head("/download?bytes=500000&chunked", "GET", *([more] if more else []))
        writer.write(head.replace(b"HTTP/1.1", b"HTTP/1.0"))
        answer = await asyncio.wait_for(reader.read(), 120)
        assert len(answer.partition(b"\r\n\r\n")[2]) == 500_000
        writer.close()


async def test_an_answer_that_ends_with_the_connection(apps: Apps, browser: Browser) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n" + PATTERN)
        await writer.drain()

    async with scripted(script) as port:
        apps.add(Upstream(port=port))
        async with browser.ask("/x") as answer:
            assert await answer.read() == PATTERN


@pytest.mark.parametrize(
    "what",
    [b"", b"HTTP/1.1 200", b"nonsense\r\n\r\n", b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n"],
)
async def test_an_app_that_does_not_speak_http(apps: Apps, browser: Browser, what: bytes) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(what)
        await writer.drain()

    async with scripted(script) as port:
        apps.add(Upstream(port=port))
        async with browser.ask("/x") as answer:
            assert answer.status == 502
            assert set(await answer.json()) == {"code", "message", "hint"}


async def test_the_app_is_left_as_soon_as_the_client_has_gone(apps: Apps, browser: Browser) -> None:
    asked, left = asyncio.Event(), asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        assert await reader.read() == b""
        left.set()

    async with scripted(script) as port:
        apps.add(Upstream(port=port))
        _, writer = await browser.connect()
        writer.write(browser.head("/x"))
        await asyncio.wait_for(asked.wait(), 120)
        writer.transport.abort()
        await asyncio.wait_for(left.wait(), 120)


async def test_the_app_is_left_in_the_middle_of_a_download(apps: Apps, browser: Browser) -> None:
    left = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        try:
            while True:
                writer.write(PATTERN)
                await writer.drain()
        finally:
            left.set()

    async with scripted(script) as port:
        apps.add(Upstream(port=port))
        reader, writer = await browser.connect()
        writer.write(browser.head("/x"))
        await reader.readexactly(1_000_000)
        writer.transport.abort()
        await asyncio.wait_for(left.wait(), 120)


@pytest.mark.parametrize("framing", ["Content-Length: 1000000", "Transfer-Encoding: chunked"])
async def test_half_an_upload_is_never_taken_for_a_whole_one(
    apps: Apps, browser: Browser, framing: str
) -> None:
    got = asyncio.get_running_loop().create_future()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        got.set_result(await reader.read())

    asked = asyncio.Event()
    async with scripted(script) as port:
        apps.add(Upstream(port=port))
        _, writer = await browser.connect()
        writer.write(browser.head("/x", "POST", framing))
        writer.write(b"5\r\nhello\r\n")
        await asyncio.wait_for(asked.wait(), 120)
        writer.transport.abort()
        body = await asyncio.wait_for(got, 120)
    assert len(body) < 1000
    assert not body.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("keep", [True, False])
async def test_an_answer_before_the_upload_is_through(
    apps: Apps, browser: Browser, keep: bool
) -> None:
    """An app that refuses a large file at once is heard, and not talked over."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 7\r\n\r\ntoo big")
        await writer.drain()
        if keep:
            await reader.read()

    async with scripted(script) as port:
        apps.add(Upstream(port=port))
        async with browser.ask("/x", "POST", data=BytesIO(bytes(20_000_000))) as answer:
            assert answer.status == 413
            assert await answer.read() == b"too big"


async def test_an_answer_that_streams_while_the_request_does(apps: Apps, browser: Browser) -> None:
    """Both directions at once, as an app that converts what it is sent would."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
        for _ in range(4):
            writer.write((await reader.readexactly(1)).upper())
            await writer.drain()

    async with scripted(script) as port:
        apps.add(Upstream(port=port))
        reader, writer = await browser.connect()
        writer.write(browser.head("/x", "POST", "Content-Length: 4"))
        said = b""
        for letter in (b"a", b"b", b"c", b"d"):
            writer.write(letter)
            while not said.endswith(letter.upper()):
                said += await asyncio.wait_for(reader.read(1000), 120)
        assert said.endswith(b"\r\n\r\nABCD")
        writer.close()


async def test_a_connection_that_died_while_idle_is_no_failure(
    apps: Apps, browser: Browser
) -> None:
    """The app closes after each answer without saying so, or just as the next request comes."""
    connections = 0

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        head = await reader.readuntil(b"\r\n\r\n")
        body = b"" if head.startswith(b"HEAD") else b"ok"
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + body)
        await writer.drain()
        await reader.read(1)  # the next request on this connection: too late, it is closed
        writer.transport.abort()

    async with scripted(script) as port:
        apps.add(Upstream(port=port))
        for method in ("GET", "GET", "HEAD", "POST", "GET", "POST", "PUT", "DELETE"):
            body = b"x" if method in ("POST", "PUT") else None
            async with browser.ask("/x", method, data=body) as answer:
                assert answer.status == 200, method
    assert connections > 4


async def test_what_cannot_be_repeated_is_sent_once(apps: Apps, browser: Browser) -> None:
    asked: list[bytes] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n"))[:4])

    async with scripted(script) as port:
        apps.add(Upstream(port=port))
        for method, body in (("POST", None), ("POST", b"x"), ("PUT", b"x"), ("PATCH", b"x")):
            async with browser.ask("/x", method, data=body) as answer:
                assert answer.status == 502
    assert asked == [b"POST", b"POST", b"PUT ", b"PATC"]


async def test_connections_are_kept_for_those_that_follow(apps: Apps, browser: Browser) -> None:
    connections = 0

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            await writer.drain()

    async with scripted(script) as port:
        apps.add(Upstream(port=port))
        for _ in range(20):
            async with browser.ask("/x") as answer:
                assert answer.status == 200
    assert connections == 1


async def test_nothing_listens_though_it_should(
    apps: Apps, browser: Browser, unused_tcp_port: int
) -> None:
    apps.add(Upstream(port=unused_tcp_port))
    for method, body in (("GET", None), ("POST", BytesIO(bytes(3_000_000)))):
        async with browser.ask("/x", method, data=body) as answer:
            assert answer.status == 503
            assert answer.headers["Retry-After"]
            assert (await answer.json())["code"] == "not-ready"


async def test_the_connection_outlives_a_failure(apps: Apps, browser: Browser) -> None:
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        assert (await echoed(browser.ask("/x", "POST", data=b"1")))["bytes"] == 1

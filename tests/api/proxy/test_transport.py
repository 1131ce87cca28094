"""Requests and answers as the app and the browser meant them, streamed."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from ou_vce_ext.models_upstream import Upstream
from tests.api.proxy.apps import ARRIVED, PATTERN, a_body, echo_app, scripted, serving
from tests.api.proxy.conftest import Apps, Browser, echoed


@pytest.mark.parametrize(
    "method",
    ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "MKCOL", "REPORT", "PURGE"],
)
async def test_every_method_passes(apps: Apps, browser: Browser, method: str) -> None:
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        told = await echoed(browser.ask("/x", method))
    assert told["method"] == method
    assert told["bytes"] == 0


async def test_a_method_nobody_knows_is_refused(apps: Apps, browser: Browser) -> None:
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        for method in ("TRACE", "BREW"):
            async with browser.ask("/x", method) as answer:
                assert answer.status == 405
                assert (await answer.json())["code"] == "method-not-allowed"


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/a/../b/./c",
        "/%2e%2e/%2F/x",
        "/a%20b+c",
        "//x//",
        "/x?",
        "/x?a",
        "/x?a=1&&b=%zz&a=2",
        "/caf%C3%A9?q=%ff",
        "/" + "long/" * 1500,
    ],
)
async def test_addresses_arrive_as_the_browser_wrote_them(
    apps: Apps, browser: Browser, target: str
) -> None:
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        told = await echoed(browser.ask(target))
    assert told["target"] == target


async def test_an_app_can_be_told_the_whole_path(apps: Apps, browser: Browser) -> None:
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port, absolute_url=True))
        told = await echoed(browser.ask("/x?y"))
    assert told["target"] == f"{browser.prefix}/x?y"


async def test_an_app_behind_a_unix_socket(apps: Apps, browser: Browser, tmp_path: Path) -> None:
    place = str(tmp_path / "app.sock")
    async with serving(echo_app(), path=place):
        apps.add(Upstream(socket=place))
        told = await echoed(browser.ask("/x?y", "POST", data=b"body"))
    assert told["target"] == "/x?y"
    assert told["bytes"] == 4
    assert ["Host", "localhost"] in told["headers"]


async def test_a_large_upload_arrives_whole(apps: Apps, browser: Browser) -> None:
    body = a_body(30_000_000)
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        told = await echoed(browser.ask("/x", "POST", data=BytesIO(body)))
    assert told["bytes"] == len(body)
    assert told["sha256"] == hashlib.sha256(body).hexdigest()
    assert ["Content-Length", "30000000"] in told["headers"]


async def test_an_upload_larger_than_jupyter_itself_takes(apps: Apps, browser: Browser) -> None:
    size = 130_000_000  # the test server's limit is tornado's: 100 MiB

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(size // 1_000_000):
            yield bytes(1_000_000)

    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        told = await echoed(
            browser.ask("/x", "PUT", data=pieces(), headers={"Content-Length": str(size)})
        )
        assert told["bytes"] == size
        told = await echoed(browser.ask("/x", "PUT", data=pieces()))
        assert told["bytes"] == size


async def test_an_upload_in_chunks_arrives_whole(apps: Apps, browser: Browser) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for size in (1, 70_000, 3, 1_000_000):
            yield a_body(size)
            await asyncio.sleep(0)

    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        told = await echoed(browser.ask("/x", "POST", data=pieces()))
    assert told["bytes"] == 1_070_004
    assert ["Transfer-Encoding", "chunked"] in told["headers"]


@pytest.mark.parametrize("more", ["", "&chunked"])
async def test_a_large_download_arrives_whole(apps: Apps, browser: Browser, more: str) -> None:
    size = 30_000_001
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        async with browser.ask(f"/download?bytes={size}{more}") as answer:
            found = hashlib.sha256(await answer.read()).hexdigest()
            assert answer.headers.get("Content-Length") == (None if more else str(size))
    assert found == hashlib.sha256(a_body(size)).hexdigest()


async def test_head_tells_what_get_would(apps: Apps, browser: Browser) -> None:
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        async with browser.ask("/download?bytes=12345", "HEAD") as answer:
            assert answer.status == 200
            assert answer.headers["Content-Length"] == "12345"
            assert await answer.read() == b""
        # the connection is as good as before
        assert (await echoed(browser.ask("/x")))["method"] == "GET"


async def test_head_tells_nothing_of_a_body_of_unknown_length(apps: Apps, browser: Browser) -> None:
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        reader, writer = await browser.connect()
        for _ in range(2):
            writer.write(browser.head("/download?bytes=10&chunked", "HEAD"))
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            assert head.startswith(b"http/1.1 200 ")
            assert b"content-length" not in head
        writer.close()


async def test_a_part_is_asked_for_and_given(apps: Apps, browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(a_body(100_000))
    static = web.Application()
    static.router.add_static("/", tmp_path)
    async with serving(static) as port:
        apps.add(Upstream(port=port))
        for asked, given, length in (
            ("bytes=10-19", "bytes 10-19/100000", 10),
            ("bytes=-5", "bytes 99995-99999/100000", 5),
            ("bytes=99990-", "bytes 99990-99999/100000", 10),
        ):
            async with browser.ask("/file", headers={"Range": asked}) as answer:
                assert (answer.status, answer.headers["Content-Range"]) == (206, given)
                start = int(given[6:].partition("-")[0])
                assert await answer.read() == a_body(100_000)[start : start + length]
                tag = answer.headers["Etag"]
        async with browser.ask("/file", headers={"Range": "bytes=200000-"}) as answer:
            assert answer.status == 416
        async with browser.ask("/file", headers={"If-None-Match": tag}) as answer:
            assert answer.status == 304


def _saying(*lines: str, body: bytes = b"") -> Any:
    """A script that answers every request with these header lines and this body."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
            await writer.drain()

    return script


async def test_nothing_of_jupyter_is_added_to_an_answer(apps: Apps, browser: Browser) -> None:
    script = _saying("HTTP/1.1 200 Fine", "X-Only: this", "Content-Length: 2", body=b"ok")
    async with scripted(script) as port:
        apps.add(Upstream(port=port))
        cookie = await browser.cookie()
        async with browser.ask("/x", anonymous=True, headers={"Cookie": cookie}) as answer:
            assert answer.reason == "Fine"
            assert list(answer.headers.items()) == [("X-Only", "this"), ("Content-Length", "2")]
            assert await answer.read() == b"ok"


async def test_an_apps_etag_is_its_own_business(apps: Apps, browser: Browser) -> None:
    script = _saying("HTTP/1.1 200 OK", 'Etag: "1"', "Content-Length: 2", body=b"ok")
    async with scripted(script) as port:
        apps.add(Upstream(port=port))
        async with browser.ask("/x", headers={"If-None-Match": '"1"'}) as answer:
            assert answer.status == 200
            assert await answer.read() == b"ok"


async def test_repeated_headers_stay_apart(apps: Apps, browser: Browser) -> None:
    lines = ["Set-Cookie: a=1", "Set-Cookie: b=2, x", "Vary: A", "Vary: B", "Content-Length: 0"]
    async with scripted(_saying("HTTP/1.1 200 OK", *lines)) as port:
        apps.add(Upstream(port=port))
        cookie = await browser.cookie()
        async with browser.ask("/x", anonymous=True, headers={"Cookie": cookie}) as answer:
            assert answer.headers.getall("Set-Cookie") == ["a=1", "b=2, x"]
            assert answer.headers.getall("Vary") == ["A", "B"]


@pytest.mark.parametrize(
    ("status", "lines"),
    [
        ("204 No Content", []),
        ("204 No Content", ["Content-Length: 0"]),
        ("304 Not Modified", ['Etag: "x"', "Content-Type: text/x"]),
        ("304 Not Modified", ["Content-Length: 99"]),
    ],
)
async def test_answers_without_a_body(
    apps: Apps, browser: Browser, status: str, lines: list[str]
) -> None:
    async with scripted(_saying(f"HTTP/1.1 {status}", *lines)) as port:
        apps.add(Upstream(port=port))
        reader, writer = await browser.connect()
        for _ in range(2):  # twice on one connection: nothing is left over from the first
            writer.write(browser.head("/x"))
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            assert head.startswith(f"HTTP/1.1 {status}\r\n")
            assert "chunked" not in head
            for line in lines:
                assert (line in head) == (status[:3] == "304")
        writer.close()


@pytest.mark.parametrize("status", [201, 206, 400, 401, 404, 416, 418, 500, 503, 599])
async def test_an_apps_errors_are_its_own(apps: Apps, browser: Browser, status: int) -> None:
    lines = (f"HTTP/1.1 {status} So Be It", "WWW-Authenticate: Basic", "Content-Length: 3")
    async with scripted(_saying(*lines, body=b"why")) as port:
        apps.add(Upstream(port=port))
        async with browser.ask("/x", headers={"Accept": "text/html"}) as answer:
            assert (answer.status, answer.reason) == (status, "So Be It")
            assert answer.headers["WWW-Authenticate"] == "Basic"
            assert await answer.read() == b"why"


async def test_informational_answers_and_trailers_are_no_part_of_it(
    apps: Apps, browser: Browser
) -> None:
    body = b"3\r\nabc\r\n0\r\nX-Trailer: 1\r\n\r\n"
    lines = (
        "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK",
        "Trailer: X-Trailer",
        "Transfer-Encoding: chunked",
    )
    async with scripted(_saying(*lines, body=body)) as port:
        apps.add(Upstream(port=port))
        for _ in range(2):
            async with browser.ask("/x") as answer:
                assert answer.status == 200
                assert await answer.read() == b"abc"
                assert "Trailer" not in answer.headers
                assert "X-Trailer" not in answer.headers


async def test_what_is_compressed_stays_compressed(apps: Apps, browser: Browser) -> None:
    packed = gzip.compress(b"text " * 1000)
    lines = ("HTTP/1.1 200 OK", "Content-Encoding: gzip", f"Content-Length: {len(packed)}")
    async with scripted(_saying(*lines, body=packed)) as port:
        apps.add(Upstream(port=port))
        async with browser.ask("/x", headers={"Accept-Encoding": "gzip"}) as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            assert await answer.read() == packed


async def test_what_is_not_compressed_stays_so(apps: Apps, browser: Browser) -> None:
    text = b"text " * 1000
    lines = ("HTTP/1.1 200 OK", "Content-Type: text/html", f"Content-Length: {len(text)}")
    async with scripted(_saying(*lines, body=text)) as port:
        apps.add(Upstream(port=port))
        async with browser.ask("/x", headers={"Accept-Encoding": "gzip"}) as answer:
            assert "Content-Encoding" not in answer.headers
            assert answer.headers["Content-Length"] == str(len(text))
            assert await answer.read() == text


async def test_large_headers_pass(apps: Apps, browser: Browser) -> None:
    one = "x" * 60_000
    many = [f"X-{number}: {'y' * 180}" for number in range(300)]
    for lines in ([f"X-One: {one}"], many):
        async with scripted(_saying("HTTP/1.1 200 OK", *lines, "Content-Length: 0")) as port:
            apps.add(Upstream(port=port))
            async with browser.ask("/x") as answer:
                assert answer.status == 200
                told = [f"{name}: {value}" for name, value in answer.headers.items()]
                assert set(lines) <= set(told)


async def test_headers_beyond_all_bounds_are_told(apps: Apps, browser: Browser) -> None:
    lines = ("HTTP/1.1 200 OK", f"X-One: {'x' * 200_000}", "Content-Length: 0")
    async with scripted(_saying(*lines)) as port:
        apps.add(Upstream(port=port))
        async with browser.ask("/x") as answer:
            assert answer.status == 502
            assert (await answer.json())["code"] == "app-not-answering"


async def test_events_come_as_they_happen(apps: Apps, browser: Browser) -> None:
    app = echo_app()
    async with serving(app) as port:
        apps.add(Upstream(port=port))
        async with browser.ask("/events") as answer:
            assert answer.headers["Content-Type"] == "text/event-stream"
            assert (await answer.content.readline()) == b"data: first\n"
        assert await asyncio.wait_for(app[ARRIVED].get(), 120) == "gone"


async def test_headers_come_before_the_body_does(apps: Apps, browser: Browser) -> None:
    go_on = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")
        await go_on.wait()
        writer.write(b"end")
        await writer.drain()

    async with scripted(script) as port:
        apps.add(Upstream(port=port))
        async with browser.ask("/x") as answer:
            assert answer.status == 200
            go_on.set()
            assert await answer.read() == b"end"


async def test_continue_is_said_before_the_body_is_sent(apps: Apps, browser: Browser) -> None:
    async with serving(echo_app()) as port:
        apps.add(Upstream(port=port))
        reader, writer = await browser.connect()
        writer.write(browser.head("/x", "POST", "Content-Length: 5", "Expect: 100-continue"))
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        writer.write(b"hello")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        assert json.loads(await reader.readexactly(length))["bytes"] == 5
        writer.close()


async def test_a_slow_reader_holds_the_app_back(apps: Apps, browser: Browser) -> None:
    """Nothing gathers in Jupyter: an app can only send what is taken."""
    sent = 0

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            writer.write(PATTERN)
            await writer.drain()
            sent += len(PATTERN)

    async with scripted(script) as port:
        apps.add(Upstream(port=port))
        reader, writer = await browser.connect()
        writer.write(browser.head("/x"))
        await reader.readuntil(b"\r\n\r\n")
        before = -1
        while before < sent:
            before = sent
            await asyncio.sleep(0.3)
        # what the kernel's buffers of two loopback connections hold, and a little of ours
        assert sent < 40_000_000
        writer.transport.abort()


async def test_a_slow_app_holds_the_sender_back(apps: Apps, browser: Browser) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.Event().wait()

    async with scripted(script) as port:
        apps.add(Upstream(port=port))
        _, writer = await browser.connect()
        writer.write(browser.head("/x", "POST", "Content-Length: 1000000000"))
        sent = 0
        drained = True
        while drained and sent < 40_000_000:
            writer.write(PATTERN)
            sent += len(PATTERN)
            try:
                await asyncio.wait_for(writer.drain(), 0.5)
            except TimeoutError:
                drained = False
        assert not drained
        writer.transport.abort()


async def test_a_request_that_breaks_the_rules_does_not_reach_its_end(
    apps: Apps, browser: Browser
) -> None:
    """Trailers, which Jupyter's own server does not take, and chunks that are none."""
    ended: asyncio.Queue[bytes] = asyncio.Queue()
    asked = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        ended.put_nowait(await reader.read())

    async with scripted(script) as port:
        apps.add(Upstream(port=port))
        for rest in (b"0\r\nX-Trailer: 1\r\n\r\n", b"nonsense\r\n", b"-1\r\n\r\n"):
            reader, writer = await browser.connect()
            writer.write(browser.head("/x", "POST", "Transfer-Encoding: chunked"))
            writer.write(b"5\r\nhello\r\n")
            # Broken before it was passed on, it would not be passed on at all.
            await asyncio.wait_for(asked.wait(), 120)
            asked.clear()
            writer.write(rest)
            await reader.read()
            assert not (await asyncio.wait_for(ended.get(), 120)).endswith(b"0\r\n\r\n")
            writer.close()

"""Bodies that are too large, announced or not: refused, and not read to their end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.api.conftest import Ask
from tests.api.described import assert_matches
from tests.api.house import House

STOP = "/api/services/{name}/stop"
LIMIT = 64 * 1024
CHUNK = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
GIGABYTE = 1 << 30


async def post(port: int, headers: Mapping[str, str], chunks: int = 0) -> tuple[bytes, int]:
    """POST with a body of up to ``chunks`` of 64 kB each, until the server hangs up.

    Tells its whole answer, empty where it was lost with the connection, and how many chunks it
    let us write.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [f"{name}: {value}" for name, value in headers.items()]
    head = ["POST /a%40b/vce/api/services/postgres/stop HTTP/1.1", "Host: localhost", *lines]
    writer.write("\r\n".join([*head, "", ""]).encode())
    answer = asyncio.create_task(reader.read())
    written = 0
    try:
        while written < chunks and not answer.done():
            writer.write(CHUNK)
            await writer.drain()
            written += 1
        return await answer, written
    except ConnectionError:
        return b"", written
    finally:
        answer.cancel()
        writer.close()


def told(answer: bytes) -> tuple[int, str]:
    """The status and the code of an answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)["code"]


async def test_what_fits_is_read(house: House, ask: Ask) -> None:
    sent = '{"cancel": true' + " " * (LIMIT - 16) + "}"
    assert len(sent) == LIMIT
    assert (await ask("/api/services/postgres/stop", "POST", body=sent)).code == 202


@pytest.mark.parametrize("size", [LIMIT + 1, 1024 * 1024])
async def test_an_honest_mistake_is_told(house: House, ask: Ask, size: int) -> None:
    response = await ask("/api/services/postgres/stop", "POST", body=b" " * size)
    body = assert_matches(response, STOP, "POST")
    assert (response.code, body["code"]) == (413, "too-large")
    assert house.asked == []


@pytest.mark.parametrize("size", [GIGABYTE, 10**30])
async def test_an_announced_gigabyte_is_not_waited_for(
    house: House, http_server: Any, jp_http_port: int, jp_auth_header: dict[str, str], size: int
) -> None:
    headers = {**jp_auth_header, "Content-Length": str(size)}
    answer, _ = await post(jp_http_port, headers)
    assert told(answer) == (413, "too-large")


async def test_an_endless_body_is_cut_off(
    house: House, http_server: Any, jp_http_port: int, jp_auth_header: dict[str, str]
) -> None:
    headers = {**jp_auth_header, "Transfer-Encoding": "chunked"}
    answer, written = await post(jp_http_port, headers, chunks=GIGABYTE // LIMIT)
    assert written < 1024, "64 MB is more than any buffer on the way can hold"
    assert not answer or told(answer) == (413, "too-large")
    assert house.asked == []


async def test_a_stranger_is_not_listened_to(
    house: House, http_server: Any, jp_http_port: int
) -> None:
    answer, _ = await post(jp_http_port, {"Content-Length": str(GIGABYTE)})
    assert told(answer) == (403, "not-authenticated")

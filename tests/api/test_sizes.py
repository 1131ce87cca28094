"""Bodies that are too large, announced or not, polite or not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from jupyter_server.serverapp import ServerApp

from tests.api.conftest import Ask
from tests.api.described import assert_matches
from tests.api.house import House

STOP = "/api/services/{name}/stop"
GIGABYTE = 1 << 30


@pytest.fixture
async def wire(
    house: House, http_server: Any, jp_http_port: int
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A bare connection to the server."""
    reader, writer = await asyncio.open_connection("127.0.0.1", jp_http_port, limit=1 << 20)
    yield reader, writer
    writer.close()


async def test_what_fits_is_read(house: House, ask: Ask) -> None:
    sent = '{"cancel": true' + " " * (64 * 1024 - 16) + "}"
    assert len(sent) == 64 * 1024
    assert (await ask("/api/services/postgres/stop", "POST", body=sent)).code == 202


@pytest.mark.parametrize("size", [64 * 1024 + 1, 1024 * 1024])
async def test_an_honest_mistake_is_told(house: House, ask: Ask, size: int) -> None:
    response = await ask("/api/services/postgres/stop", "POST", body=b" " * size)
    body = assert_matches(response, STOP, "POST")
    assert (response.code, body["code"]) == (413, "too-large")
    assert house.asked == []

"""A request's body between the one who pushes and the one who pulls."""

from __future__ import annotations

import asyncio

import pytest

from ou_vce_ext.proxy.body import WAITING_BYTES, Body


async def _all(body: Body) -> bytes:
    return b"".join([piece async for piece in body])


async def test_what_is_fed_comes_out() -> None:
    body = Body()
    reading = asyncio.ensure_future(_all(body))
    for piece in (b"one ", b"two ", b"three"):
        assert body.feed(piece) is None
        await asyncio.sleep(0)
    body.end()
    assert await reading == b"one two three"


async def test_who_pushes_too_much_waits_until_it_is_taken() -> None:
    body = Body()
    waiting = body.feed(b"x" * WAITING_BYTES)
    assert waiting is not None
    assert not waiting.done()
    assert len(await anext(aiter(body))) == WAITING_BYTES
    assert waiting.done()


async def test_a_broken_body_is_never_taken_for_a_whole_one() -> None:
    body = Body()
    body.feed(b"half")
    reading = asyncio.ensure_future(_all(body))
    await asyncio.sleep(0)
    body.break_off()
    with pytest.raises(ConnectionAbortedError):
        await reading


async def test_breaking_off_lets_go_of_both_sides() -> None:
    body = Body()
    waiting = body.feed(b"x" * WAITING_BYTES)
    assert waiting is not None
    body.break_off()
    assert waiting.done()
    with pytest.raises(ConnectionAbortedError):
        await anext(aiter(body))


async def test_what_nobody_wants_is_dropped_and_never_taken_for_the_whole() -> None:
    body = Body()
    reading = asyncio.ensure_future(_all(body))
    await asyncio.sleep(0)
    waiting = body.feed(b"x" * WAITING_BYTES)
    assert waiting is not None
    discarding = asyncio.ensure_future(body.discard_rest(60))
    with pytest.raises(ConnectionAbortedError):
        await reading
    assert waiting.done()
    assert body.feed(b"x" * WAITING_BYTES) is None
    body.end()
    await discarding


async def test_waiting_for_the_rest_has_an_end() -> None:
    await Body().discard_rest(0.01)

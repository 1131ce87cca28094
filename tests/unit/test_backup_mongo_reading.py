"""How a MongoDB is read and waited for: answers taken apart, made ahead, and given up in time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import bson
import pytest
from bson import Int64, Timestamp
from hypothesis import given
from hypothesis import strategies as st

from ou_vce_ext.backups.mongo.ahead import ahead
from ou_vce_ext.backups.mongo.patience import in_patience
from ou_vce_ext.backups.mongo.reading import take_apart
from ou_vce_ext.backups.watch import Watch, WorkCancelledError
from ou_vce_ext.errors import VceError

SECONDS = 60


def answer(documents: list[bytes], number: int = 7, batch: str = "nextBatch") -> bytes:
    """What ``cursor`` is in a server's answer."""
    return bson.encode(
        {
            "partialResultsReturned": False,
            batch: [bson.decode(one) for one in documents],
            "atClusterTime": Timestamp(5, 1),
            "id": Int64(number),
            "ns": "shop.a",
        }
    )


@given(st.lists(st.dictionaries(st.text("abc", min_size=1), st.integers(-9, 9)), max_size=120))
def test_answers_are_taken_apart(told: list[dict[str, int]]) -> None:
    """Each document is what it was, and whether there are more is known."""
    documents = [bson.encode(one) for one in told]
    assert take_apart(answer(documents)) == (7, documents)
    assert take_apart(answer(documents, 0, "firstBatch")) == (0, documents)


def test_an_answer_that_is_none_is_refused() -> None:
    """Whatever a server may say, nothing is read that is not there."""
    whole = answer([bson.encode({"_id": n}) for n in range(12)])
    assert len(take_apart(whole)[1]) == 12
    for cut in range(5, len(whole)):
        with pytest.raises(VceError, match="cannot be read"):
            take_apart(whole[:cut])
    others: list[dict[str, Any]] = [
        {"id": Int64(1)},
        {"firstBatch": [1], "id": Int64(1)},
        {"firstBatch": [{}]},
    ]
    for other in others:
        with pytest.raises(VceError, match="cannot be read"):
            take_apart(bson.encode(other))


def test_what_is_made_ahead_comes_in_its_order_and_with_its_error() -> None:
    """All of it, then what went wrong with the next."""

    def make() -> Iterator[int]:
        yield from range(100)
        raise OSError("the disk")

    got: list[int] = []
    with pytest.raises(OSError, match="the disk"), ahead(make(), Watch()) as items:
        got.extend(items)
    assert got == list(range(100))
    with ahead(iter("ab"), Watch()) as letters:
        assert list(letters) == ["a", "b"]


def test_what_is_not_wanted_any_more_is_not_made() -> None:
    """Whoever leaves ends the making, whose own things are closed then."""
    closed = threading.Event()

    def make() -> Iterator[int]:
        try:
            yield from range(1_000_000)
        finally:
            closed.set()

    with ahead(make(), Watch()) as items:
        assert next(items) == 0
    assert closed.wait(SECONDS)


def test_a_server_that_hangs_holds_nobody_up() -> None:
    """Who waits for what never comes is told at once that the work is cancelled."""
    answered = threading.Event()

    def make() -> Iterator[int]:
        yield 1
        answered.wait(SECONDS)

    watch = Watch()
    with ahead(make(), watch) as items:
        assert next(items) == 1
        watch.cancel()
        with pytest.raises(WorkCancelledError):
            next(items)
    answered.set()


async def test_work_that_hangs_is_left_to_itself() -> None:
    """Cancelled while it hears nothing, it holds nobody up, and sees so when it goes on."""
    begun, answered, ended = threading.Event(), threading.Event(), threading.Event()
    watch = Watch()

    def work() -> None:
        begun.set()
        answered.wait(SECONDS)
        try:
            watch.raise_if_cancelled()
        finally:
            ended.set()

    task = asyncio.ensure_future(in_patience(watch, work))
    assert await asyncio.to_thread(begun.wait, SECONDS)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not ended.is_set()
    answered.set()
    assert await asyncio.to_thread(ended.wait, SECONDS)


async def test_patience_tells_how_it_went() -> None:
    """Its result, what it raises, and that it was cancelled from within."""
    assert await in_patience(Watch(), lambda: 42) == 42
    with pytest.raises(VceError, match="no"):
        await in_patience(Watch(), _refuse)
    watch = Watch()
    watch.cancel()
    with pytest.raises(asyncio.CancelledError):
        await in_patience(watch, watch.raise_if_cancelled)


def _refuse() -> None:
    raise VceError("internal", "no", "Try again.")

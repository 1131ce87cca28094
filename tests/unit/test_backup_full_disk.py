"""A disk that is full in moments too short to be met by chance: notes, and the swap's journal."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ou_vce_ext.backups import notes, swap
from ou_vce_ext.errors import VceError
from ou_vce_ext.models import Operation, OperationState
from ou_vce_ext.models_backup import Verified
from ou_vce_ext.states import ServiceState
from tests.unit.backup_world import Home


@pytest.fixture
def home(tmp_path: Path, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[Home]:
    made = Home(tmp_path)
    made.put(a="1")
    jp_asyncio_loop.run_until_complete(made.start())
    yield made
    jp_asyncio_loop.run_until_complete(made.__aexit__())


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


async def told(home: Home, operation: Operation) -> str:
    over = await home.ended(operation)
    assert over.state is OperationState.FAILED
    assert over.error
    assert over.error.hint
    assert "as they were" in over.error.message
    return over.error.code


async def test_a_backup_that_cannot_be_noted_is_gone_as_it_says(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(notes, "write_private", full)
        assert await told(home, await home.backups.back_up("thing")) == "disk-full"
        assert await told(home, await home.backups.back_up_everything([])) == "disk-full"
        upload = await home.backups.upload("thing", "mine.plain", None)
        await upload.write(b"PLAIN\nwork")
        with pytest.raises(VceError) as refused:
            await home.backups.take_in(upload)
        assert refused.value.code == "disk-full"
        assert [path for path in home.backups.store.top.rglob("*") if path.is_file()] == []
    assert await home.listed() == []
    await home.backup()
    assert len(await home.listed()) == 1


async def test_what_cannot_be_noted_of_a_backup_is_not_so(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = await home.backup()
    home.backups.prover.close()
    with monkeypatch.context() as patch:
        patch.setattr(notes, "write_private", full)
        with pytest.raises(VceError) as refused:
            await home.backups.pin(backup, True)
        assert refused.value.code == "disk-full"
        assert await told(home, await home.backups.verify(backup)) == "disk-full"
    [found] = await home.listed()
    assert (found.pinned, found.verified) == (False, Verified.UNVERIFIED)
    await home.backups.pin(backup, True)
    assert (await home.backups.get(backup)).backup.verified is Verified.UNVERIFIED


async def test_a_swap_that_cannot_be_written_down_does_not_begin(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = await home.backup()
    home.put(a="2", b="3")
    with monkeypatch.context() as patch:
        patch.setattr(swap, "write_private", full)
        assert await told(home, await home.backups.restore(backup)) == "disk-full"
    assert home.live() == {"a": "2", "b": "3"}
    assert home.state() is ServiceState.READY
    assert home.strays() == []
    await home.done(await home.backups.restore(backup))
    assert home.live() == {"a": "1", "b": "3"}

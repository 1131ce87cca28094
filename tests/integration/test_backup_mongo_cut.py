"""Work on a MongoDB's data cut off at the worst moments: its server hangs, or Jupyter is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from ou_vce_ext.backups.mongo import beside
from ou_vce_ext.backups.mongo.compare import compare_metadata
from ou_vce_ext.backups.mongo.names import LOADING
from ou_vce_ext.backups.strategy import Layer, Source
from ou_vce_ext.backups.watch import Watch
from ou_vce_ext.services.keepers import KeeperLauncher
from tests.faults.backup_data import MongoData
from tests.faults.homes import only

from .backup_mongo_rig import BackupRig, Client, running
from .jupyter_rig import end, jupyter, wait
from .mongo_rich import describe_server
from .test_backup_mongo import in_server, leftovers

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SECONDS = 120
"""Long enough for whatever is waited for; nothing takes it."""
Work = Callable[[Watch], Coroutine[Any, Any, object]]


def make(client: Client) -> None:
    """Enough that each step of a work can be caught."""
    client["shop"]["a"].insert_many([{"n": n, "x": "y" * 2000} for n in range(20_000)])
    client["shop"]["a"].create_index([("n", 1), ("x", 1)])


async def stopped_at(rig: BackupRig, work: Work, step: str) -> None:
    """Have ``work`` go on until it says ``step``, stop the server there, and cancel the work.

    It must end though the server does not go on; then the server does.
    """
    assert rig.process is not None
    pid = rig.process.pid
    reached = asyncio.Event()
    loop = asyncio.get_running_loop()

    def tell(words: str, _: float | None = None) -> None:
        # At once, and by whoever says it: nothing more is asked of the server before it stops.
        if words.startswith(step) and not reached.is_set():
            os.kill(pid, signal.SIGSTOP)
            loop.call_soon_threadsafe(reached.set)

    task = asyncio.ensure_future(work(Watch(tell)))
    waiting = asyncio.ensure_future(reached.wait())
    try:
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        assert not task.done(), step
        task.cancel()
        # As long as its server hangs: it would never end if it waited for that.
        await asyncio.wait({task}, timeout=120)
        assert task.cancelled(), (step, task)
    finally:
        waiting.cancel()
        os.kill(pid, signal.SIGCONT)


class Held(Watch):
    """A watch of a load that waits in its thread, once, until it is cancelled."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = asyncio.Event()
        self.cancelled_now = threading.Event()
        self._loop = asyncio.get_running_loop()

    def hold(self) -> None:
        """Wait here, in a thread."""
        self._loop.call_soon_threadsafe(self.reached.set)
        assert self.cancelled_now.wait(SECONDS)

    def cancel(self) -> None:
        """As ever; what was held goes on."""
        super().cancel()
        self.cancelled_now.set()


async def cancelled_while_held(rig: BackupRig, source: Source, name: str, watch: Held) -> bool:
    """Cancel a load where it is held; whether it was told as cancelled. Else it was loaded."""
    loading = asyncio.ensure_future(rig.strategy.load_beside(source, None, name, watch))
    waiting = asyncio.ensure_future(watch.reached.wait())
    await asyncio.wait({loading, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    assert not loading.done(), loading
    loading.cancel()
    await asyncio.wait({loading})
    if not loading.cancelled():
        loading.result()
    return loading.cancelled()


async def loads_are_told_as_what_they_were(
    rig: BackupRig, source: Source, before: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is whole when its cancel comes, but for its mark, is there; of any other nothing is."""
    # However slow a machine is, the thread's end is waited for.
    monkeypatch.setattr(beside, "SECONDS", SECONDS)

    early = Held()

    def hold_before(*args: Any, **options: Any) -> None:
        compare_metadata(*args, **options)
        early.hold()

    with monkeypatch.context() as patched:
        patched.setattr(beside, "compare_metadata", hold_before)
        assert await cancelled_while_held(rig, source, "shop_2", early)
    assert await asyncio.to_thread(in_server, rig, describe_server) == before

    late = Held()
    drop = Database.drop_collection

    def hold_at_last(database: Any, name: Any, *args: Any, **options: Any) -> Any:
        late.hold()
        return drop(database, name, *args, **options)

    with monkeypatch.context() as patched:
        patched.setattr(Database, "drop_collection", hold_at_last)
        assert not await cancelled_while_held(rig, source, "shop_2", late)
    with rig.admin() as client:
        assert client["shop_2"].list_collection_names() == ["a"]
        assert client["shop_2"]["a"].count_documents({}) == 20_000


async def test_a_server_that_hangs_holds_no_cancel_up(
    short_dir: Path, launcher: KeeperLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each step; and what was begun in it is taken back when it goes on."""
    async with running(short_dir, launcher) as rig:
        await asyncio.to_thread(in_server, rig, make)
        before = await asyncio.to_thread(in_server, rig, describe_server)
        source = await rig.open(await rig.back_up(short_dir / "one.tar"))
        works: dict[str, tuple[Work, list[str]]] = {
            "take": (lambda watch: rig.back_up(short_dir / "two.tar", watch), ["Reading"]),
            "build": (
                lambda watch: rig.strategy.build([Layer(source)], watch, keep=True),
                ["Starting", "Loading", "Comparing", "Making indexes"],
            ),
            "beside": (
                lambda watch: rig.strategy.load_beside(source, None, "shop_2", watch),
                ["Loading", "Comparing", "Making indexes"],
            ),
        }
        for name, (work, steps) in works.items():
            for step in steps:
                await stopped_at(rig, work, step)
                assert leftovers(rig) == [], (name, step)
                assert not list(short_dir.glob("two.tar*")), (name, step)
                async with asyncio.timeout(120):
                    while "shop_2" in await asyncio.to_thread(
                        in_server, rig, lambda client: client.list_database_names()
                    ):
                        await asyncio.sleep(0.05)
                after = await asyncio.to_thread(in_server, rig, describe_server)
                assert after == before, (name, step)
        await loads_are_told_as_what_they_were(rig, source, before, monkeypatch)


def test_a_load_that_a_kill_has_cut_is_taken_back_at_the_next_start(short_dir: Path) -> None:
    """Jupyter is killed while it loads beside: what is in the live server by then goes."""
    data, home, toml = MongoData(), short_dir / "home", only("mongo")
    with jupyter(home, toml=toml) as server:
        server.wait_state("mongo", "ready", seconds=150)
        with data.client(server) as client:
            make(client)
        over = server.finish(server.api("POST", "services/mongo/backups"))
        assert over["state"] == "succeeded", over
        body = {"as": "shop_2", "items": ["shop"]}
        server.api("POST", f"backups/{over['result']['id']}/restore", body)
        with data.client(server) as client:
            wait(lambda: "a" in client["shop_2"].list_collection_names())
            assert LOADING in client["shop_2"].list_collection_names()
        end(server, signal.SIGKILL)
    with jupyter(home, toml=toml) as server:
        server.wait_state("mongo", "ready", seconds=150)
        with data.client(server) as client:
            # Looked for as soon as the server answers, or with the first round after that.
            wait(lambda: "shop_2" not in client.list_database_names())
            assert client["shop"]["a"].estimated_document_count() == 20_000

"""Documents that are acknowledged while a MongoDB's data are replaced: an undo brings them back."""

from __future__ import annotations

from pathlib import Path

import pytest
from pymongo.errors import PyMongoError

from ou_vce_ext.backups.mongo.strategy import MongoStrategy
from ou_vce_ext.services.keepers import KeeperLauncher
from tests.integration.mongo_rig import MongoRig, client_at
from tests.integration.real_home import RealHome, written_while_replaced

pytestmark = pytest.mark.integration


async def test_documents_written_while_all_is_replaced_come_back_with_an_undo(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    rig = MongoRig(short_dir, launcher)
    rig.site.root_dir.mkdir()
    async with RealHome(rig.site.root_dir, rig.driver, launcher) as home:
        strategy = home.backups.counter.strategy("mongo")
        assert isinstance(strategy, MongoStrategy)

        async def write(number: int) -> None:
            # A client that has known another server's clock is refused by one with new data.
            async with client_at(rig.uri) as client:
                await client["work"]["diary"].insert_one({"n": number})

        async def read() -> set[int]:
            async with client_at(rig.uri) as client:
                return {int(found["n"]) async for found in client["work"]["diary"].find()}

        await write(0)
        await home.done(await home.backups.back_up("mongo"))
        # What nobody has changed has not moved on, when it was stopped in between either.
        assert not await strategy.moved_on(strategy.moment)
        await home.done(home.registry.restart("mongo"))
        assert not await strategy.moved_on(strategy.moment)
        await write(-1)
        assert await strategy.moved_on(strategy.moment)
        await written_while_replaced(home, None, write, read, PyMongoError)
        # A quiet one keeps nothing but the copy, though it is started for that alone.
        await home.done(home.registry.stop("mongo"))
        over = await home.done(await home.backups.reset("mongo"))
        assert isinstance(over.result, dict)
        assert over.result["kept"] == []

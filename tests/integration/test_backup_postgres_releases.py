"""Backups of PostgreSQL between its major releases: forward, and never back."""

from __future__ import annotations

from pathlib import Path

import pytest

from ou_vce_ext.backups.postgres.strategy import PostgresStrategy
from ou_vce_ext.backups.strategy import Layer
from ou_vce_ext.backups.watch import Watch
from ou_vce_ext.drivers.postgres.programs import find_servers
from ou_vce_ext.errors import UnsuitableError
from ou_vce_ext.models_backup import Reason
from ou_vce_ext.services.keepers import KeeperLauncher
from ou_vce_ext.states import ServiceState
from tests.integration import postgres_rich
from tests.integration.backup_postgres_rig import server_of, swap, take
from tests.integration.postgres_rig import PostgresRig
from tests.integration.real_home import RealHome

pytestmark = pytest.mark.integration


async def test_from_an_older_server_to_a_newer_one_and_never_back(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    servers = sorted(find_servers(), key=lambda server: server.major)
    older, newer = servers[0], servers[-1]
    assert older.major < newer.major
    sides = {}
    for server in (older, newer):
        root = short_dir / str(server.major)
        root.mkdir(mode=0o711)
        rig = PostgresRig(root, launcher)
        # Each machine has one release only.
        rig.driver.find_servers = lambda server=server: [server]  # type: ignore[method-assign,misc]
        await rig.start()
        sides[server.major] = rig, PostgresStrategy(rig.driver)
    (old, old_strategy), (new, new_strategy) = sides[older.major], sides[newer.major]
    await postgres_rich.fill(old)
    await old.query("create table t as select generate_series(1, 5) n")
    _, _ = await take(old_strategy, short_dir / "old.tar")
    source = await new_strategy.open(short_dir / "old.tar", "old.tar")
    await swap(new, await new_strategy.build([Layer(source)], Watch(), keep=True))
    assert await new.query("select count(*) from t") == [(5,)]
    assert await new.query(
        'select count(*) from shop."Order"',
        user="postgres",
        password=(new.folder / "ou-vce-ext.secret").read_text().strip(),
        dbname=postgres_rich.NAME,
    ) == [(2000,)]
    await take(new_strategy, short_dir / "new.tar")
    back = await old_strategy.open(short_dir / "new.tar", "new.tar")
    for work in (
        old_strategy.build([Layer(back)], Watch(), keep=True),
        old_strategy.load_beside(back, frozenset({"student"}), "back", Watch()),
    ):
        with pytest.raises(UnsuitableError, match=f"PostgreSQL {newer.major}"):
            await work
    for number, path in enumerate(postgres_rich.dumps(new, newer, short_dir)):
        with pytest.raises(UnsuitableError):
            await old_strategy.load_beside(
                await old_strategy.open(path, path.name), None, f"b{number}", Watch()
            )
    await new.stop()
    await old.stop()
    await _under_a_new_image(old, new, launcher)


async def _under_a_new_image(old: PostgresRig, new: PostgresRig, launcher: KeeperLauncher) -> None:
    """It has the newer release alone: the old folder is told of, and its data come over."""
    old.site.root_dir.mkdir(exist_ok=True)
    async with RealHome(old.site.root_dir, old.driver, launcher) as home:
        made = await home.done(await home.backups.back_up("postgres", Reason.SCHEDULED))
        assert isinstance(made.result, dict)
        await home.done(await home.backups.verify(str(made.result["id"])))
        await home.done(home.registry.stop("postgres"))
        version = (old.folder / "PG_VERSION").read_text()
        old.driver.find_servers = new.driver.find_servers  # type: ignore[method-assign]
        over = await home.ended(home.registry.start("postgres"))
        assert over.error
        assert over.error.code == "data-wrong-version"
        assert Path(str(made.result["path"])).name in over.error.hint
        over = await home.done(await home.backups.restore(str(made.result["id"])))
        assert home.item.state is ServiceState.READY
        assert await old.query("select count(*) from t") == [(5,)]
        [(release,)] = await old.query("show server_version_num")
        assert release[:2] == str(server_of(new).major)
        assert isinstance(over.result, dict)
        assert over.result["safety_copy"] is None
        [kept] = over.result["kept"]  # type: ignore[misc, str-unpack]
        assert (Path(str(kept)) / "PG_VERSION").read_text() == version

"""What the faults of backups are tried on: one service that all tries share, and its strategy."""

from __future__ import annotations

import asyncio
import os
import time
from abc import abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from ou_vce_ext.backups import scratch
from ou_vce_ext.backups.kinds import strategy_for
from ou_vce_ext.backups.strategy import Source, Strategy
from ou_vce_ext.backups.writer import PARTIAL
from ou_vce_ext.states import ServiceState
from tests import backup_file

from .bench import Bench, Kind
from .fault import Fault, Figures
from .promises import expect
from .supervised import Supervised

CANCELLED = "cancelled, all gone, after"


async def back_up(strategy: Strategy, path: Path) -> Path:
    """As the manager does it: a file that is whole, or nothing."""
    await backup_file.back_up(strategy, path)
    return path


class OnService(Fault):
    """One service with data in it. Each kind says which, and how they are looked at."""

    kind: ClassVar[Kind]
    limit = 240.0

    async def set_up(self, bench: Bench) -> None:
        self.live: Supervised = self.share(bench, self.kind)
        await self.go_up()

    async def go_up(self) -> None:
        """Start it, and have all that its tries share."""
        found = strategy_for(self.live.driver)
        assert found
        self.strategy: Strategy = found
        await self.live.start()
        await self.make()
        await self.prepare()

    @abstractmethod
    async def make(self) -> None:
        """Put the data there; it runs."""

    @abstractmethod
    async def described(self) -> Any:
        """All that the live service holds, to be compared."""

    async def prepare(self) -> None:
        """What the tries of a fault share beside the data."""

    async def first_backup(self) -> Path:
        """One that nobody cuts."""
        return await back_up(self.strategy, self.strategy.driver.site.root_dir / "whole.tar")

    async def opened(self, path: Path) -> Source:
        """A file, opened, its checksums compared."""
        return await self.strategy.open(path, path.name)

    def expect_nothing_left(self, *folders: Path) -> None:
        """No partial file, and no folder of ours."""
        site = self.strategy.driver.site
        around = {site.data_dir, site.data_dir.parent, site.private_dir, *folders}
        names = [name for folder in around if folder.is_dir() for name in os.listdir(folder)]
        left = [name for name in names if scratch.MARK in name or name.endswith(PARTIAL)]
        expect(not left, f"left behind: {', '.join(left)}")

    async def cut(self, work: asyncio.Future[Any], after: float) -> Figures:
        """Cancel ``work`` after so many seconds, unless it has ended."""
        await asyncio.wait({work}, timeout=after)
        if work.done():
            return {}
        asked = time.monotonic()
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work
        return {CANCELLED: time.monotonic() - asked}

    async def up_again(self, since: int) -> None:
        """Wait until it has come back from a death, which was move ``since`` or a later one."""
        ends = (ServiceState.READY, ServiceState.FAILED)
        move = await self.live.moved_to(*ends, since=since, seconds=60)
        if move.new is ServiceState.FAILED:
            # Killed so often that a person has to start it.
            await self.live.start()

    def kill_scratch(self) -> None:
        """Kill -9 whatever runs on scratch folders of this service."""
        site = self.strategy.driver.site
        beginnings = [f"{site.data_dir}{scratch.MARK}", f"{site.private_dir}/{scratch.MARK}"]
        wanted = [os.fsencode(each) for each in beginnings]
        for name in filter(str.isdigit, os.listdir("/proc")):
            with suppress(OSError):
                line = Path(f"/proc/{name}/cmdline").read_bytes()
                if any(each in line for each in wanted):
                    os.kill(int(name), 9)

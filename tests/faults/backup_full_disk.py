"""Fault 19: the disk fills while a backup is being written to it."""

from __future__ import annotations

import logging
import os
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar

import pytest

from ou_vce_ext.backups import room
from ou_vce_ext.backups.counter import Counter
from ou_vce_ext.backups.manager import Backups
from ou_vce_ext.backups.reader import Archive
from ou_vce_ext.backups.strategy import Strategy
from ou_vce_ext.backups.watch import Watch
from ou_vce_ext.models import OperationState
from ou_vce_ext.services.clock import SystemClock

from .backup_small_disks import OnSmallDisk
from .bench import Bench, Kind
from .databases import ask
from .fault import Attempt, Figures
from .promises import expect

_ROWS = 4_000


class DiskFillsUp(OnSmallDisk):
    """The backup fails and says so; what is older, and the data, are as they were."""

    number = 19
    title = "The disk becomes full while PostgreSQL is backed up"
    kind: ClassVar[Kind] = "postgres"
    disk = 24_000_000
    tries = 50
    short_tries = 3
    limit = 120.0

    async def set_up(self, bench: Bench) -> None:
        self.live = self.share(bench, self.kind)
        await self.live.start()
        await ask(
            self.live.driver,
            "CREATE TABLE work AS SELECT n, (SELECT string_agg(md5(n::text || i::text), '') "
            f"FROM generate_series(1, 12) i) FROM generate_series(1, {_ROWS}) n",
        )
        self._stack = ExitStack()
        self.root = place = self._stack.enter_context(self.small_disk(bench))
        patch = self._stack.enter_context(pytest.MonkeyPatch.context())
        # What would refuse it beforehand is not what is tried here.
        patch.setattr(room, "RESERVE", 0)
        patch.setattr(Counter, "estimate", _nobody_knows)
        self.backups = Backups(
            self.live.registry, root_dir=place, clock=SystemClock(), log=logging.getLogger("test")
        )
        made = await self._back_up()
        expect(made is OperationState.SUCCEEDED, "no first backup")
        [first] = await self.backups.list()
        self.first, self.size = first, first.bytes

    async def _back_up(self) -> OperationState:
        operation = await self.backups.back_up(self.live.name)
        over = await self.live.done(operation)
        if over.error:
            expect(over.error.code == "disk-full", f"told as {over.error}")
            expect("as they were" in over.error.message, over.error.message)
        return over.state

    async def try_once(self, attempt: Attempt) -> Figures:
        left = attempt.rng.randrange(int(1.3 * self.size))
        figures = os.statvfs(self.root)
        free = figures.f_bavail * figures.f_frsize
        filler = self.root / "filler"
        filler.write_bytes(bytes(max(0, free - left)))
        try:
            state = await self._back_up()
        finally:
            filler.unlink()
        failed = state is OperationState.FAILED
        expect(failed or left > self.size, f"{state} with {left} bytes for {self.size}")
        self.backups.prover.close()
        listed = await self.backups.list()
        expect(self.first.id in {each.id for each in listed}, "an older backup is gone")
        for each in listed:
            Archive(self.root / each.path).check(Watch())
            if each.id != self.first.id:
                await self.backups.remove(each.id)
        folder = Path(self.root / self.first.path).parent
        left_over = [path.name for path in folder.iterdir() if path.name.endswith(".partial")]
        expect(not left_over, f"left behind: {left_over}")
        rows = await ask(self.live.driver, "SELECT count(*) FROM work")
        expect(rows == [(_ROWS,)], f"the data are not as they were: {rows}")
        return {}

    async def tear_down(self, bench: Bench) -> None:
        await self.backups.aclose()
        self._stack.close()
        await super().tear_down(bench)


async def _nobody_knows(self: Counter, strategy: Strategy) -> int | None:
    return None

"""Fault 19: the disk that a whole home is on is full, at whatever stage of work on its data."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections import Counter as Tally
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import Any, ClassVar

import pytest

from ou_vce_ext.backups import room, scratch
from ou_vce_ext.backups.manager import Backups
from ou_vce_ext.backups.reader import Archive
from ou_vce_ext.backups.watch import Watch
from ou_vce_ext.backups.writer import PARTIAL
from ou_vce_ext.errors import VceError
from ou_vce_ext.models import Operation, OperationState, ServiceError
from ou_vce_ext.services.clock import SystemClock
from ou_vce_ext.states import ServiceState

from .backup_service import OnService
from .backup_small_disks import OnSmallDisk
from .bench import Bench
from .fault import Attempt, Figures
from .promises import expect

WAYS = (
    "backup",
    "verify",
    "restore",
    "copied",
    "upload",
    "foreign",
    "beside",
    "everything",
    "pin",
)
"""What is asked for, by turns; ``copied`` is a restore with a safety copy first."""
QUICKLY = ("copied", "foreign")
"""The same in a quick round."""


class DiskFull(OnService, OnSmallDisk):
    """Told as that, with nothing left of it; data, older backups and the service are as they were.

    What is free when the work begins is drawn between nothing and all that the work takes.
    """

    number = 19
    tries = 72
    short_tries = len(QUICKLY)
    declared: ClassVar[Mapping[str, Any]] = {}
    """What is said of the service besides."""

    async def set_up(self, bench: Bench) -> None:
        self._stack = ExitStack()
        self.place = self._stack.enter_context(self.small_disk(bench))
        mark = bench.mark(self.number, "disk")
        self.live = bench.service(
            self.kind, self.place, mark, backup={"verify": False}, **self.declared
        )
        self._shared.append(self.live)
        self.stages: Tally[str] = Tally()
        self._since = 0
        await self.go_up()

    async def prepare(self) -> None:
        patch = self._stack.enter_context(pytest.MonkeyPatch.context())
        # What would refuse it beforehand is not what is tried here.
        patch.setattr(room, "require", lambda _: None)
        root = self.live.driver.site.root_dir
        log = self.live.lifecycle.log
        self.backups = Backups(self.live.registry, root_dir=root, clock=SystemClock(), log=log)
        await self._succeeded(await self.backups.back_up(self.live.name))
        [self.first] = await self.backups.list()
        await self._succeeded(await self.backups.verify(self.first.id))
        self.file = (root / self.first.path).read_bytes()
        self.foreign = self.dump_of_others(Archive(root / self.first.path))
        self.before = await self.described()
        self.takes: dict[str, int] = {}
        self.ways = QUICKLY if self.short else WAYS
        for way in self.ways:
            self.takes[way] = await self._measured(way)
            await self._look()

    def dump_of_others(self, archive: Archive) -> tuple[str, bytes]:
        """Name and content of a file as the service's own tools make one."""
        raise NotImplementedError

    # -- one try ---------------------------------------------------------------------------------

    async def try_once(self, attempt: Attempt) -> Figures:
        way = self.ways[attempt.number % len(self.ways)]
        left = attempt.rng.randrange(int(1.1 * self.takes[way]) + 4096)
        filler, self._since = self.place / "film", len(self.live.moves)
        descriptor = os.open(filler, os.O_CREAT | os.O_WRONLY, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, max(1, self._free() - left))
            told = await self._do(way)
        finally:
            os.close(descriptor)
            filler.unlink()
        if told is None:
            # The work took less than it does elsewhere, or what it took had been there before.
            self.stages[f"{way}: done"] += 1
        else:
            where = f"{way} with {left} bytes of {self.takes[way]}"
            # What is put beside goes into the live server, which may itself die of a full disk.
            died = any(move.new in _DEAD for move in self.live.moves[self._since :])
            known = told.code == "disk-full" or (died and way == "beside" and told.code in _SILENT)
            expect(known, f"{where}: told as {told.code}: {told.message}")
            expect(told.message and told.hint, f"{where}: no words")
            if way in _ALONE:
                others = [
                    each.path for each in await self.backups.list() if each.id != self.first.id
                ]
                expect(not others, f"{where}: told as failed, and listed: {others}")
        await self._look()
        return {}

    async def _do(self, way: str) -> VceError | ServiceError | None:
        """Why it failed; None where it did not."""
        try:
            match way:
                case "upload" | "foreign":
                    await self._upload(
                        *(("own.tar", self.file) if way == "upload" else self.foreign)
                    )
                    return None
                case "pin":
                    await self.backups.pin(self.first.id, True)
                    await self.backups.pin(self.first.id, False)
                    return None
                case _:
                    over = await self.live.done(await self._ask(way))
        except VceError as refused:
            self.stages[f"{way}: refused"] += 1
            return refused
        if over.state is OperationState.FAILED:
            self.stages[f"{way}: failed"] += 1
        return over.error

    async def _ask(self, way: str) -> Operation:
        match way:
            case "backup":
                return await self.backups.back_up(self.live.name)
            case "everything":
                return await self.backups.back_up_everything([])
            case "verify":
                return await self.backups.verify(self.first.id)
            case "beside":
                [item, *_] = [each for each in self.first.contents if each.kind in _LOADED]
                return await self.backups.restore(self.first.id, name="second", items=[item.key])
            case _:
                safely = way == "copied"
                return await self.backups.restore(self.first.id, without_safety_copy=not safely)

    async def _upload(self, name: str, content: bytes) -> None:
        upload = await self.backups.upload(self.live.name, name, None)
        try:
            for start in range(0, len(content), 65_536):
                await upload.write(content[start : start + 65_536])
            await self.backups.take_in(upload)
        finally:
            await asyncio.to_thread(upload.abandon)

    # -- looking ---------------------------------------------------------------------------------

    async def _look(self) -> None:
        """All is as it was; then only what was there at first is there."""
        await self._up()
        expect(await self.described() == self.before, "the data are not as they were")
        listed = await self.backups.list()
        known = {each.id: each for each in listed}
        expect(self.first.id in known, "an older backup is gone")
        for each in listed:
            if each.path.endswith(".tar"):
                Archive(self.live.driver.site.root_dir / each.path).check(Watch())
            if each.id != self.first.id:
                await self.backups.remove(each.id)
        left = [
            path.relative_to(self.place).as_posix()
            for path in self.place.rglob("*")
            if scratch.MARK in path.name or path.name.endswith(PARTIAL) or path.name == "swap.json"
        ]
        expect(not left, f"left behind: {left}")
        data = self.live.driver.data_dir
        for kept in data.parent.glob(f"{data.name}-before-*"):
            await asyncio.to_thread(shutil.rmtree, kept)

    async def _up(self) -> None:
        """Wait until it answers; one that has died of a full disk says so, and is started."""
        async with asyncio.timeout(60):
            while True:
                if self.live.state is ServiceState.FAILED:
                    error = self.live.lifecycle.error
                    expect(error and error.code == "disk-full", f"failed: {self.live.told()}")
                    self.stages["the service itself failed"] += 1
                    await self.live.start()
                    await self.strategy.clean()
                if self.live.state is ServiceState.READY:
                    # It may have died a moment ago.
                    with suppress(Exception):
                        await self.forget_second()
                        if any(move.new in _DEAD for move in self.live.moves[self._since :]):
                            # What was half loaded then goes before the next load, or at a start.
                            await self.strategy.clean()
                        return
                await asyncio.sleep(0.05)

    async def forget_second(self) -> None:
        """Remove what was loaded beside, where there is one. Raises where it does not answer."""
        raise NotImplementedError

    async def _succeeded(self, operation: Operation) -> None:
        over = await self.live.done(operation)
        expect(over.state is OperationState.SUCCEEDED, f"{over.kind} failed: {over.error}")

    async def _measured(self, way: str) -> int:
        """How many bytes more than before were taken at the worst moment."""
        free = least = self._free()
        doing = asyncio.ensure_future(self._do(way))
        while not doing.done():
            await asyncio.wait({doing}, timeout=0.01)
            least = min(least, self._free())
        told = doing.result()
        expect(told is None, f"{way} failed with room enough: {told}")
        return free - least

    def _free(self) -> int:
        figures = os.statvfs(self.place)
        return figures.f_bavail * figures.f_frsize

    async def tear_down(self, bench: Bench) -> None:
        await self.backups.aclose()
        await super().tear_down(bench)
        self._stack.close()


_DEAD = (ServiceState.BACKOFF, ServiceState.FAILED)
_ALONE = ("backup", "everything", "upload", "foreign")
"""What makes one backup, and nothing besides."""
_SILENT = ("command-failed", "not-answering")
_LOADED = ("database", "project", "folder")

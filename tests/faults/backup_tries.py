"""Faults 18, 20, 21 and 22 in one process: a backup that is cut, damaged, or written to.

What is true of them for every kind; the kinds say what they are tried on.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from abc import abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from ou_vce_ext.backups.strategy import Layer, Source
from ou_vce_ext.backups.watch import Watch
from ou_vce_ext.errors import UnsuitableError, VceError

from .backup_service import CANCELLED, OnService, back_up
from .fault import Attempt, Figures, Measure
from .promises import expect

_ZEROS = 1_024
"""Bytes at a tar's end that nobody needs."""


class BackupCut(OnService):
    """Cancelled at any moment, or the service killed: a whole backup or none."""

    number = 18
    tries = 60
    short_tries = 4
    measures = (Measure(CANCELLED, 2.0),)

    async def prepare(self) -> None:
        began = time.monotonic()
        path = await self.first_backup()
        self.takes = time.monotonic() - began
        self.keys = {item.key for item in (await self.opened(path)).contents}

    async def change(self, attempt: Attempt) -> None:
        """Work on what is about to be backed up."""

    async def expect_unchanged(self, attempt: Attempt) -> None:
        """What :meth:`change` has done is still there."""

    async def try_once(self, attempt: Attempt) -> Figures:
        # As seldom as this a death is no reason to give the service up.
        kill = attempt.number % 15 == 3
        if not kill:
            await self.change(attempt)
        path, since = attempt.folder / "backup.tar", len(self.live.moves)
        taking = asyncio.ensure_future(back_up(self.strategy, path))
        after = attempt.rng.uniform(0, 1.1 * self.takes)
        figures: Figures = {}
        if kill:
            await asyncio.wait({taking}, timeout=after)
            self.live.kill(self.live.pid)
            with suppress(VceError):
                await taking
        else:
            figures = await self.cut(taking, after)
        self.expect_nothing_left(attempt.folder)
        if taking.cancelled() or taking.exception() is not None:
            expect(not path.exists(), "a backup that was cut off is listed")
        else:
            source = await self.opened(path)
            expect({item.key for item in source.contents} == self.keys, "something is missing")
        if kill:
            await self.up_again(since)
        else:
            await self.expect_unchanged(attempt)
        return figures


class BackupDamaged(OnService):
    """Cut short or with one bit changed: refused, or nothing of what it holds is other."""

    number = 20
    tries = 400
    short_tries = 20

    async def prepare(self) -> None:
        self.wholes = await self.files()
        home = self.strategy.driver.site.root_dir
        self.good = [
            await self._read(content, home / f"good{number}")
            for number, content in enumerate(self.wholes)
        ]

    async def files(self) -> list[bytes]:
        """What is to be damaged: a backup of ours, and what else the kind can read."""
        return [(await self.first_backup()).read_bytes()]

    @abstractmethod
    async def held(self, source: Source, path: Path) -> Any:
        """All that can be got out of it; ``path`` is where more can be put beside."""

    async def try_once(self, attempt: Attempt) -> Figures:
        which = attempt.number % len(self.wholes)
        content = bytearray(self.wholes[which])
        cut = attempt.number // len(self.wholes) % 2 == 0
        if cut:
            del content[attempt.rng.randrange(len(content) - (0 if which else _ZEROS)) :]
        else:
            content[attempt.rng.randrange(len(content))] ^= 1 << attempt.rng.randrange(8)
        try:
            found = await self._read(bytes(content), attempt.folder / "damaged.tar")
        except UnsuitableError:
            return {}
        expect(not cut, "one that was cut was taken")
        expect(found == self.good[which], "one with a bit changed was taken for other data")
        return {}

    async def _read(self, content: bytes, path: Path) -> Any:
        path.write_bytes(content)
        return await self.held(await self.opened(path), path)


class RestoreCut(OnService):
    """Cancelled, or its scratch copy killed: nothing is left, and the live data are untouched."""

    number = 21
    tries = 60
    short_tries = 3
    measures = (Measure(CANCELLED, 2.0),)
    second: ClassVar[str] = "second"
    """What they are called there."""

    async def prepare(self) -> None:
        self.source = await self.opened(await self.first_backup())
        self.before = await self.described()
        began = time.monotonic()
        await self.strategy.build([Layer(self.source)], Watch(), keep=False)
        self.builds = time.monotonic() - began
        began = time.monotonic()
        await self._load()
        self.loads = time.monotonic() - began
        await self.take_second()

    @abstractmethod
    async def take_second(self) -> None:
        """What was loaded beside is what was there; and remove it again."""

    async def _load(self) -> None:
        await self.strategy.load_beside(self.source, self.items(), self.second, Watch())

    def items(self) -> frozenset[str] | None:
        """The keys of what is loaded beside; None: all."""
        return None

    async def try_once(self, attempt: Attempt) -> Figures:
        if attempt.number % 3 == 1:
            loading = asyncio.ensure_future(self._load())
            figures = await self.cut(loading, attempt.rng.uniform(0, self.loads))
            if not loading.cancelled():
                loading.result()
                await self.take_second()
        else:
            figures = await self._built(attempt, kill=attempt.number % 6 == 2)
        await self.settled()
        self.expect_nothing_left()
        expect(await self.described() == self.before, "the live data have changed")
        return figures

    async def settled(self) -> None:
        """Wait for what the service itself has still to bring to an end."""

    async def _built(self, attempt: Attempt, *, kill: bool) -> Figures:
        building = asyncio.ensure_future(
            self.strategy.build([Layer(self.source)], Watch(), keep=True)
        )
        after = attempt.rng.uniform(0, self.builds)
        figures: Figures = {}
        if kill:
            await asyncio.wait({building}, timeout=after)
            self.kill_scratch()
        else:
            figures = await self.cut(building, after)
        if not building.cancelled():
            try:
                built = await building
                assert built
                await asyncio.to_thread(shutil.rmtree, built.folder)
            except UnsuitableError as error:
                raise AssertionError(f"a good backup was called bad: {error}") from error
            except VceError:
                expect(kill, "a build failed that nobody had cut")
        return figures


class WriteLoad(OnService):
    """Written to all the time, a backup is of one moment: what always holds, holds in it."""

    number = 22
    tries = 50
    short_tries = 2

    @abstractmethod
    async def write(self, ended: asyncio.Event) -> None:
        """Change one thing after the other until told to end."""

    async def moment(self) -> Any:
        """How far it is before the backup begins."""

    @abstractmethod
    async def expect_of_one_moment(self, source: Source, before: Any, folder: Path) -> None:
        """See that it is, and of none before ``before``; ``folder`` is for anything."""

    async def try_once(self, attempt: Attempt) -> Figures:
        ended = asyncio.Event()
        writing = asyncio.ensure_future(self.write(ended))
        # As much as is written in a random while.
        await asyncio.sleep(attempt.rng.uniform(0, 0.3))
        before = await self.moment()
        try:
            path = await back_up(self.strategy, attempt.folder / "backup.tar")
        finally:
            ended.set()
            await writing
        await self.expect_of_one_moment(await self.opened(path), before, attempt.folder)
        self.expect_nothing_left(attempt.folder)
        return {}

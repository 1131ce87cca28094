"""Fault 16: the machine's clock is set back and forward while services run.

The clock of this machine is left alone: these tries run in a process of their own, keepers
included, for which libfaketime changes the time of day and leaves the monotonic clock. The small
apps are left out of it, since libfaketime makes their waits go wrong.
"""

from __future__ import annotations

import asyncio
import os
import random
import shlex
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from ou_vce_ext.states import ServiceState

from .app_commands import app
from .bench import Bench
from .fault import Attempt, Fault, Figures, Measure, MissingPartError
from .promises import expect
from .slow_starts import SlowOrFlapping

FILE = "FAKETIME_TIMESTAMP_FILE"
HANG_SEEN = "a hang is shown after"
STOPPED = "a stop takes, beyond its timeout"
UNMOVED = {"LD_PRELOAD": ""}
SPANS = (1, 60, 3600, 86_400, 40_000_000, 300_000_000)


def library() -> Path | None:
    """libfaketime, for programs with threads; None where it is not installed."""
    places = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
    return next(places, None)


class ClockMoved(Fault):
    """Restarts, liveness and stops keep their times, whatever the time of day does."""

    number = 16
    title = "the clock set back and forward, by seconds to years"
    # The library that moves the clock slows everything down: with more, that would be measured.
    at_once = 5
    stagger = 0.2
    limit = 90.0
    measures = (
        *(measure for measure in SlowOrFlapping.measures[1:]),
        Measure(HANG_SEEN, 15.0),
        Measure(STOPPED, 1.0),
    )

    @classmethod
    def environment(cls, folder: Path) -> Mapping[str, str]:
        """What a process needs whose clock we may move."""
        found = library()
        if found is None:
            raise MissingPartError("libfaketime (Debian: faketime) is not installed")
        # Read at every look at the clock: on a disk, each would wait while the disk is busy.
        memory = Path("/dev/shm")
        stamp = (memory if memory.is_dir() else folder) / f"clock-{os.getpid()}"
        stamp.write_text("+0")
        return {
            "LD_PRELOAD": str(found),
            FILE: str(stamp),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    async def set_up(self, bench: Bench) -> None:
        self._stamp = Path(os.environ[FILE])
        self._moved = 0
        # Keepers are given a bare environment: theirs has to move as well.
        python = bench.root / "python"
        names = ("LD_PRELOAD", FILE, "FAKETIME_NO_CACHE", "FAKETIME_DONT_FAKE_MONOTONIC")
        lines = [f"export {name}={shlex.quote(os.environ[name])}" for name in names]
        run = f'exec {shlex.quote(sys.executable)} "$@"'
        python.write_text("\n".join(["#!/bin/sh", *lines, run, ""]))
        python.chmod(0o755)
        self._python, sys.executable = sys.executable, str(python)
        # What is imported at the first start takes its time here, which is nobody's fault.
        first = self.share(bench, "web", command=app("serves"), env=UNMOVED)
        await first.start()
        await first.stop()
        self._moving = asyncio.ensure_future(self._move())

    async def _move(self) -> None:
        """Move the clock a few times a second, now here, now there."""
        rng = random.Random(self.number)
        while True:
            for sign in "+-":
                before, then = time.monotonic(), datetime.now(UTC)
                span = rng.choice(SPANS) * rng.random()
                made = self._stamp.with_suffix(".new")
                made.write_text(f"{sign}{span:.3f}")
                made.rename(self._stamp)
                took = time.monotonic() - before
                # A busy machine may hold us up by a second or two; the clock moves by far more.
                expect(0 <= took < 10, f"the monotonic clock was moved too, by {took:.1f} s")
                self._moved += abs((datetime.now(UTC) - then).total_seconds()) > 0.5
                await asyncio.sleep(rng.uniform(0.05, 0.4))

    async def try_once(self, attempt: Attempt) -> Figures:
        match attempt.number % 3:
            case 0:
                return await self._stop(attempt)
            case 1:
                service = attempt.service("web", command=app("flaps", 0.05), env=UNMOVED)
                return await SlowOrFlapping().given_up(service)
            case _:
                return await self._hang(attempt)

    async def _hang(self, attempt: Attempt) -> Figures:
        hang = attempt.folder / "hang"
        service = attempt.service("web", command=app("hangs", hang), env=UNMOVED)
        await service.start()
        await asyncio.sleep(attempt.rng.uniform(0, 7))
        before, began = len(service.moves), time.monotonic()
        hang.touch()
        shown = await service.moved_to(ServiceState.UNRESPONSIVE, since=before, seconds=40)
        return {HANG_SEEN: shown.at - began}

    async def _stop(self, attempt: Attempt) -> Figures:
        """It ignores SIGTERM: it is to be given its time, and then no more."""
        timeout = attempt.rng.choice((1.0, 2.0, 3.0))
        service = attempt.service(
            "web", command=app("ignores_term"), stop_timeout=timeout, env=UNMOVED
        )
        await service.start()
        took = await service.stop()
        expect(took > timeout - 0.1, f"it was given {took:.2f} s to end, not {timeout:g} s")
        return {STOPPED: took - timeout}

    async def tear_down(self, bench: Bench) -> None:
        """The clock has really been moved."""
        sys.executable = self._python
        self._moving.cancel()
        with suppress(asyncio.CancelledError):
            await self._moving
        expect(self._moved > 5, f"the clock was only moved {self._moved} times")
        await super().tear_down(bench)
        self._stamp.unlink(missing_ok=True)

"""Trying faults, many times each, and what came of it."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .bench import Bench
from .fault import Attempt, Fault, Figures
from .promises import BrokenPromiseError, expect

CLOSING = 90.0


@dataclass
class Result:
    """What came of one fault: ``figures`` by measure, one of each try that gave it."""

    number: int
    title: str
    tries: int = 0
    seconds: float = 0.0
    failures: list[str] = field(default_factory=list)
    figures: dict[str, list[float]] = field(default_factory=dict)
    measures: list[dict[str, Any]] = field(default_factory=list)

    def add(self, figures: Figures) -> None:
        """Take in what one try gave."""
        for name, value in figures.items():
            self.figures.setdefault(name, []).append(value)

    def to_json(self) -> dict[str, Any]:
        """Counts, failures in words, and each measure's median and worst."""
        measures = [
            {
                **measure,
                "tries": len(values),
                "median": statistics.median(values),
                "worst": max(values),
            }
            for measure in self.measures
            if (values := self.figures.get(measure["name"]))
        ]
        return {
            "number": self.number,
            "title": self.title,
            "tries": self.tries,
            "failures": self.failures,
            "seconds": round(self.seconds, 1),
            "measures": measures,
        }


@dataclass(frozen=True, slots=True)
class Campaign:
    """How faults are tried. The same ``seed`` draws the same random numbers for each try.

    ``tries`` stands in for each fault's own number where it is given; ``short`` is a quick round.
    What takes time may take ``patience`` times what it is held to: 1 where it is measured, and more
    where the machine may be busy with anything, as in the tests.
    """

    seed: int
    tries: int | None = None
    short: bool = False
    patience: float = 1.0
    say: Callable[[str], None] = print

    async def run(self, bench: Bench, faults: Sequence[type[Fault]]) -> list[Result]:
        """Try all of ``faults``, one after the other."""
        return [await self.run_fault(bench, fault()) for fault in faults]

    async def run_fault(self, bench: Bench, fault: Fault) -> Result:
        """All tries of one fault, ``fault.at_once`` at a time."""
        result = Result(fault.number, fault.title)
        result.measures = [asdict(measure) for measure in fault.measures]
        wanted = self.tries or (fault.short_tries if self.short else fault.tries)
        fault.short = self.short
        bench.patience = self.patience
        began = time.monotonic()
        await fault.set_up(bench)
        gate = asyncio.Semaphore(fault.at_once)

        async def one(number: int) -> None:
            async with gate:
                await asyncio.sleep(number % fault.at_once * fault.stagger)
                await self._try(bench, fault, number, result)

        await asyncio.gather(*(one(number) for number in range(wanted)))
        try:
            await fault.tear_down(bench)
        except Exception as failure:
            self._failed(result, fault, "the end", in_words(failure))
        result.seconds = time.monotonic() - began
        return result

    async def _try(self, bench: Bench, fault: Fault, number: int, result: Result) -> None:
        rng = random.Random(f"{self.seed}:{fault.number}:{number}")
        attempt = Attempt(bench, fault.number, number, rng, self.short)
        result.tries += 1
        words = []
        limit, closing = fault.limit * self.patience, CLOSING * self.patience
        try:
            async with asyncio.timeout(limit):
                figures = await fault.try_once(attempt)
            # What was too slow counts among the figures as well: the worst is the worst.
            result.add(figures)
            for measure in fault.measures:
                value = figures.get(measure.name, 0.0)
                if measure.most is None:
                    continue
                most = measure.most * (self.patience if measure.unit == "s" else 1.0)
                expect(
                    value <= most,
                    f"{measure.name}: {value:.3f} {measure.unit}, not {most:g} at most",
                )
        except TimeoutError:
            words.append(f"wedged: not over after {limit:g} s")
        except Exception as failure:
            words.append(in_words(failure))
        try:
            async with asyncio.timeout(closing):
                await attempt.close()
        except TimeoutError:
            words.append(f"wedged: not stopped after {closing:g} s")
        except Exception as failure:
            words.append(in_words(failure))
        if words:
            self._failed(result, fault, f"try {number}", "; and ".join(words))

    def _failed(self, result: Result, fault: Fault, which: str, words: str) -> None:
        result.failures.append(f"fault {fault.number}, {which}, seed {self.seed}: {words}")
        self.say(result.failures[-1])


def in_words(failure: Exception) -> str:
    """A broken promise says itself what is wrong; of anything else the kind and the place help."""
    if isinstance(failure, BrokenPromiseError):
        return str(failure)
    place = traceback.extract_tb(failure.__traceback__)[-1]
    return f"{type(failure).__name__}: {failure} ({Path(place.filename).name}:{place.lineno})"

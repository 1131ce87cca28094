"""What a fault is: how often it is tried, what is measured, what may not be true of any try."""

from __future__ import annotations

import random
import shutil
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from .bench import Bench, Kind
from .leftovers import leftovers
from .promises import expect
from .supervised import Supervised

Figures = dict[str, float]


class MissingPartError(Exception):
    """Something is not installed without which a fault cannot be tried."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure that tries give. ``most`` is what each of them is held to, in its unit."""

    name: str
    most: float | None = None
    unit: str = "s"


@dataclass
class Attempt:
    """One try: its own random numbers, folder and mark. What it starts is stopped at its end.

    ``short`` asks for the quickest form that still tells.
    """

    bench: Bench
    fault: int
    number: int
    rng: random.Random
    short: bool
    folder: Path = field(init=False)
    services: list[Supervised] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.folder = self.bench.root / f"{self.fault}-{self.number}"
        self.folder.mkdir(mode=0o711)

    @property
    def mark(self) -> str:
        """What every process of this try has in its environment."""
        return self.bench.mark(self.fault, self.number)

    def service(self, kind: Kind, **declaration: Any) -> Supervised:
        """A service in this try's folder, not started yet. See :meth:`Bench.service`."""
        made = self.bench.service(kind, self.folder, self.mark, **declaration)
        self.services.append(made)
        return made

    async def close(self) -> None:
        """Stop whatever is left running, and see that then nothing is."""
        for service in self.services:
            await service.close()
        left = leftovers(self.mark, self.folder)
        expect(not left, f"left behind: {', '.join(left)}")
        shutil.rmtree(self.folder, ignore_errors=True)


class Fault(ABC):
    """One fault of the list, or a close family of them. One object lives for one campaign."""

    number: ClassVar[int]
    title: ClassVar[str]
    tries: ClassVar[int] = 50
    short_tries: ClassVar[int] = 2
    at_once: ClassVar[int] = 1
    """How many tries may overlap, where they mostly wait."""
    stagger: ClassVar[float] = 0.0
    """Seconds between the beginnings of tries that overlap, so that they do not all want to start
    their programs at the same moment."""
    limit: ClassVar[float] = 60.0
    """Seconds after which a try counts as wedged."""
    measures: ClassVar[tuple[Measure, ...]] = ()

    @classmethod
    def environment(cls, folder: Path) -> Mapping[str, str]:
        """What its tries need in the environment from the start: they get a process of their own.

        ``folder`` is theirs. Raises MissingPartError where it cannot be tried here.
        """
        return {}

    short = False
    """Whether this is a quick round."""

    def __init__(self) -> None:
        self._shared: list[Supervised] = []
        self._folder: Path | None = None

    async def set_up(self, bench: Bench) -> None:
        """Before the first try: what all tries share."""
        return

    def share(self, bench: Bench, kind: Kind, **declaration: Any) -> Supervised:
        """A service for all tries, not started yet. See :meth:`Bench.service`."""
        self._folder = bench.root / f"{self.number}-shared"
        self._folder.mkdir(mode=0o711, exist_ok=True)
        mark = bench.mark(self.number, "shared")
        made = bench.service(kind, self._folder, mark, **declaration)
        self._shared.append(made)
        return made

    @abstractmethod
    async def try_once(self, attempt: Attempt) -> Figures:
        """Do it once. Returns figures by the name of their measure; raises where it does not hold.

        ``attempt.number`` counts from 0, so that kinds of tries can take turns.
        """

    async def tear_down(self, bench: Bench) -> None:
        """After the last try: stop what all shared, and see that nothing is left of it."""
        for service in self._shared:
            await service.close()
        if self._folder is not None:
            left = leftovers(bench.mark(self.number, "shared"), self._folder)
            expect(not left, f"left behind after the last try: {', '.join(left)}")
            shutil.rmtree(self._folder, ignore_errors=True)

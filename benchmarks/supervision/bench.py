"""Where the managers are compared: a folder, ports, marks, and the rows of a table."""

from __future__ import annotations

import itertools
import os
import random
import re
import signal
import socket
import statistics
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.faults.app_commands import app
from tests.faults.leftovers import living

from .managers import Manager, Program
from .others import MANAGERS

Command = Callable[[str], Sequence[str]]
"""Given a port, the words of a command."""
LONGEST_WORDS = 130


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what was looked at, and what was found, by title of the manager."""

    what: str
    found: Mapping[str, str]


class Bench:
    """Makes programs, and opens managers for them, in ``root``. ``tries`` of each situation."""

    def __init__(self, root: Path, tries: int) -> None:
        self.root = root
        self.tries = tries
        # Where a try takes over 15 s.
        self.long_tries = min(tries, 3)
        self._numbers = itertools.count(1)
        self._ports = free_ports()

    def folder(self, word: str) -> Path:
        """A place that is not there yet."""
        return self.root / f"{word}{next(self._numbers)}"

    def programs(self, word: str, count: int, command: Command) -> dict[str, Program]:
        """So many programs, each with a port and a mark of its own."""
        found = {}
        for number in range(count):
            port = next(self._ports)
            mark = f"{self.root.name}-{next(self._numbers)}"
            found[f"{word}{number}"] = Program(tuple(command(str(port))), port, mark)
        return found

    @contextmanager
    def open(self, kind: type[Manager], programs: Mapping[str, Program]) -> Iterator[Manager]:
        """Run a manager; at the end nothing of its programs is left, whatever it did."""
        with kind.opened(self.folder("home"), programs) as manager:
            try:
                yield manager
            finally:
                manager.terminate()
                for pid in alive(programs):
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)


def free_ports() -> Iterator[int]:
    """Ports that nobody has, each once; none of those that the system gives out by itself."""
    first = random.randrange(15_000, 25_000)
    for port in range(first, 32_000):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        yield port


def alive(programs: Mapping[str, Program]) -> list[int]:
    """Every process of ``programs``."""
    return [pid for program in programs.values() for pid in living(program.mark)]


def each(find: Callable[[type[Manager]], str]) -> dict[str, str]:
    """What ``find`` finds of each manager, one after the other."""
    found = {}
    for kind in MANAGERS:
        found[kind.title] = find(kind)
        say(f"    {kind.title}: {found[kind.title]}")
    return found


def say(words: str) -> None:
    """Tell how far it is, beside the table."""
    print(words, file=sys.stderr, flush=True)


def middle(figures: Sequence[float], unit: str) -> str:
    """The median, in so many digits as mean something, and the worst where it is far from that."""

    def number(figure: float) -> str:
        return f"{figure:.2g}" if figure < 10 else f"{figure:.0f}"

    median, worst = statistics.median(figures), max(figures)
    text = f"{number(median)} {unit}"
    return f"{text} (worst {number(worst)})" if worst > 1.5 * median else text


def mostly(words: Sequence[str]) -> str:
    """What was said most often."""
    # A program's number, a port and a process's id are another one in each try.
    alike = [re.sub(r"\b\d{4,}\b", "…", re.sub(r"(?<=[a-z])\d+\b", "", text)) for text in words]
    (text, count), *_ = Counter(alike).most_common(1)
    if len(text) > LONGEST_WORDS:
        text = text[: LONGEST_WORDS - 1].rstrip() + "…"
    return f"“{text}”" if count == len(words) else f"“{text}” ({count} of {len(words)})"


def of(count: int, tries: int, yes: str = "yes", no: str = "no") -> str:
    """``yes`` or ``no``, and how often where it was not always the same."""
    if count in (0, tries):
        return yes if count else no
    return f"{yes}, {count} of {tries} times"


Side = dict[type[Manager], tuple[Manager, dict[str, Program]]]


@contextmanager
def side_by_side(bench: Bench, sets: Mapping[type[Manager], dict[str, Program]]) -> Iterator[Side]:
    """All managers at once, each with its own programs."""
    with ExitStack() as stack:
        yield {
            kind: (stack.enter_context(bench.open(kind, programs)), programs)
            for kind, programs in sets.items()
        }


def plain(name: str) -> Command:
    """The command of an app that is told its port and nothing more."""
    return lambda port: app(name, port=port)


def read(file: Path) -> str:
    """What is in it, if it is there."""
    return file.read_text() if file.exists() else ""

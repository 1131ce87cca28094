"""Desktop programs in a tab, side by side with the same commands by hand and websockify.

Run with ``make benchmarks BENCHMARKS=desktop``, or ``python -m benchmarks.desktop [--quick]
[--print]`` with websockify on the module path. Each round does one after the other; see
``desktop_places`` for what is compared. Ratios are medians of each round's own. What a whole run
prints goes into docs/desktop.md too, unless ``--print`` leaves that alone.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ou_vce_ext.services import proc
from tests.faults.report import machine, put_into
from tests.integration.jupyter_rig import REPOSITORY, Jupyter, jupyter

from .desktop_places import COMMANDS, Place, as_service, browser, by_hand

OURS, OTHER = "ou_vce_ext", "websockify and noVNC"
PAGE = REPOSITORY / "docs" / "desktop.md"
BEGIN, END = "<!-- benchmark: begin -->", "<!-- benchmark: end -->"


def cpu(pids: list[int]) -> float:
    """Seconds of processor time that they have used."""
    return sum(found.cpu for found in map(proc.stat, pids) if found) / proc.TICKS


def memory(pids: list[int]) -> float:
    """Megabytes, each shared page counted once (PSS)."""
    return proc.cost(pids).memory / 1e6


class Bench:
    """All rounds; ``said`` is all that was printed."""

    def __init__(self, server: Jupyter, folder: Path, told: argparse.Namespace) -> None:
        self.server = server
        self.folder = folder
        self.told = told
        self.said: list[str] = []
        self.rounds = 0

    def say(self, *lines: str) -> None:
        """Print, and keep."""
        self.said += lines
        print(*lines, sep="\n", flush=True)

    @contextmanager
    def place(self, who: str, what: str, *, watched: bool = False) -> Iterator[tuple[Place, float]]:
        """A desktop of either kind, and how long its first picture took."""
        self.rounds += 1
        made = (
            as_service(self.server, what, watched=watched)
            if who == OURS
            else by_hand(self.folder / str(self.rounds), what, watched=watched)
        )
        with made as found:
            yield found

    def turns(self, rounds: int) -> Iterator[str]:
        """Who is next: each in each round, and each first in every other."""
        for number in range(rounds):
            yield from (OURS, OTHER) if number % 2 else (OTHER, OURS)

    def first_pictures(self) -> None:
        """From the click, in a browser that is open by then."""
        for what, words in (
            ("daisyworld", "Daisyworld (Java)"),
            ("keys", "a program that starts at once"),
        ):
            seconds: dict[str, list[float]] = {OURS: [], OTHER: []}
            for who in self.turns(self.told.starts):
                with self.place(who, what, watched=True) as (_, taken):
                    seconds[who].append(taken)
            self._say_times(f"click to first picture, {words}", seconds)

    def _say_times(self, title: str, seconds: dict[str, list[float]]) -> None:
        ours, other = seconds[OURS], seconds[OTHER]
        ratio = statistics.median(a / b for a, b in zip(ours, other, strict=True))
        self.say(f"| {title} | {_ms(ours)} | {_ms(other)} (by hand) | {ratio:.2f} |")

    def start_and_keys(self) -> None:
        """First picture without a browser; key to pixel; memory and time of an idle one."""
        first: dict[str, list[float]] = {OURS: [], OTHER: []}
        keys: dict[str, list[float]] = {OURS: [], OTHER: []}
        idle, used = 0.0, 0.0
        for who in self.turns(self.told.rounds):
            with self.place(who, "keys") as (place, seconds):
                first[who].append(seconds)
                keys[who] += browser(place, what="keys", times=self.told.keys)
                if who == OURS:
                    service = self.server.service("keys")
                    idle = service["memory_bytes"] / 1e6
                    session = [int(service["pid"])]
                    tree = [pid for pid in place.processes() if _is_of(pid, place, session)]
                    before = cpu(tree)
                    time.sleep(self.told.idle)
                    used = cpu(tree) - before
        self._say_times("the same, seen on its socket and not in a browser", first)
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            ours, other = (_share(keys[who], share) for who in (OURS, OTHER))
            self.say(
                f"| key to changed pixel, {name} | {ours:.1f} ms | {other:.1f} ms "
                f"| {ours / other:.2f} |"
            )
        self.say(
            f"| an idle desktop | {idle:.0f} MB, {used:.2f} s of CPU in {self.told.idle} s "
            "with nobody looking | | |"
        )

    def video(self) -> None:
        """Full screens a second, and what they cost."""
        rates: dict[str, list[float]] = {OURS: [], OTHER: []}
        load: dict[str, list[float]] = {OURS: [], OTHER: []}
        grown: dict[str, list[float]] = {OURS: [], OTHER: []}
        for who in self.turns(self.told.rounds):
            with self.place(who, "video") as (place, _):
                pids = place.processes()
                size, before, began = memory(pids), cpu(pids), time.monotonic()
                rates[who] += browser(place, what="frames", seconds=self.told.seconds)
                load[who].append((cpu(pids) - before) / (time.monotonic() - began))
                grown[who].append(memory(place.processes()) - size)
        for title, unit, values in (
            ("full screens a second (60 are drawn)", "", rates),
            ("the server's CPU meanwhile", " cores", load),
            ("the server's memory, more than before", " MB", grown),
        ):
            ours, other = (statistics.median(values[who]) for who in (OURS, OTHER))
            ratio = f"{ours / other:.2f}" if other else ""
            self.say(f"| {title} | {ours:.2f}{unit} | {other:.2f}{unit} | {ratio} |")


def _is_of(pid: int, place: Place, known: list[int]) -> bool:
    try:
        text = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace")
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return False
    return pid in known or str(place.socket.parent) in text or name == "vce-session"


def _ms(values: list[float]) -> str:
    return f"{1000 * statistics.median(values):.0f} ms"


def _share(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def _declared() -> str:
    path = json.dumps(str(REPOSITORY))
    lines = [f"[services.{kind}]\nenabled = false" for kind in ("openrefine", "postgres", "mongo")]
    lines += [
        f'[services.{name}]\nkind = "desktop"\ncommand = {json.dumps(words)}\ncwd = {path}'
        for name, words in COMMANDS.items()
    ]
    return "\n".join([*lines, ""])


def main() -> None:
    """Measure, print, and put what was printed into the documentation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two short rounds")
    parser.add_argument("--print", action="store_true", help="leave docs/desktop.md alone")
    parser.add_argument("--first", action="store_true", help="only the first pictures")
    told = parser.parse_args()
    # The window manager's own word that it is at work.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    told.starts, told.rounds, told.keys, told.seconds, told.idle = (
        (3, 2, 60, 4, 10) if told.quick else (11, 5, 200, 10, 30)
    )
    with tempfile.TemporaryDirectory(prefix="vce-") as folder:
        home = Path(folder)
        runtime = home / "run"
        runtime.mkdir(mode=0o700)
        env = {"VCE_RUNTIME_DIR": str(runtime)}
        with jupyter(home / "home", toml=_declared(), env=env) as server:
            bench = Bench(server, home, told)
            load = os.getloadavg()[0]
            bench.say(
                f"{machine()}; {told.starts} starts, {told.rounds} rounds of the rest; "
                f"load {load:.1f} at the beginning.",
                "",
                f"| | {OURS} | {OTHER} | ratio |",
                "|---|---|---|---|",
            )
            bench.first_pictures()
            if not told.first:
                bench.start_and_keys()
                bench.video()
        if not (told.print or told.first):
            put_into(PAGE, "\n".join([*bench.said, ""]), begin=BEGIN, end=END)


if __name__ == "__main__":
    main()

"""Situations 2, 4 and 5: programs, their trees and their managers are killed or stopped."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from ou_vce_ext.services import proc
from tests.faults.app_commands import app
from tests.faults.leftovers import has_mark

from .bench import Bench, Command, Row, alive, each, middle, of, plain, read, say, side_by_side
from .managers import STOP_SECONDS, Manager, Program
from .others import MANAGERS

STUBBORN = {
    "serves": "as it should be",
    "ignores_term": "ignores SIGTERM",
    "double_forks": "double fork",
    "own_session": "setsid",
    "wraps": "wrapper without exec",
    "leaves_orphan": "orphan holding the output pipe",
}


def respawn_time(manager: Manager, mark: str, old: int) -> float | None:
    """Milliseconds from the kill of ``old`` until another process of ``mark`` runs."""
    before = {old, *proc.descendants(manager.process.pid)}
    began = time.perf_counter()
    os.kill(old, signal.SIGKILL)
    while time.perf_counter() - began < 10:
        for pid in proc.descendants(manager.process.pid):
            if pid not in before and has_mark(pid, mark):
                return 1000 * (time.perf_counter() - began)
        time.sleep(0.001)
    return None


def main_process_killed(bench: Bench) -> list[Row]:
    """The main process is killed."""

    def find(kind: type[Manager]) -> str:
        took = []
        programs = bench.programs("killed", bench.tries, plain("serves"))
        with bench.open(kind, programs) as manager:
            for name, program in programs.items():
                manager.begin(name)
                manager.wait_ready(name)
                time.sleep(0.5)
                (old,) = alive({name: program})
                took.append(respawn_time(manager, program.mark, old))
        there = [each for each in took if each is not None]
        missing = "" if len(there) == len(took) else f", {len(took) - len(there)} times not at all"
        return (middle(there, "ms") if there else "never") + missing

    return [Row("main process killed (SIGKILL): until a new one runs", each(find))]


def saving(file: Path) -> Command:
    """The command of a program that takes half a second to save into ``file`` when told to end."""
    return lambda port: app("saves", file, 0.5, port=port)


def manager_killed(bench: Bench) -> list[Row]:
    """The manager itself is killed."""
    left: dict[str, list[int]] = {kind.title: [] for kind in MANAGERS}
    saved: dict[str, int] = {kind.title: 0 for kind in MANAGERS}
    for _ in range(bench.long_tries):
        files = {kind: bench.folder("saved") for kind in MANAGERS}
        sets = {kind: bench.programs("kept", 1, saving(file)) for kind, file in files.items()}
        with side_by_side(bench, sets) as side:
            for manager, programs in side.values():
                manager.begin(*programs)
                manager.wait_ready(*programs)
            for manager, _programs in side.values():
                manager.kill()
            time.sleep(15)
            for kind, (_manager, programs) in side.items():
                left[kind.title].append(len(alive(programs)))
                saved[kind.title] += "saved" in read(files[kind])
    return [
        Row(
            "the manager killed (SIGKILL): processes of the service there 15 s later",
            {title: f"{max(counts)}" for title, counts in left.items()},
        ),
        Row(
            "told to end gently (it saved)",
            {title: of(count, bench.long_tries) for title, count in saved.items()},
        ),
    ]


def stubborn_trees(bench: Bench) -> list[Row]:
    """Trees that do not want to end are stopped."""
    strays: dict[str, dict[str, str]] = {name: {} for name in STUBBORN}
    for kind in MANAGERS:
        took: dict[str, list[float]] = {name: [] for name in STUBBORN}
        left: dict[str, list[int]] = {name: [] for name in STUBBORN}
        for _ in range(bench.tries):
            programs: dict[str, Program] = {}
            for name in STUBBORN:
                word = name.replace("_", "")
                programs |= bench.programs(word, 1, plain(name))
            with bench.open(kind, programs) as manager:
                for service in programs:
                    manager.begin(service)
                manager.wait_ready(*programs)
                began = time.monotonic()
                if not manager.can_stop:
                    manager.terminate()
                ended = time.monotonic() - began
                for name, (service, program) in zip(STUBBORN, programs.items(), strict=True):
                    began = time.monotonic()
                    if manager.can_stop:
                        manager.stop(service)
                        ended = time.monotonic() - began
                    time.sleep(1)
                    took[name].append(ended)
                    left[name].append(len(alive({service: program})))
        for name in STUBBORN:
            words = f"{max(left[name])} left, {middle(took[name], 's')}"
            strays[name][kind.title] = words if kind.can_stop else f"no stop; ¹ {words}"
        say(f"    {kind.title}: { {name: found[kind.title] for name, found in strays.items()} }")
    return [
        Row(f"stop of a tree, {words}: strays, and how long it took", strays[name])
        for name, words in STUBBORN.items()
    ]


NOTES = (
    "¹ jupyter-server-proxy cannot stop a program: Jupyter was told to end (SIGTERM) instead.",
    f"Time to stop before a program is killed: {STOP_SECONDS} s for ou_vce_ext and supervisord.",
)

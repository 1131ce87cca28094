"""Requests at random, a hundred thousand of them, to a real server: no 500, no hang, no leak.

Run with ``python -m benchmarks.fuzz [--requests N] [--seed N] [--connections N]``. It prints what
was asked and answered, and what the server held before and after; the exit code is 1 where a
request was answered with 500, or not at all, or something was left over.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random, SystemRandom
from typing import Final
from urllib.parse import urlsplit

import psutil

from tests.api.proxy.at_random import a_request, send
from tests.integration.jupyter_rig import REPOSITORY, TOKEN, Jupyter, jupyter

GROWTH: Final = 30.0
"""Megabytes the server may have grown by between the first tenth of the requests and the last."""
SETTLE_SECONDS: Final = 15.0
NAMES: Final = ("openrefine", "postgres", "mongo")
COMMAND: Final = f'["{sys.executable}", "-m", "tests.integration.echo_program", "{{port}}"]'
TOML: Final = (
    "".join(f"services.{name}.enabled = false\n" for name in NAMES)
    + f'[services.echo]\ncommand = {COMMAND}\ncwd = "{REPOSITORY}"\n'
    + '[services.stopped]\ncommand = ["true"]\n'
)


class Held:
    """What the server holds at a moment: memory in megabytes, open files, connections."""

    def __init__(self, process: psutil.Process) -> None:
        self.memory = process.memory_info().rss / 1_000_000
        self.files = process.num_fds()
        states = [each.status for each in process.net_connections("tcp")]
        self.connections = len(states) - states.count(psutil.CONN_LISTEN)

    def __str__(self) -> str:
        return f"{self.memory:.0f} MB, {self.files} open files, {self.connections} connections"


async def settled(process: psutil.Process, files: int | None = None) -> Held:
    """What is held once idle connections have been closed."""
    end = time.monotonic() + SETTLE_SECONDS
    held = Held(process)
    while time.monotonic() < end and (held.connections or (files and held.files > files)):
        await asyncio.sleep(0.2)
        held = Held(process)
    return held


async def ask(server: Jupyter, seeds: range, connections: int, told: Counter[str]) -> None:
    """Send one request for each seed, ``connections`` at a time."""
    place = urlsplit(server.url)
    waiting = iter(seeds)

    async def talk() -> None:
        for seed in waiting:
            request = a_request(Random(seed), place.path, place.netloc, TOKEN)
            try:
                status = await send(place.port or 0, request)
            except TimeoutError:
                told["hangs"] += 1
                print(f"seed {seed}: neither answered nor ended: {request.raw[:300]!r}")
                continue
            told["owed no answer" if not request.whole else str(status or "hung up on")] += 1
            if status == 500:
                print(f"seed {seed}: answered with 500: {request.raw[:300]!r}")

    await asyncio.gather(*(talk() for _ in range(connections)))


async def fuzz(server: Jupyter, count: int, seed: int, connections: int) -> bool:
    """Do it all and tell; whether everything held."""
    process = psutil.Process(server.process.pid)
    told: Counter[str] = Counter()
    first = count // 10
    await ask(server, range(seed, seed + first), connections, told)
    before = await settled(process)
    began = time.monotonic()
    await ask(server, range(seed + first, seed + count), connections, told)
    rate = (count - first) / (time.monotonic() - began)
    after = await settled(process, before.files)
    log = server.log.read_text(errors="replace")
    failures = log.count("Traceback") + log.count("Reference ")
    print(f"{count} requests, seed {seed}, {connections} at a time, {rate:.0f} a second")
    print("answers: " + ", ".join(f"{name}: {many}" for name, many in sorted(told.items())))
    print(f"after {first}: {before}\nafter {count}: {after}")
    print(f"tracebacks in the server's log: {failures}")
    return not (
        told["500"]
        or told["hangs"]
        or failures
        or after.connections
        or after.files > before.files
        or after.memory - before.memory > GROWTH
    )


def main(arguments: list[str] | None = None) -> int:
    """Start a server, ask it, and tell; 1 where something did not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(1_000_000_000))
    parser.add_argument("--connections", type=int, default=16)
    told = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="vce-fuzz-") as folder,
        jupyter(Path(folder), toml=TOML) as server,
    ):
        done = server.finish(server.api("POST", "services/echo/start"))
        if done["state"] != "succeeded":
            raise SystemExit(done["error"])
        held = asyncio.run(fuzz(server, told.requests, told.seed, told.connections))
        if not held:
            print(server.log.read_text(errors="replace")[-6000:])
        return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())

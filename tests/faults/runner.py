"""Running one fault's tries to a result that can be told: here, or in a process of their own."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ou_vce_ext.services import proc

from .bench import Bench
from .campaign import Campaign
from .fault import Fault

Told = dict[str, Any]


def run(campaign: Campaign, fault: type[Fault], prefix: tuple[str, ...] = ()) -> Told:
    """All tries of ``fault``. ``prefix`` goes before the command of each Jupyter.

    Raises MissingPartError.
    """
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        wanted = fault.environment(Path(folder))
        if set(wanted) <= set(os.environ):
            return asyncio.run(run_here(campaign, fault, prefix))
        return _apart(campaign, fault, wanted, Path(folder) / "result")


async def run_here(campaign: Campaign, fault: type[Fault], prefix: tuple[str, ...] = ()) -> Told:
    """The same in this process, whatever environment it has."""
    bench = Bench(prefix)
    try:
        result = await campaign.run_fault(bench, fault())
    finally:
        said = await bench.aclose()
    if said:
        result.failures.append(f"fault {fault.number}: a keeper broke: {said}")
        campaign.say(result.failures[-1])
    if os.getpid() == 1 and (left := _others()):
        # As the first process we see everybody, those too whose surroundings we may not read.
        result.failures.append(f"fault {fault.number}: left behind at the end: {left}")
        campaign.say(result.failures[-1])
    return result.to_json()


def _others() -> list[str]:
    return [
        f"process {pid}"
        for pid in map(int, filter(str.isdigit, os.listdir("/proc")))
        if pid != 1 and proc.is_alive(pid, None)
    ]


def _apart(
    campaign: Campaign, fault: type[Fault], environment: Mapping[str, str], result: Path
) -> Told:
    command = [sys.executable, "-m", "tests.faults", "--quiet", "--seed", str(campaign.seed)]
    command += ["--only", str(fault.number), "--json", str(result)]
    command += ["--tries", str(campaign.tries)] if campaign.tries else []
    command += ["--short"] if campaign.short else []
    command += ["--patience", str(campaign.patience)]
    done = subprocess.run(command, env={**os.environ, **environment}, check=False)
    if not result.exists():
        words = f"fault {fault.number}: its process ended with {done.returncode} and no result"
        campaign.say(words)
        return untried(fault, words)
    found: Told = json.loads(result.read_text("utf-8"))["results"][0]
    for words in found["failures"]:
        campaign.say(words)
    return found


def untried(fault: type[Fault], words: str) -> Told:
    """What is told of a fault that could not be tried, which is a failure."""
    head = {"number": fault.number, "title": fault.title, "tries": 0, "failures": [words]}
    return {**head, "seconds": 0.0, "measures": []}

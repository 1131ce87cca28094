"""The fault campaign: ``python -m tests.faults [--seed N] [--tries N] [--only 1 7 14] …``."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import random
import sys
from pathlib import Path

from . import report
from .bench import Bench
from .campaign import Campaign, Result
from .every import FAULTS


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, help="repeat the random moments of an earlier run")
    parser.add_argument("--tries", type=int, help="tries of each fault, in place of its own number")
    parser.add_argument("--only", type=int, nargs="+", metavar="FAULT", help="these faults alone")
    parser.add_argument("--short", action="store_true", help="a quick round")
    parser.add_argument("--title", default="as it is", help="what this run is called in tables")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    parser.add_argument("--verbose", action="store_true", help="tell what the services tell")
    return parser.parse_args()


async def run(asked: argparse.Namespace, campaign: Campaign) -> list[Result]:
    """The faults asked for, one after the other; each result is told as soon as it is there."""
    results = []
    for fault in FAULTS:
        if asked.only and fault.number not in asked.only:
            continue
        bench = Bench()
        result = await campaign.run_fault(bench, fault())
        if said := await bench.aclose():
            result.failures.append(f"fault {fault.number}: a keeper broke: {said}")
            print(result.failures[-1])
        results.append(result)
        told = result.to_json()
        print(f"{report.text_table([told])}\n({told['seconds']} s)\n", flush=True)
    return results


def main() -> int:
    """The exit code: 1 where any try failed."""
    asked = arguments()
    logging.basicConfig(level=logging.INFO if asked.verbose else logging.CRITICAL)
    seed = random.SystemRandom().randrange(1 << 32) if asked.seed is None else asked.seed
    print(f"seed {seed}; {report.machine()}", flush=True)
    results = asyncio.run(run(asked, Campaign(seed, asked.tries, asked.short)))
    told = {
        "title": asked.title,
        "seed": seed,
        "machine": report.machine(),
        "results": [result.to_json() for result in results],
    }
    print(report.text_table(told["results"]))
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(json.dumps(told, indent=1), "utf-8")
    return int(any(result.failures for result in results))


if __name__ == "__main__":
    sys.exit(main())

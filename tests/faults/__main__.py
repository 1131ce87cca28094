"""The fault campaign: ``python -m tests.faults [--seed N] [--tries N] [--only 1 7 14] …``.

Exits with 1 where any try failed, and with 2 where nothing is left to be tried. ``--everybody``
goes round three times, where root asks for it: as root, as an ordinary user, and in short as the
root of a container.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import sys
from pathlib import Path

from tests.signals import mind_signals

from . import report, ways
from .campaign import Campaign
from .every import chosen
from .fault import Fault, MissingPartError
from .runner import Told, run, untried


def arguments() -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, help="repeat the random moments of an earlier run")
    parser.add_argument("--tries", type=int, help="tries of each fault, in place of its own number")
    parser.add_argument("--only", type=int, nargs="+", metavar="FAULT", help="these faults alone")
    parser.add_argument(
        "--titled", default="", metavar="WORDS", help="those with WORDS in their title"
    )
    parser.add_argument("--short", action="store_true", help="a quick round")
    parser.add_argument("--patience", type=float, default=1.0, help="hold to times so many longer")
    parser.add_argument("--title", help="what this run is called in tables")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there")
    parser.add_argument("--everybody", action="store_true", help="as each kind of user there is")
    parser.add_argument("--as-user", action="store_true", help="as an ordinary user, from root")
    parser.add_argument("--as-container", action="store_true", help="as a container's root")
    parser.add_argument("--jupyter-in-container", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--quiet", action="store_true", help="tell nothing; see --json")
    parser.add_argument("--verbose", action="store_true", help="tell what the services tell")
    asked = parser.parse_args()
    asked.round = asked.everybody or asked.as_user or asked.as_container
    asked.faults = chosen(asked.only or (ways.OF_ALL if asked.round else None), asked.titled)
    if not asked.faults:
        parser.error("no fault has that number and those words in its title: nothing was tried")
    return asked


def campaign(asked: argparse.Namespace, seed: int) -> list[Told]:
    """The faults asked for, one after the other; each result is told as soon as it is there."""

    def say(words: str) -> None:
        if not asked.quiet:
            print(words, flush=True)

    plan = Campaign(seed, asked.tries, asked.short, asked.patience, say)
    prefix = ways.CONTAINED if asked.jupyter_in_container else ()
    results = []
    say(f"seed {seed}; {report.machine()}")
    faults: list[type[Fault]] = asked.faults
    for fault in faults:
        try:
            results.append(run(plan, fault, prefix))
        except MissingPartError as missing:
            words = f"fault {fault.number} could not be tried: {missing}"
            results.append(untried(fault, words))
            say(words)
        say(f"{report.text_table(results[-1:])}\n({results[-1]['seconds']} s)\n")
    return results


def main() -> int:
    """The exit code."""
    mind_signals()
    asked = arguments()
    logging.basicConfig(level=logging.INFO if asked.verbose else logging.CRITICAL)
    seed = random.SystemRandom().randrange(1 << 32) if asked.seed is None else asked.seed
    if asked.round:
        runs = ways.go_round(asked, seed)
    else:
        title = asked.title or ways.who_we_are()
        results = campaign(asked, seed)
        runs = [{"title": title, "seed": seed, "machine": report.machine(), "results": results}]
    if not asked.quiet:
        for told in runs:
            print(f"\n{told['title']}, seed {told['seed']}\n{report.text_table(told['results'])}")
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        found = {"runs": runs} if len(runs) > 1 else runs[0]
        asked.json.write_text(json.dumps(found, indent=1), "utf-8")
    if asked.markdown:
        asked.markdown.parent.mkdir(parents=True, exist_ok=True)
        asked.markdown.write_text(report.markdown(runs), "utf-8")
    return int(any(result["failures"] for told in runs for result in told["results"]))


if __name__ == "__main__":
    sys.exit(main())

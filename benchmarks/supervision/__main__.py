"""Supervision, side by side with jupyter-server-proxy and supervisord, in one run.

Run with ``python -m benchmarks.supervision [--only 2 9] [--tries 5] [--print]``. The table goes
into docs/supervision.md too, where the rows of situations that were not asked for stay as they are.
"""

from __future__ import annotations

import argparse
import re
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.faults.report import machine, put_into
from tests.integration.jupyter_rig import REPOSITORY

from . import costs, deaths, shown
from .bench import Bench, Row, say
from .others import MANAGERS

DOCUMENT = REPOSITORY / "docs" / "supervision.md"
BEGIN = "<!-- side by side: begin -->"
END = "<!-- side by side: end -->"
SITUATIONS: Mapping[int, Callable[[Bench], list[Row]]] = {
    1: shown.dies_at_once,
    2: deaths.main_process_killed,
    3: shown.port_taken,
    4: deaths.manager_killed,
    5: deaths.stubborn_trees,
    6: shown.hung,
    7: shown.slow_start,
    8: shown.flapping,
    9: costs.ten_services,
    10: costs.status,
    11: costs.server_start,
}
SETTINGS = (
    "Each has the settings that its documentation recommends: ou_vce_ext and jupyter-server-proxy "
    "their defaults, supervisord its defaults with `stopasgroup` and `killasgroup`. "
    "jupyter-server-proxy shows nothing but the program's page, so that page was asked for; "
    "supervisord knows no ports and asks no program whether it answers."
)


def lines(number: int, rows: list[Row]) -> list[str]:
    """Rows of the table, as Markdown."""
    found = []
    for row in rows:
        cells = [row.found[kind.title].replace("|", "\\|") for kind in MANAGERS]
        found.append(f"| {number} | {row.what} | {' | '.join(cells)} |")
    return found


def kept(document: Path) -> dict[int, list[str]]:
    """The lines that the document has by now, by the number of the situation."""
    found: dict[int, list[str]] = {}
    if document.exists():
        _, _, rest = document.read_text("utf-8").partition(BEGIN)
        for line in rest.partition(END)[0].splitlines():
            if number := re.match(r"\| (\d+) \|", line):
                found.setdefault(int(number[1]), []).append(line)
    return found


def table(found: Mapping[int, list[str]]) -> str:
    """The whole of it, and how it was measured."""
    titles = " | ".join(f"{kind.title} {kind.version()}" for kind in MANAGERS)
    notes = [*deaths.NOTES, SETTINGS, *costs.NOTES, f"Taken on {machine()}."]
    return "\n".join(
        [
            f"| | | {titles} |",
            f"| --: | --- {'| --- ' * len(MANAGERS)}|",
            *(line for number in sorted(found) for line in found[number]),
            "",
            "\n\n".join(notes),
            "",
        ]
    )


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", type=int, nargs="+", choices=SITUATIONS, default=[*SITUATIONS])
    parser.add_argument("--tries", type=int, default=5)
    parser.add_argument("--print", action="store_true", help="leave the documentation alone")
    told = parser.parse_args(arguments)
    # Told to end, it leaves nothing behind either.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    found = {}
    with tempfile.TemporaryDirectory(prefix="vce-bench-") as folder:
        Path(folder).chmod(0o755)
        bench = Bench(Path(folder), told.tries)
        for number in told.only:
            say(f"{number}. {SITUATIONS[number].__doc__}")
            found[number] = lines(number, SITUATIONS[number](bench))
            for line in found[number]:
                say(line)
    print(table(found))
    if not told.print:
        put_into(DOCUMENT, table(kept(DOCUMENT) | found), BEGIN, END)


if __name__ == "__main__":
    main()

"""A campaign's results: for a terminal, and for the documentation.

``python -m tests.faults.report RESULTS.json … DOCUMENT.md`` puts the tables into the document.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Told = Mapping[str, Any]

BEGIN = "<!-- faults: begin -->"
END = "<!-- faults: end -->"


def number(value: float, unit: str) -> str:
    """A figure with as many digits as mean something."""
    text = f"{value:.0f}" if value >= 100 or unit == "" else f"{value:.3g}"
    return f"{text} {unit}".strip()


def rows(results: Sequence[Told]) -> list[list[str]]:
    """A row for each fault, and one more for each further figure of it."""
    found = []
    for result in results:
        head = [
            f"{result['number']}. {result['title']}",
            str(result["tries"]),
            str(len(result["failures"])),
        ]
        for measure in result["measures"] or [None]:
            tail = ["", "", "", ""]
            if measure:
                unit = measure["unit"]
                most = measure["most"]
                tail = [
                    measure["name"],
                    number(measure["median"], unit),
                    number(measure["worst"], unit),
                    "" if most is None else number(most, unit),
                ]
            found.append([*head, *tail])
            head = ["", "", ""]
    return found


HEADER = ("fault", "tries", "failures", "figure", "median", "worst", "held to")


def text_table(results: Sequence[Told]) -> str:
    """For a terminal."""
    lines = [list(HEADER), *rows(results)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADER))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def markdown(runs: Sequence[Told]) -> str:
    """For the documentation: one table for each run."""
    parts = []
    for run in runs:
        lines = [f"**{run['title']}** ({run['machine']}, seed {run['seed']}):", ""]
        lines.append(f"| {' | '.join(HEADER)} |")
        lines.append("| --- | --: | --: | --- | --: | --: | --: |")
        lines += [f"| {' | '.join(row)} |" for row in rows(run["results"])]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def machine() -> str:
    """What the figures were taken on."""
    system, processor = platform.system(), platform.machine()
    return f"{system} {processor}, {os.cpu_count()} cores, Python {platform.python_version()}"


def put_into(document: Path, table: str, begin: str = BEGIN, end: str = END) -> None:
    """Replace what is between the two marks of ``document``."""
    before, _, rest = document.read_text("utf-8").partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise SystemExit(f"{document} has no {begin} … {end}")
    document.write_text(f"{before}{begin}\n\n{table}\n{end}{after}", "utf-8")


def merged(files: Sequence[Path]) -> list[Told]:
    """The runs in ``files``; those of one title become one, faults by number."""
    runs: dict[str, dict[str, Any]] = {}
    for file in files:
        found = json.loads(file.read_text("utf-8"))
        for told in found.get("runs", [found]):
            run = runs.setdefault(told["title"], {**told, "results": []})
            run["results"] = sorted(
                [*run["results"], *told["results"]], key=lambda result: int(result["number"])
            )
    return list(runs.values())


if __name__ == "__main__":
    *results, document = map(Path, sys.argv[1:])
    put_into(document, markdown(merged(results)))

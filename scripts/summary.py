"""Add up what pytest, jest and Playwright reported: `summary.py FOLDER`.

Prints one line for each, then `total: N passed, N failed, N skipped`. Exits 1 where a test failed,
a runner left no report or ran nothing, and, on a build server (CI set), where one was skipped.
"""

import json
import os
import sys
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree


class Count(NamedTuple):
    """Numbers of tests by outcome."""

    passed: int
    failed: int
    skipped: int


def read_pytest(report: Path) -> Count:
    """Count what a JUnit file holds; an error while setting up counts as a failure."""
    suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
    total, failures, errors, skipped = (
        sum(int(suite.get(key, 0)) for suite in suites)
        for key in ("tests", "failures", "errors", "skipped")
    )
    return Count(total - failures - errors - skipped, failures + errors, skipped)


def read_jest(report: Path) -> Count:
    """Count what jest's --json wrote; a file that could not be run counts as a failure."""
    found = json.loads(report.read_text())
    failed = found["numFailedTests"] + found["numRuntimeErrorTestSuites"]
    return Count(found["numPassedTests"], failed, found["numPendingTests"])


def read_playwright(report: Path) -> Count:
    """Count what Playwright's json reporter wrote; a test passed on a retry counts as a failure."""
    found = json.loads(report.read_text())
    stats = found["stats"]
    failed = stats["unexpected"] + stats["flaky"] + len(found["errors"])
    return Count(stats["expected"], failed, stats["skipped"])


def main(folder: Path) -> int:
    """Print the sums of the reports in `folder` and return the exit code."""
    readers = {
        "pytest.xml": read_pytest,
        "jest.json": read_jest,
        "playwright.json": read_playwright,
    }
    good = True
    counts = []
    for name, read in readers.items():
        report = folder / name
        count = read(report) if report.is_file() else Count(0, 0, 0)
        counts.append(count)
        told = "{} passed, {} failed, {} skipped".format(*count) if any(count) else "ran no test"
        print(f"{name.partition('.')[0]}: {told}")
        good &= (
            count.passed > 0 and count.failed == 0 and not (count.skipped and "CI" in os.environ)
        )
    sums = Count(*map(sum, zip(*counts, strict=True)))
    print("total: {} passed, {} failed, {} skipped".format(*sums))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

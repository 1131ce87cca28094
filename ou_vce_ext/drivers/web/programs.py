"""Whether the program of a web app's command is there and may be run, without running it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ...models import ServiceError
from ...sentences import say

_PACKAGES: Final[Mapping[str, str]] = {
    "node": "nodejs",
    "npm": "npm",
    "npx": "npm",
    "java": "default-jre-headless",
    "Rscript": "r-base",
    "R": "r-base",
    "ruby": "ruby",
    "php": "php-cli",
}
"""Debian's package for programs that web apps are often started with."""


def missing_program(
    title: str, program: str, cwd: Path, environment: Mapping[str, str]
) -> ServiceError | None:
    """What is wrong with ``program`` as the first word of a command, or None.

    A name with a slash starts from ``cwd``, any other is looked for on the environment's PATH, as
    the system will do it when the app is started.
    """
    if os.sep in program:
        candidates = [cwd / program]
    else:
        path = environment.get("PATH", os.defpath)
        candidates = [cwd / folder / program for folder in path.split(os.pathsep)]
    closed = None
    for candidate in candidates:
        # A folder that is closed to us is passed by, as the system does it.
        if os.path.isfile(candidate):
            if os.access(candidate, os.X_OK):
                return None
            closed = closed or candidate
    if closed is not None:
        return ServiceError(
            "program-unsuitable",
            say(
                "{program}, the program of {title}, may not be run: it is not marked as a program.",
                program=closed,
                title=title,
            ),
            say("In a terminal: chmod +x {program}", program=shlex.quote(str(closed))),
        )
    package = _PACKAGES.get(program)
    return ServiceError(
        "program-missing",
        say(
            "The program `{program}`, which {title} is started with, is not there.",
            program=program,
            title=title,
        ),
        say(
            "Install it (`apt-get install {package}`), or correct `command` in this service's "
            "declaration.",
            package=package,
        )
        if package
        else say("Install it, or correct `command` in this service's declaration."),
    )

"""Who the campaign is run as: as we are, as an ordinary user, as the root of a container."""

from __future__ import annotations

import argparse
import json
import os
import pwd
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.integration import container
from tests.integration.other_users import ROOT, as_user, ordinary_user, staged

from .backup_small_disks import ready_made
from .fault import Fault
from .runner import Told

CONTAINED: Final = (sys.executable, container.__file__)
"""Goes before a command that is to be the first process of a container."""
OF_JUPYTER: Final = (4, 5, 6, 17, 32)
"""Faults of Jupyter's own life: as its first process in a container each, from outside."""
OF_ALL: Final = (*range(1, 23), 26, 28, 31, 32)
"""Faults that a round tries where none are named; the others of the list are tests of their own."""
SHORT_ROUND: Final = ("--short", "--tries", "6")
"""As the root of a container, where everybody's turn comes."""


def who_we_are() -> str:
    """In words."""
    if os.getpid() == 1:
        return "Root of a container"
    return "Root" if os.geteuid() == 0 else "An ordinary user"


def go_round(asked: argparse.Namespace, seed: int) -> list[Told]:
    """Each way that was asked for, where it can be gone; what each gave."""
    common = ["--seed", str(seed)]
    common += ["--tries", str(asked.tries)] if asked.tries else []
    common += ["--short"] if asked.short else []
    common += ["--patience", str(asked.patience), "--titled", asked.titled]
    # Each of them has a number that is tried, wherever a round divides them.
    disks: list[type[Fault]] = asked.faults
    only = sorted({fault.number for fault in disks})
    runs = []
    if asked.everybody:
        runs.append(_here([*common, *_only(only)]))
    if os.geteuid() != 0:
        return runs
    if asked.everybody or asked.as_user:
        user = ordinary_user()
        with ready_made(disks, (user.pw_uid, user.pw_gid)) as where:
            runs.append(_as_ordinary_user(user, [*common, *_only(only)], where))
    if asked.everybody or asked.as_container:
        short = SHORT_ROUND if asked.everybody else ()
        with ready_made(disks, (0, 0)) as where:
            runs.append(_as_containers_root([*common, *short], only, where))
    return runs


def _only(faults: Sequence[int]) -> list[str]:
    return ["--only", *map(str, faults)]


def _read(result: Path, told_by: int) -> Told:
    if not result.exists():
        raise SystemExit(f"the campaign ended with exit code {told_by} and no result")
    found: Told = json.loads(result.read_text("utf-8"))
    return found


def _campaign(options: Sequence[str], result: Path) -> list[str]:
    return ["-m", "tests.faults", *options, "--json", str(result)]


def _here(
    options: Sequence[str], prefix: Sequence[str] = (), where: Mapping[str, str] | None = None
) -> Told:
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        result = Path(folder) / "result"
        command = [*prefix, sys.executable, *_campaign(options, result)]
        environment = {**os.environ, **(where or {})}
        done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
        return _read(result, done.returncode)


def _as_ordinary_user(
    user: pwd.struct_passwd, options: Sequence[str], where: Mapping[str, str]
) -> Told:
    owner = (user.pw_uid, user.pw_gid)
    with staged(as_user(*owner), owner) as stage:
        result = stage.home / "result"
        environment = {**stage.environment, **where}
        command = stage.command(_campaign(options, result))
        done = subprocess.run(command, env=environment, check=False)
        return _read(result, done.returncode)


def _as_containers_root(
    options: Sequence[str], only: Sequence[int], where: Mapping[str, str]
) -> Told:
    inside = [fault for fault in only if fault not in OF_JUPYTER]
    outside = [fault for fault in only if fault in OF_JUPYTER]
    runs = []
    if inside:
        runs.append(_here([*options, *_only(inside)], CONTAINED, where))
    if outside:
        runs.append(_here([*options, *_only(outside), "--jupyter-in-container"]))
    results = sorted((r for run in runs for r in run["results"]), key=lambda r: int(r["number"]))
    title = "Root of a container, with its default capabilities, as the first process"
    title += " (short)" if "--short" in options else ""
    return {**runs[0], "title": title, "results": results}

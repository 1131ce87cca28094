"""The keys of an OpenRefine declaration, and how much memory it is to have."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from ...sentences import say
from ..base import Option
from ..private_network import PRIVATE

USUAL_HEAP: Final = 1400 * 1024**2
SMALLEST_HEAP: Final = 256 * 1024**2
FAIR_SHARE: Final = 0.4
"""Of the machine's memory: browser, Jupyter, kernels and databases want theirs."""
USUAL_PORT: Final = 3333

_CGROUP_LIMITS: Final = (
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
)
_OWN_OPTIONS: Final = ("-Drefine.data_dir", "-Drefine.port", "-Drefine.interface", "-Drefine.host")


def _check_port(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 65535:
        return None
    return say("must be a number from 1 to 65535")


def _check_path(value: object) -> str | None:
    return None if str(value).strip() else say("must not be empty")


def _check_java_options(value: object) -> str | None:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return say('must be a list, such as ["-Drefine.autosave=2"]')
    for item in value:
        if not isinstance(item, str) or not item.startswith("-"):
            return say("holds something that is no option of java: each begins with a hyphen")
        if item.split("=")[0] in _OWN_OPTIONS:
            return say(
                "cannot change {option}: this service keeps it true", option=item.split("=")[0]
            )
    return None


OPTIONS: Mapping[str, Option] = {
    "program": Option(
        (str,),
        say("folder OpenRefine was unpacked in; left out: the installed one"),
        check=_check_path,
    ),
    "java": Option(
        (str,),
        say("the program `java`, or its folder; left out: the best found"),
        check=_check_path,
    ),
    "port": Option(
        (int,), say("TCP port on 127.0.0.1; left out: one is chosen"), check=_check_port
    ),
    "private": PRIVATE,
    "profile": Option(
        (str,),
        say("`light` starts sooner and needs less memory; long work takes a quarter longer"),
        choices=("standard", "light"),
    ),
    "class_archive": Option(
        (bool,), say("false: no archive of classes (30 MB) is made for quicker starts")
    ),
    "java_options": Option(
        (list, tuple),
        say("more options for java, such as -Drefine.autosave=2"),
        check=_check_java_options,
    ),
}


def machine_memory() -> int:
    """Bytes of memory this machine, or this container, may use."""
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for path in _CGROUP_LIMITS:
        try:
            limits.append(int(Path(path).read_text("ascii")))
        except (OSError, ValueError):
            # No such controller, or no limit ("max").
            continue
    return min(limits)


def heap_bytes(declared: int | None, machine: int) -> int:
    """How large OpenRefine's heap may grow: as declared, else as usual or a fair share."""
    if declared:
        return declared
    return max(SMALLEST_HEAP, min(USUAL_HEAP, int(machine * FAIR_SHARE)))

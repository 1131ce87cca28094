"""How much memory this machine has, and how much of it is left. Standard library only."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, NamedTuple

_MEMINFO: Final = Path("/proc/meminfo")
_GROUPS: Final = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)
"""Limit and use of the container we are in, in both forms of control groups."""


class MachineMemory(NamedTuple):
    """In bytes. ``free`` is what programs can still get; None where the system does not say."""

    total: int
    free: int | None


def machine_memory(meminfo: Path = _MEMINFO) -> MachineMemory:
    """The machine's memory, or the container's where that is less."""
    told = _meminfo(meminfo)
    total = told.get("MemTotal") or os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    free = told.get("MemAvailable")
    for limit_file, used_file in _GROUPS:
        limit, used = _number(limit_file), _number(used_file)
        if limit is not None and used is not None and limit < total:
            left = max(0, limit - used)
            total, free = limit, left if free is None else min(free, left)
    return MachineMemory(total, free)


def _meminfo(path: Path) -> dict[str, int]:
    found = {}
    try:
        for line in path.read_text("ascii", "replace").splitlines():
            name, _, rest = line.partition(":")
            words = rest.split()
            if words and words[0].isdigit():
                found[name] = int(words[0]) * 1024
    except OSError:
        pass
    return found


def _number(path: str) -> int | None:
    try:
        return int(Path(path).read_text("ascii"))
    except (OSError, ValueError):
        return None

"""A control group that bounds one service's memory, where the kernel lets us make one.

Standard library only: keepers use it. Both forms are known: the unified one (v2), where the folder
we are in, or the one above it, must be ours and hand on the memory controller; and the older one
(v1), where any folder we may write to will do. See cgroups(7).
"""

from __future__ import annotations

import os
from contextlib import suppress

ROOT = "/sys/fs/cgroup"
OURS = "vce-"


class MemoryGroup:
    """One such folder. ``version`` is 1 or 2. Made before the keeper becomes another user."""

    def __init__(self, path: str, version: int, limit: int) -> None:
        self.path = path
        self.version = version
        name = "memory.max" if version == 2 else "memory.limit_in_bytes"
        _write(f"{path}/{name}", str(limit))
        # Kept open: whoever is another user by then could not open it any more.
        self._procs = os.open(f"{path}/cgroup.procs", os.O_RDWR | os.O_CLOEXEC)
        events = "memory.events" if version == 2 else "memory.oom_control"
        self._events = os.open(f"{path}/{events}", os.O_RDONLY | os.O_CLOEXEC)

    def enter(self) -> None:
        """Move the calling process in, if the kernel lets it; what it forks stays in."""
        with suppress(OSError):
            os.write(self._procs, b"0")

    def holds(self, pid: int) -> bool:
        """Whether that process is in, and so bounded."""
        return str(pid).encode() in os.pread(self._procs, 1 << 16, 0).split()

    def kills(self) -> int:
        """How many processes the kernel has killed here for the limit's sake."""
        return _oom_kills(os.pread(self._events, 4096, 0))

    def remove(self) -> None:
        """Remove the folder, once nobody is left in it; else that is for the next one made."""
        for descriptor in (self._procs, self._events):
            os.close(descriptor)
        with suppress(OSError):
            os.rmdir(self.path)


def make_memory_group(
    limit: int, root: str = ROOT, own: str = "/proc/self/cgroup"
) -> MemoryGroup | None:
    """A group of ``limit`` bytes named after this process, or None where there can be none."""
    for place, version in _places(root, own):
        _sweep(place)
        path = f"{place}/{OURS}{os.getpid()}"
        try:
            os.mkdir(path, 0o755)
        except OSError:
            continue
        try:
            return MemoryGroup(path, version, limit)
        except OSError:
            with suppress(OSError):
                os.rmdir(path)
    return None


def machine_kills() -> int:
    """How many processes this machine's kernel has killed for want of memory since it started."""
    try:
        with open("/proc/vmstat", "rb") as file:
            return _oom_kills(file.read())
    except OSError:
        return 0


def _places(root: str, own: str) -> list[tuple[str, int]]:
    """Folders in which a group may be made, and by which version's rules."""
    places: list[tuple[str, int]] = []
    try:
        with open(own, encoding="utf-8", errors="surrogateescape") as file:
            rows = file.read().splitlines()
    except OSError:
        return []
    for row in rows:
        _, controllers, path = row.split(":", 2)
        if controllers == "":
            mount = root if os.path.exists(f"{root}/cgroup.controllers") else f"{root}/unified"
            here = os.path.normpath(mount + path)
            above = [here] if here == mount else [here, os.path.dirname(here)]
            # A folder that holds processes hands nothing on (but the topmost may); its parent can.
            places += [(place, 2) for place in above if _hands_on_memory(place)]
        elif "memory" in controllers.split(","):
            for mount in (f"{root}/memory", f"{root}/{controllers}"):
                # A container sees its own folder as the mount's top.
                places += [
                    (place, 1)
                    for place in (os.path.normpath(mount + path), mount)
                    if os.path.isdir(place)
                ]
    return places


def _hands_on_memory(place: str) -> bool:
    try:
        with open(f"{place}/cgroup.subtree_control", encoding="ascii") as file:
            return "memory" in file.read().split()
    except OSError:
        return False


def _sweep(place: str) -> None:
    """Remove what killed keepers have left: a group with anybody in it cannot be removed."""
    with suppress(OSError):
        for name in os.listdir(place):
            if name.startswith(OURS) and not os.path.exists(f"/proc/{name[len(OURS) :]}"):
                with suppress(OSError):
                    os.rmdir(f"{place}/{name}")


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _oom_kills(text: bytes) -> int:
    for row in text.splitlines():
        name, _, value = row.partition(b" ")
        if name == b"oom_kill":
            return int(value)
    return 0

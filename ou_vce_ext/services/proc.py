"""Reading /proc: a process's descendants, who listens where, what a tree costs.

Standard library only: keepers use it. Every figure is a snapshot; a process that vanishes while we
look is simply not counted.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator

TYPE_CHECKING = False
if TYPE_CHECKING:
    # At run time it would be a fifth of a keeper's memory.
    from typing import Final

PAGE: Final = os.sysconf("SC_PAGE_SIZE")
TICKS: Final = os.sysconf("SC_CLK_TCK")


class Stat:
    """The fields of /proc/PID/stat we use. Times in clock ticks, ``rss`` in pages."""

    __slots__ = ("cpu", "ppid", "rss", "start", "state")

    def __init__(self, ppid: int, state: str, cpu: int, start: int, rss: int) -> None:
        self.ppid = ppid
        self.state = state
        self.cpu = cpu
        self.start = start
        self.rss = rss


def stat(pid: int) -> Stat | None:
    """Parse /proc/PID/stat (see proc(5)); None when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            line = file.read()
    except OSError:
        return None
    # The command name stands in brackets and may hold anything, brackets and spaces too.
    fields = line[line.rindex(b")") + 2 :].split()
    return Stat(
        ppid=int(fields[1]),
        state=fields[0].decode("ascii"),
        cpu=int(fields[11]) + int(fields[12]),
        start=int(fields[19]),
        rss=int(fields[21]),
    )


def boot_id() -> str:
    """An id of this boot of this machine; start times are only comparable within one."""
    try:
        # As UTF-8: a keeper that has become another user may be unable to load another codec.
        with open("/proc/sys/kernel/random/boot_id", encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return ""


def start_time(pid: int) -> int | None:
    """Clock ticks since boot when ``pid`` started; with the boot id it names a process for good."""
    found = stat(pid)
    return found.start if found else None


def is_alive(pid: int, started: int | None) -> bool:
    """Whether that very process (not a later one with its number) still runs."""
    found = stat(pid)
    if found is None or found.state in "ZX":
        return False
    return started is None or found.start == started


def _children(pid: int) -> list[int] | None:
    """Direct children from the kernel's own list, or None where it keeps none."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", "rb") as file:
            return [int(child) for child in file.read().split()]
    except FileNotFoundError:
        return None if os.path.exists(f"/proc/{pid}") else []
    except OSError:
        return []


def _descendants_by_scan(root: int, without: Collection[int]) -> list[int]:
    offspring: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            found = stat(int(name))
            if found and int(name) not in without:
                offspring.setdefault(found.ppid, []).append(int(name))
    tree: list[int] = []
    queue = list(offspring.get(root, ()))
    while queue:
        pid = queue.pop(0)
        tree.append(pid)
        queue.extend(offspring.get(pid, ()))
    return tree


def descendants(root: int, without: Collection[int] = ()) -> list[int]:
    """Every process below ``root``, parents before children, zombies included.

    Those in ``without``, and all below them, are left out.
    """
    # The kernel's list names only what the main *thread* forked: a threaded program's other
    # threads have lists of their own, so they are read too.
    tree: list[int] = []
    queue = [root]
    while queue:
        pid = queue.pop(0)
        if _children(pid) is None:
            return _descendants_by_scan(root, without)
        try:
            threads = os.listdir(f"/proc/{pid}/task")
        except OSError:
            continue
        for thread in threads:
            try:
                with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                    below = [int(child) for child in file.read().split()]
            except OSError:
                continue
            below = [child for child in below if child not in without]
            tree.extend(below)
            queue.extend(below)
    return tree


class Socket:
    """A listening socket: inode, owner's uid where known, and the address it is bound to."""

    __slots__ = ("address", "inode", "uid")

    def __init__(self, inode: str, uid: int | None, address: str) -> None:
        self.inode = inode
        self.uid = uid
        self.address = address


def _rows(path: str) -> Iterator[bytes]:
    """The lines of a table of the kernel's but for its heading, a few at a time.

    On a busy machine such a table has megabytes, which a keeper must not hold all at once.
    """
    try:
        with open(path, "rb", buffering=4096) as file:
            next(file, None)
            yield from file
    except OSError:
        pass


# Newer kernels tell of those that listen first; others (some sandboxes pose as 4.4) as they like.
_LISTENERS_FIRST: Final = int(os.uname().release.partition(".")[0]) >= 5


def tcp_listeners(port: int, inside: int | str = "self") -> list[Socket]:
    """The sockets that listen on a TCP port, IPv4 and IPv6, as process ``inside`` sees them."""
    found = []
    wanted = b":%04X" % port
    for table in ("tcp", "tcp6"):
        for row in _rows(f"/proc/{inside}/net/{table}"):
            fields = row.split(None, 10)
            if fields[3] != b"0A":
                if _LISTENERS_FIRST:
                    break
            elif fields[1].endswith(wanted):
                address = _address(fields[1][:-5].decode("ascii"))
                found.append(Socket(fields[9].decode("ascii"), int(fields[7]), address))
    return found


def _address(text: str) -> str:
    raw = bytes.fromhex(text)
    words = [raw[i : i + 4][::-1] for i in range(0, len(raw), 4)]
    if len(words) == 1:
        return ".".join(str(byte) for byte in words[0])
    joined = b"".join(words)
    if not any(joined):
        return "::"
    if joined == b"\0" * 15 + b"\1":
        return "::1"
    return joined.hex(":", 2)


def unix_listeners(path: str) -> list[Socket]:
    """The sockets that listen on a unix socket path."""
    found = []
    wanted = os.fsencode(path)
    for row in _rows("/proc/self/net/unix"):
        fields = row.rstrip(b"\n").split(None, 7)
        # Flags 00010000 is __SO_ACCEPTCON: the socket listens.
        if len(fields) == 8 and fields[7] == wanted and fields[3] == b"00010000":
            found.append(Socket(fields[6].decode("ascii"), None, path))
    return found


def holder(sockets: Iterable[Socket], pids: Iterable[int]) -> tuple[int, Socket] | None:
    """The first of ``pids`` that holds one of ``sockets``, and which."""
    wanted = {f"socket:[{item.inode}]": item for item in sockets}
    if not wanted:
        return None
    for pid in pids:
        folder = f"/proc/{pid}/fd"
        try:
            names = os.listdir(folder)
        except OSError:
            continue
        for name in names:
            try:
                target = os.readlink(f"{folder}/{name}")
            except OSError:
                continue
            if target in wanted:
                return pid, wanted[target]
    return None


class Cost:
    """What a tree uses: memory in bytes (and whether PSS or RSS), CPU seconds, open files."""

    __slots__ = ("cpu", "files", "measure", "memory", "processes")

    def __init__(self, memory: int, measure: str, cpu: float, files: int, processes: int) -> None:
        self.memory = memory
        self.measure = measure
        self.cpu = cpu
        self.files = files
        self.processes = processes

    def to_json(self) -> dict[str, object]:
        """The form Jupyter reads."""
        return {name: getattr(self, name) for name in self.__slots__}


def _pss(pid: int) -> int | None:
    """Proportional set size in bytes: shared pages are counted once over all who share them."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            for row in file:
                if row.startswith(b"Pss:"):
                    return int(row.split()[1]) * 1024
    except OSError:
        pass
    return None


def cost(pids: Iterable[int]) -> Cost:
    """Sum over ``pids``. PSS where the kernel lets us read it for all of them, else RSS."""
    rss = pss = cpu = files = count = 0
    proportional = True
    for pid in pids:
        found = stat(pid)
        if found is None or found.state == "Z":
            continue
        count += 1
        rss += found.rss * PAGE
        cpu += found.cpu
        share = _pss(pid)
        if share is None:
            proportional = False
        else:
            pss += share
        try:
            files += len(os.listdir(f"/proc/{pid}/fd"))
        except OSError:
            pass
    return Cost(
        memory=pss if proportional else rss,
        measure="pss" if proportional else "rss",
        cpu=cpu / TICKS,
        files=files,
        processes=count,
    )


def bytes_written(pids: Iterable[int]) -> int:
    """Bytes that ``pids`` have sent towards storage so far, as far as we may know."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/io", "rb") as file:
                for row in file:
                    if row.startswith((b"wchar:", b"write_bytes:")):
                        total += int(row.split()[1])
        except OSError:
            continue
    return total

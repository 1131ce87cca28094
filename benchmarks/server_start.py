"""What installing us adds to the start of a Jupyter server: CPU time and memory.

Run with ``python -m benchmarks.server_start [ROUNDS]``. Each round starts a fresh process with and
one without us, one after the other, so that other work on the machine slows both. The process is a
real server, with no extension but ours, until everything is loaded: just before it listens. What
is told is CPU time (user and system), which other work changes least; the smallest figure is the
nearest to a quiet machine. Compiled files are there already. To measure another copy of the
package, put it on ``PYTHONPATH``.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROUNDS = 20

_BEGIN = """
import json, os, resource, sys
def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return 1000 * (used.ru_utime + used.ru_stime)
def memory():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
def ours():
    return sum(name.partition(".")[0] == "ou_vce_ext" for name in sys.modules)
import jupyter_server.serverapp, jupyter_server.extension.application
"""
_SERVER = (
    _BEGIN
    + """
server = jupyter_server.serverapp.ServerApp()
server.initialize(sys.argv[1:], find_extensions=False)
print(json.dumps([cpu(), memory(), ours(), len(sys.modules)]))
os._exit(0)
"""
)
_IMPORT = (
    _BEGIN
    + """
began, before = cpu(), memory()
import ou_vce_ext.app
print(json.dumps([cpu() - began, memory() - before, ours(), len(sys.modules)]))
"""
)


class Start(NamedTuple):
    """What one process told: CPU in ms, memory (RSS) in MB, modules of ours, and modules."""

    cpu: float
    memory: float
    ours: int
    modules: int


def start(home: Path, code: str, *, with_us: bool = True) -> Start:
    """One fresh process, with ``home`` as its home."""
    extensions = {"ou_vce_ext": True} if with_us else {}
    arguments = [
        "--allow-root",
        "--no-browser",
        "--port=0",
        "--ServerApp.log_level=ERROR",
        f"--ServerApp.jpserver_extensions={extensions!r}",
    ]
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JUPYTER_", "VCE_")) and name != "PYTHONDONTWRITEBYTECODE"
    }
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=home,
        env=environment | {"HOME": str(home), "JUPYTER_NO_CONFIG": "1"},
        stdout=subprocess.PIPE,
        check=True,
    )
    return Start(*json.loads(done.stdout))


def told(title: str, cpu: Sequence[float], memory: Sequence[float]) -> str:
    """One line: the median and the smallest."""
    return (
        f"{title:<24} CPU {statistics.median(cpu):7.1f} ms (least {min(cpu):6.1f})   "
        f"memory {statistics.median(memory):6.2f} MB (least {min(memory):6.2f})"
    )


def main(rounds: int) -> None:
    """Measure, and print."""
    plain: list[Start] = []
    ours: list[Start] = []
    alone: list[Start] = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for number in range(rounds + 1):
            found = (
                start(home, _SERVER, with_us=False),
                start(home, _SERVER),
                start(home, _IMPORT),
            )
            if number:  # the first round writes the compiled files
                for one, some in zip(found, (plain, ours, alone), strict=True):
                    some.append(one)
    for title, some in (
        ("a server without us", plain),
        ("a server with us", ours),
        ("our import alone", alone),
    ):
        print(told(title, [one.cpu for one in some], [one.memory for one in some]))
    pairs = list(zip(ours, plain, strict=True))
    print(
        "added to the start: CPU "
        f"{statistics.median(one.cpu - other.cpu for one, other in pairs):.1f} ms (difference of "
        f"the least {min(one.cpu for one in ours) - min(one.cpu for one in plain):.1f}); memory "
        f"{statistics.median(one.memory - other.memory for one, other in pairs):.2f} MB; modules "
        f"{ours[0].modules - plain[0].modules}, of them ours {ours[0].ours}"
    )
    print(f"{rounds} rounds; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)

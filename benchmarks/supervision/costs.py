"""Situations 9 to 11: what each manager costs when all is well."""

from __future__ import annotations

import http.client
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from xmlrpc.client import dumps

from ou_vce_ext.services import proc
from tests.faults.app_commands import app
from tests.integration.jupyter_rig import REPOSITORY, TOKEN, Jupyter, jupyter

from .bench import Bench, Row, middle, say
from .managers import BUILT_IN, Manager, Ours, without
from .others import MANAGERS, ServerProxied, Supervisord

MEGABYTE = 1_000_000
SERVICES = 10
IDLE_SECONDS = 60
ROUNDS = 7
PLAIN = "jupyter_server_terminals"
"""An extension that Jupyter brings itself, for a server without any of ours."""


def memory(pids: Sequence[int]) -> float:
    """PSS in MB."""
    found = proc.cost(pids)
    assert found.measure == "pss", "memory of these processes cannot be read here"
    return found.memory / MEGABYTE


def ticks(pids: Sequence[int]) -> int:
    """CPU time so far, in clock ticks."""
    return sum(found.cpu for pid in pids if (found := proc.stat(pid)))


@contextmanager
def plain_jupyter(bench: Bench) -> Iterator[Jupyter]:
    """A server without any of what is compared."""
    with jupyter(bench.folder("home"), extension=PLAIN, without=without(PLAIN)) as server:
        yield server


def ten_services(bench: Bench) -> list[Row]:
    """Ten ready services that nobody uses."""
    with ExitStack() as stack:
        plain = stack.enter_context(plain_jupyter(bench))
        managers: dict[type[Manager], Manager] = {}
        watched = {"": [plain.process.pid]}
        for kind in MANAGERS:
            programs = bench.programs("idle", SERVICES, lambda port: app("serves", port=port))
            manager = managers[kind] = stack.enter_context(bench.open(kind, programs))
            for name in programs:
                manager.begin(name)
            manager.wait_ready(*programs)
            watched[kind.title] = [manager.process.pid, *manager.beside(programs)]
        time.sleep(10)
        before = {title: ticks(pids) for title, pids in watched.items()}
        began = time.monotonic()
        time.sleep(IDLE_SECONDS)
        seconds = time.monotonic() - began
        cpu = {
            title: 100 * (ticks(pids) - before[title]) / proc.TICKS / seconds
            for title, pids in watched.items()
        }
        beside = watched[Ours.title][1:]
        keepers = [pid for pid in beside if parent_of(pid) != watched[Ours.title][0]]
        sizes = [memory([pid]) for pid in keepers]
        ours = memory(beside)
        other = memory(watched[Supervisord.title])
    kept = f"{ours:.1f} MB, of which one keeper {statistics.median(sizes):.2f} MB"
    return [
        Row(
            "ten services: memory needed beside them and Jupyter (PSS)",
            {
                Ours.title: f"{kept} (largest {max(sizes):.2f})",
                ServerProxied.title: "none: it lives in Jupyter",
                Supervisord.title: f"{other:.1f} MB",
            },
        ),
        Row(
            f"ten services ready: CPU of a core over {IDLE_SECONDS} s",
            {
                Ours.title: more(cpu, Ours.title),
                ServerProxied.title: more(cpu, ServerProxied.title) + "; it watches nothing",
                Supervisord.title: f"{cpu[Supervisord.title]:.2f} %",
            },
        ),
    ]


def parent_of(pid: int) -> int:
    """The parent's process id; 0 where it has ended."""
    found = proc.stat(pid)
    return found.ppid if found else 0


def more(cpu: Mapping[str, float], title: str) -> str:
    """What it uses more than Jupyter alone."""
    return (
        f"{cpu[title] - cpu['']:+.2f} % ({cpu[title]:.2f} against {cpu['']:.2f} of Jupyter alone)"
    )


def latency(count: int, pause: float, ask: Callable[[], None]) -> str:
    """p50 and p99, in words."""
    took = []
    for _ in range(count):
        began = time.perf_counter()
        ask()
        took.append(1000 * (time.perf_counter() - began))
        time.sleep(pause)
    took.sort()
    return f"p50 {took[len(took) // 2]:.1f} ms, p99 {took[int(len(took) * 0.99)]:.1f} ms"


def status(bench: Bench) -> list[Row]:
    """How everything is, asked of one kept connection."""
    busy, spaced = {}, {}
    for kind in (Ours, Supervisord):
        programs = bench.programs("many", 2 * SERVICES, lambda port: app("serves", port=port))
        with bench.open(kind, programs) as manager:
            for name in programs:
                manager.begin(name)
            manager.wait_ready(*programs)
            # The first look after a start is not the rule.
            time.sleep(5)
            connection, ask = question(manager, len(programs))
            ask()
            busy[kind.title] = latency(500, 0, ask)
            spaced[kind.title] = latency(200, 0.02, ask)
            connection.close()
        say(f"    {kind.title}: {busy[kind.title]}; {spaced[kind.title]}")
    none = "no such notion: its list says only what is declared"
    busy[ServerProxied.title] = spaced[ServerProxied.title] = none
    return [
        Row("status of 20 services as data: 500 requests without pause", busy),
        Row("200 requests, 20 ms apart", spaced),
    ]


def question(
    manager: Manager, services: int
) -> tuple[http.client.HTTPConnection, Callable[[], None]]:
    """A kept connection, and one request on it for the state of everything."""
    if isinstance(manager, Supervisord):
        port, method, path = manager.port, "POST", "/RPC2"
        headers, body = {"Content-Type": "text/xml"}, dumps((), "supervisor.getAllProcessInfo")
        sign = b"<name>statename</name>"
    else:
        assert isinstance(manager, Ours)
        port, method, path = int(manager.server.url.split(":")[2].strip("/")), "GET", "/vce/status"
        headers = {"Authorization": f"token {TOKEN}", "Accept": "application/json"}
        body, sign = None, b'"ready_seconds"'
    connection = http.client.HTTPConnection("127.0.0.1", port)

    def ask() -> None:
        connection.request(method, path, body, headers)
        answer = connection.getresponse().read()
        assert answer.count(sign) == services, answer

    return connection, ask


IMPORT = """
import json, sys, time
from pathlib import Path
import jupyter_server.serverapp, jupyter_server.extension.application
def rss(): return int(Path("/proc/self/statm").read_text().split()[1]) * {page}
before, began, busy = rss(), time.perf_counter(), time.process_time()
import {module}
print(json.dumps([
    1000 * (time.perf_counter() - began),
    (rss() - before) / 1e6,
    1000 * (time.process_time() - busy),
]))
"""


def server_start(bench: Bench) -> list[Row]:
    """What installing it adds to the start of Jupyter."""
    modules = {Ours.title: "ou_vce_ext.app", ServerProxied.title: "jupyter_server_proxy"}
    extensions = {"": PLAIN, Ours.title: "ou_vce_ext", ServerProxied.title: "jupyter_server_proxy"}
    # Started with nothing to do: what services take is not the server's start.
    toml = "\n".join(f"[services.{name}]\nautostart = false" for name in BUILT_IN)
    homes = {title: bench.folder("home") for title in extensions}
    starts: dict[str, list[float]] = {title: [] for title in extensions}
    # CPU time too, which other work on the machine changes less.
    busy: dict[str, list[float]] = {title: [] for title in extensions}
    imports: dict[str, list[list[float]]] = {title: [] for title in modules}
    for number in range(ROUNDS + 1):
        for title, extension in extensions.items():
            others = without(extension)
            settings = {"env": {"PYTHONDONTWRITEBYTECODE": ""}, "toml": toml}
            began = time.monotonic()
            with jupyter(homes[title], extension=extension, without=others, **settings) as server:  # type: ignore[arg-type]
                if number:
                    busy[title].append(ticks([server.process.pid]) / proc.TICKS)
                    # The first round writes the compiled files.
                    starts[title].append(time.monotonic() - began)
        for title, module in modules.items():
            code = IMPORT.format(page=proc.PAGE, module=module)
            done = subprocess.run(
                [sys.executable, "-c", code], cwd=REPOSITORY, stdout=subprocess.PIPE, check=True
            )
            if number:
                imports[title].append(json.loads(done.stdout))
    say(f"    {starts}")
    alone = statistics.median(starts[""])

    def difference(figures: dict[str, list[float]], title: str) -> float:
        pairs = zip(figures[title], figures[""], strict=True)
        return 1000 * statistics.median(one - plain for one, plain in pairs)

    def added(title: str) -> str:
        seconds, cpu = difference(starts, title), difference(busy, title)
        return f"{seconds:+.0f} ms (to {alone:.2f} s); CPU time {cpu:+.0f} ms"

    def imported(title: str, column: int, unit: str) -> str:
        return middle([each[column] for each in imports[title]], unit)

    none = {Supervisord.title: "no part of Jupyter"}
    return [
        Row(
            "added to the start of a Jupyter server, until it first answers",
            {title: added(title) for title in modules} | none,
        ),
        Row(
            "of it, importing what is loaded at the start",
            {
                title: f"{imported(title, 0, 'ms')}; CPU time {imported(title, 2, 'ms')}"
                for title in modules
            }
            | none,
        ),
        Row(
            "memory added by that (RSS)",
            {title: imported(title, 1, "MB") for title in modules} | none,
        ),
    ]


NOTES = (
    "The figures of 9 to 11 are for services that are small web servers.",
    "In 11 no service starts by itself, and compiled files are there already.",
)

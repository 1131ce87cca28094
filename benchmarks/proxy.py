"""The proxy, side by side with going direct, jupyter-server-proxy and Jupyter's ``/api/status``.

Run with ``python -m benchmarks.proxy [--quick] [--only gets,down,up,websocket] [--print]``. Each
round does one after the other, so that a machine that gets slower or faster in between does so for
all. Figures are medians; ratios are medians of each round's own; memory is the most in any round.
What a whole run prints goes into docs/proxy.md too, unless ``--print`` leaves that alone.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

from tests.faults.report import machine, put_into
from tests.free_ports import free_port
from tests.integration.compared import beside_us, other_proxy
from tests.integration.jupyter_rig import REPOSITORY, TOKEN, Jupyter, jupyter

MEGABYTE = 1_000_000
OURS, OTHER, DIRECT, STATUS = "ou_vce_ext", "jupyter-server-proxy", "direct", "/api/status"
PARTS = [sys.executable, "-m", "benchmarks.proxy_parts"]
PAGE = REPOSITORY / "docs" / "proxy.md"
BEGIN, END = "<!-- benchmark: begin -->", "<!-- benchmark: end -->"
ALL = "gets,down,up,websocket"


def declaration(name: str, role: str, port: int) -> str:
    """An app of ours, as a module team would declare it."""
    command = json.dumps([*PARTS, role, str(port)])
    return (
        f'[services.{name}]\nkind = "web"\ncommand = {command}\nport = {port}\n'
        f"cwd = {json.dumps(str(REPOSITORY))}\n"
    )


def client(**told: Any) -> dict[str, float]:
    """Let a client in a process of its own do one thing."""
    done = subprocess.run(
        [*PARTS, "client", json.dumps(told)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
        timeout=1200,
        check=True,
    )
    return dict(json.loads(done.stdout))


def log_in(server: Jupyter) -> str:
    """A browser's cookies."""
    with urllib.request.urlopen(f"{server.url}api/status?token={TOKEN}") as answer:
        jar: SimpleCookie = SimpleCookie()
        for line in answer.headers.get_all("Set-Cookie"):
            jar.load(line)
    return "; ".join(f"{name}={each.coded_value}" for name, each in jar.items())


class Memory:
    """How far the server's memory went up while something was done: ``growth``, in megabytes."""

    def __init__(self, pid: int) -> None:
        self.status = Path(f"/proc/{pid}/status")
        self.clear = Path(f"/proc/{pid}/clear_refs")
        self.growth = 0.0

    def _read(self, name: str) -> float:
        line = next(each for each in self.status.read_text().splitlines() if name in each)
        return int(line.split()[1]) * 1024 / MEGABYTE

    def __enter__(self) -> Memory:
        self.clear.write_text("5")
        self.before = self._read("VmRSS")
        return self

    def __exit__(self, *_: object) -> None:
        self.growth = max(0.0, self._read("VmHWM") - self.before)


class Bench:
    """One server, the apps behind it, and the ways to them. ``said`` is all that was printed.

    The same two programs run twice: as services of ours, whose ports the generic proxy is kept
    from, and by themselves, for the others.
    """

    def __init__(self, server: Jupyter, ports: list[int], told: argparse.Namespace) -> None:
        self.server = server
        self.cookie = log_in(server)
        self.told = told
        self.said: list[str] = []
        self.ways = self._ways("bench", ports[0])
        self.sockets = self._ways("echo", ports[1])

    def _ways(self, name: str, port: int) -> dict[str, str]:
        url = self.server.url
        return {
            DIRECT: f"http://127.0.0.1:{port}/",
            OURS: f"{url}vce/app/{name}/",
            OTHER: f"{url}proxy/{port}/",
        }

    def say(self, *lines: str) -> None:
        """Print, and keep."""
        self.said += lines
        print(*lines, sep="\n", flush=True)

    def gets(self) -> None:
        """Small answers: how many a second."""
        places = {name: f"{url}small" for name, url in self.ways.items()}
        places[STATUS] = f"{self.server.url}api/status"
        self.say(
            "| small GET | connections | per second | p50 ms | p99 ms | ours / this | server, MB |",
            "| --- | --- | --- | --- | --- | --- | --- |",
        )
        for connections in (1, 8, 64):
            rows: dict[str, list[dict[str, float]]] = {name: [] for name in places}
            for _ in range(self.told.rounds):
                for name, url in places.items():
                    with Memory(self.server.process.pid) as memory:
                        found = client(
                            do="gets",
                            url=url,
                            cookie=self.cookie,
                            connections=connections,
                            seconds=self.told.seconds,
                        )
                    rows[name].append({**found, "memory": memory.growth})
            for name, each in rows.items():
                rate, p50, p99 = (middle(each, key) for key in ("per_second", "p50", "p99"))
                ratio = statistics.median(
                    ours["per_second"] / one["per_second"]
                    for ours, one in zip(rows[OURS], each, strict=True)
                )
                self.say(
                    f"| {name} | {connections} | {rate:.0f} | {p50:.2f} | {p99:.2f} "
                    f"| {ratio:.2f} | {grown(name, each)} |"
                )

    def transfers(self, kind: str) -> None:
        """Large bodies: how long, and at what cost of memory."""
        self.say(
            "",
            f"| {kind} | MB | seconds | of direct | server, MB | status |",
            "| --- | --- | --- | --- | --- | --- |",
        )
        for size in (90,) if self.told.quick else (90, 1000):
            rows: dict[str, list[dict[str, float]]] = {name: [] for name in self.ways}
            for _ in range(self.told.rounds):
                for name, url in self.ways.items():
                    place = f"{url}bytes-{size * MEGABYTE}" if kind == "down" else f"{url}take-all"
                    up = size * MEGABYTE if kind == "up" else 0
                    with Memory(self.server.process.pid) as memory:
                        found = client(do="transfer", url=place, cookie=self.cookie, up=up)
                    rows[name].append({**found, "memory": memory.growth})
            for name, each in rows.items():
                ratio = statistics.median(
                    one["seconds"] / direct["seconds"]
                    for one, direct in zip(each, rows[DIRECT], strict=True)
                )
                self.say(
                    f"| {name} | {size} | {middle(each, 'seconds'):.2f} | {ratio:.1f} "
                    f"| {grown(name, each)} | {each[0]['status']:.0f} |"
                )

    def websockets(self) -> None:
        """Messages back and forth."""
        self.say(
            "",
            "| WebSocket | echoes per second | seconds for 100 MB | server, MB |",
            "| --- | --- | --- | --- |",
        )
        rows: dict[str, list[dict[str, float]]] = {name: [] for name in self.sockets}
        for _ in range(self.told.rounds):
            for name, url in self.sockets.items():
                with Memory(self.server.process.pid) as memory:
                    found = client(
                        do="websocket",
                        url=url,
                        cookie=self.cookie,
                        origin=self.server.url.rstrip("/"),
                        seconds=self.told.seconds,
                    )
                rows[name].append({**found, "memory": memory.growth})
        for name, each in rows.items():
            self.say(
                f"| {name} | {middle(each, 'per_second'):.0f} | {middle(each, 'seconds'):.2f} "
                f"| {grown(name, each)} |"
            )


def middle(found: list[dict[str, float]], key: str) -> float:
    """The median of one figure."""
    return statistics.median(each[key] for each in found)


def grown(name: str, found: list[dict[str, float]]) -> str:
    """How much more memory the server had at most; nothing where it had no part."""
    return "" if name == DIRECT else f"+{max(each['memory'] for each in found):.0f}"


@contextmanager
def running(role: str, port: int) -> Iterator[int]:
    """One of the programs, by itself."""
    with subprocess.Popen([*PARTS, role, str(port)], cwd=REPOSITORY) as process:
        try:
            yield port
        finally:
            process.terminate()


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="for each rate")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="no gigabytes")
    parser.add_argument("--only", default=ALL)
    parser.add_argument("--print", action="store_true", help="leave the documentation alone")
    told = parser.parse_args(arguments)
    toml = declaration("bench", "app", free_port()) + declaration("echo", "socket", free_port())
    names = ("openrefine", "postgres", "mongo")
    toml += "".join(f"[services.{name}]\nenabled = false\n" for name in names)
    with (
        tempfile.TemporaryDirectory(prefix="vce-bench-") as folder,
        running("app", free_port()) as app,
        running("socket", free_port()) as socket,
        jupyter(
            Path(folder), toml=toml, env=beside_us(Path(folder), other_proxy(Path(folder)))
        ) as server,
    ):
        for name in ("bench", "echo"):
            done = server.finish(server.api("POST", f"services/{name}/start"))
            if done["state"] != "succeeded":
                raise SystemExit(done["error"])
        bench = Bench(server, [app, socket], told)
        wanted = told.only.split(",")
        if "gets" in wanted:
            bench.gets()
        for kind in ("down", "up"):
            if kind in wanted:
                bench.transfers(kind)
        if "websocket" in wanted:
            bench.websockets()
        if told.only == ALL and not (told.quick or told.print):
            taken = f"Taken on {machine()}."
            put_into(PAGE, "\n".join([*bench.said, "", taken, ""]), BEGIN, END)


if __name__ == "__main__":
    main()

"""The proxy, side by side with going direct, jupyter-server-proxy and Jupyter's ``/api/status``.

Run with ``python -m benchmarks.proxy [--quick] [--only gets,down,up,websocket]``. Each round does
one after the other, so that a machine that gets slower or faster in between does so for all.
Figures are medians; ratios are medians of each round's own.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

from tests.integration.jupyter_rig import REPOSITORY, TOKEN, Jupyter, free_port, jupyter

MEGABYTE = 1_000_000
OURS, OTHER, DIRECT, STATUS = "ou_vce_ext", "jupyter-server-proxy", "direct", "/api/status"
PARTS = [sys.executable, "-m", "benchmarks.proxy_parts"]


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
    """One server, two apps behind it, and the ways to them."""

    def __init__(self, server: Jupyter, app: int, socket: int, told: argparse.Namespace) -> None:
        self.server = server
        self.cookie = log_in(server)
        self.told = told
        self.ways = self._ways("bench", app)
        self.sockets = self._ways("echo", socket)

    def _ways(self, name: str, port: int) -> dict[str, str]:
        url = self.server.url
        return {
            DIRECT: f"http://127.0.0.1:{port}/",
            OURS: f"{url}vce/app/{name}/",
            OTHER: f"{url}proxy/{port}/",
        }

    def gets(self) -> None:
        """Small answers: how many a second."""
        places = {name: f"{url}small" for name, url in self.ways.items()}
        places[STATUS] = f"{self.server.url}api/status"
        print("| small GET | connections | per second | p50 ms | p99 ms | of ours |")
        print("| --- | --- | --- | --- | --- | --- |")
        for connections in (1, 8, 64):
            rows: dict[str, list[dict[str, float]]] = {name: [] for name in places}
            for _ in range(self.told.rounds):
                for name, url in places.items():
                    rows[name].append(
                        client(
                            do="gets",
                            url=url,
                            cookie=self.cookie,
                            connections=connections,
                            seconds=self.told.seconds,
                        )
                    )
            for name, found in rows.items():
                rate, p50, p99 = (middle(found, key) for key in ("per_second", "p50", "p99"))
                ratio = statistics.median(
                    ours["per_second"] / each["per_second"]
                    for ours, each in zip(rows[OURS], found, strict=True)
                )
                print(
                    f"| {name} | {connections} | {rate:.0f} | {p50:.2f} | {p99:.2f} "
                    f"| {ratio:.2f} |",
                    flush=True,
                )

    def transfers(self, kind: str) -> None:
        """Large bodies: how long, and at what cost of memory."""
        print(f"\n| {kind} | MB | seconds | of direct | memory of the server, MB | status |")
        print("| --- | --- | --- | --- | --- | --- |")
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
                growth = max(one["memory"] for one in each)
                print(
                    f"| {name} | {size} | {middle(each, 'seconds'):.2f} | {ratio:.1f} "
                    f"| {'' if name == DIRECT else f'+{growth:.0f}'} | {each[0]['status']:.0f} |",
                    flush=True,
                )

    def websockets(self) -> None:
        """Messages back and forth."""
        print("\n| WebSocket | echoes per second | seconds for 100 MB | memory of the server, MB |")
        print("| --- | --- | --- | --- |")
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
            growth = max(one["memory"] for one in each)
            print(
                f"| {name} | {middle(each, 'per_second'):.0f} | {middle(each, 'seconds'):.2f} "
                f"| {'' if name == DIRECT else f'+{growth:.0f}'} |",
                flush=True,
            )


def middle(found: list[dict[str, float]], key: str) -> float:
    """The median of one figure."""
    return statistics.median(each[key] for each in found)


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="for each rate")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="no gigabytes")
    parser.add_argument("--only", default="gets,down,up,websocket")
    told = parser.parse_args(arguments)
    app, socket = free_port(), free_port()
    toml = declaration("bench", "app", app) + declaration("echo", "socket", socket)
    toml += "".join(f"[services.{name}]\nautostart = false\n" for name in ("postgres", "mongo"))
    with (
        tempfile.TemporaryDirectory(prefix="vce-bench-") as folder,
        jupyter(Path(folder), toml=toml) as server,
    ):
        for name in ("bench", "echo"):
            done = server.finish(server.api("POST", f"services/{name}/start"))
            if done["state"] != "succeeded":
                raise SystemExit(done["error"])
        bench = Bench(server, app, socket, told)
        wanted = told.only.split(",")
        if "gets" in wanted:
            bench.gets()
        for kind in ("down", "up"):
            if kind in wanted:
                bench.transfers(kind)
        if "websocket" in wanted:
            bench.websockets()


if __name__ == "__main__":
    main()

"""A student's home with a real Jupyter in it, used by one try after the other."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

from ou_vce_ext.services import proc
from tests.integration.jupyter_rig import Jupyter, jupyter

from .app_commands import app
from .bench import Bench
from .leftovers import MARK
from .promises import BrokenPromiseError, expect

Started = dict[int, int | None]


class Home:
    """A home, and what must be found in it at the next start: ``rows`` of a table, ``saved``.

    ``without`` names extensions of Jupyter that no try needs, so that it starts sooner.
    """

    def __init__(
        self, bench: Bench, number: int, name: str, toml: str, without: Sequence[str] = ()
    ) -> None:
        self.bench = bench
        self.path = bench.root / f"{number}-{name}"
        self.path.mkdir(mode=0o755)
        self.toml = toml
        self.without = without
        self.last = "the first start"

    @contextmanager
    def jupyter(self, mark: str, stdin: int = subprocess.DEVNULL, **env: str) -> Iterator[Jupyter]:
        """A server in it, whose processes have ``mark`` in their environment."""
        with jupyter(
            self.path,
            toml=self.toml,
            env={MARK: mark, **env},
            prefix=self.bench.prefix,
            stdin=stdin,
            without=self.without,
        ) as server:
            yield server

    def main(self, server: Jupyter) -> int:
        """Jupyter's own process, seen from here."""
        if not self.bench.prefix:
            return server.process.pid
        return proc.descendants(server.process.pid)[0]


class Homes:
    """Some homes, each used by one try at a time."""

    def __init__(self, homes: list[Home]) -> None:
        self._free: queue.Queue[Home] = queue.Queue()
        for home in homes:
            self._free.put(home)

    @contextmanager
    def one(self) -> Iterator[Home]:
        """A home for as long as it is needed."""
        home = self._free.get()
        try:
            yield home
        finally:
            self._free.put(home)


def started(server: Jupyter) -> Started:
    """Everything below a server, each process told from later ones with its number."""
    return {pid: proc.start_time(pid) for pid in proc.descendants(server.process.pid)}


def alive(tree: Started) -> list[str]:
    """Those of them that still run, in words."""
    return [f"{pid} ({name(pid)})" for pid, start in tree.items() if proc.is_alive(pid, start)]


def wait_gone(tree: Started, seconds: float) -> float:
    """Wait until none of them runs; how long that took, in seconds."""
    began = time.monotonic()
    while left := alive(tree):
        expect(time.monotonic() - began < seconds, f"after {seconds:g} s still there: {left}")
        time.sleep(0.01)
    return time.monotonic() - began


def name(pid: int) -> str:
    """The short name of a process, or nothing where it has gone."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def wait_ended(server: Jupyter, seconds: float) -> None:
    """Wait until Jupyter itself has ended."""
    try:
        server.process.wait(seconds)
    except subprocess.TimeoutExpired:
        running = alive(started(server))
        last = server.log.read_text("utf-8", "replace")[-1500:]
        words = (
            f"Jupyter has not ended after {seconds:g} s; below it run {running}; it said: {last}"
        )
        raise BrokenPromiseError(words) from None


def keepers(tree: Started) -> list[int]:
    """The keepers and their parent among them."""
    return [pid for pid in tree if name(pid) in ("vce-keeper", "vce-keepers")]


def kill(*pids: int) -> None:
    """SIGKILL, all at once."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def saver(name: str, file: Path, seconds: float) -> str:
    """The declaration of an app that needs ``seconds`` to save, and has ``file`` to itself."""
    command = list(app("saves", file, seconds))
    return f"[services.{name}]\ncommand = {command!r}\nautostart = true\n"


def only(*kinds: str) -> str:
    """The declarations that leave out all built-in services but ``kinds``."""
    kept = {"postgres", "mongo", "openrefine"} - set(kinds)
    return "".join(f"[services.{kind}]\nenabled = false\n" for kind in sorted(kept))


@contextmanager
def database(service: Mapping[str, Any]) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A connection to a PostgreSQL that REST tells of."""
    told = service["connection"]
    with psycopg.connect(
        host=told["host"],
        port=told["port"],
        user=told["user"],
        dbname=told["database"],
        passfile=told["password_file"],
        autocommit=True,
    ) as connection:
        yield connection

"""Fault 4: each way in which Jupyter can end."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import struct
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from tests.integration.jupyter_rig import Jupyter

from .bench import Bench
from .fault import Attempt, Fault, Figures, Measure
from .homes import (
    Home,
    Homes,
    Started,
    alive,
    database,
    keepers,
    kill,
    only,
    saver,
    started,
    wait_ended,
    wait_gone,
)
from .promises import expect

GONE = "everything is saved and gone after"
READY = "the next start is ready after"
SAVING = 0.5
ROWS = (
    *("everything killed", "SIGTERM", "SIGKILL", "SIGINT", "SIGHUP", "/api/shutdown"),
    *("Ctrl-C in a terminal", "Jupyter and keepers killed", "SIGTERM taken by others"),
)
# As the first process of a container its end is the end of all.
IN_CONTAINER = ("everything killed", "SIGTERM", "SIGINT", "SIGHUP", "/api/shutdown")
UNSAVED = ("everything killed",)
WAITS = ("SIGTERM", "SIGINT", "SIGHUP", "/api/shutdown", "Ctrl-C in a terminal")


class JupyterEnds(Fault):
    """Everything ends gently and is saved, and the next start finds a clean house."""

    number = 4
    title = "Jupyter ends: signals, shutdown, kill -9, with its keepers, everything at once"
    at_once = 2
    limit = 120.0
    measures = (Measure(GONE, 60.0), Measure(READY))

    async def set_up(self, bench: Bench) -> None:
        kinds = ("postgres",) if self.short else ("postgres", "mongo")
        self._homes = Homes([self._home(bench, (kind,)) for kind in kinds])

    def _home(self, bench: Bench, kinds: tuple[str, ...]) -> Home:
        name = "-".join(kinds)
        file = bench.root / f"{self.number}-{name}.saved"
        home = Home(bench, self.number, name, only(*kinds) + saver("saver", file, SAVING))
        handlers = home.path / ".jupyter" / "jupyter_server_config.d"
        handlers.mkdir(parents=True)
        return home

    async def try_once(self, attempt: Attempt) -> Figures:
        rows = IN_CONTAINER if attempt.bench.prefix else ROWS
        return await asyncio.to_thread(self._try, attempt, rows[attempt.number % len(rows)])

    def _try(self, attempt: Attempt, how: str) -> Figures:
        with self._homes.one() as home:
            controller, terminal = pty.openpty()
            try:
                _others_take_sigterm(home, how == "SIGTERM taken by others")
                stdin = terminal if how == "Ctrl-C in a terminal" else subprocess.DEVNULL
                began = time.monotonic()
                with home.jupyter(attempt.mark, stdin) as server:
                    figures = self._one_life(attempt, home, server, how, controller, began)
                home.last = how
                return figures
            finally:
                os.close(controller)
                os.close(terminal)

    def _one_life(
        self,
        attempt: Attempt,
        home: Home,
        server: Jupyter,
        how: str,
        controller: int,
        began: float,
    ) -> Figures:
        saved = Path(f"{home.path}.saved")
        services = {item["name"] for item in server.api("GET", "services")["services"]}
        for name in sorted(services):
            server.wait_state(name, "ready")
        ready = time.monotonic() - began
        expect(not Path(f"{saved}.twice").exists(), f"after {home.last}, two ran on the same data")
        self._says_what_may_be_lost(home, server)
        if "postgres" in services:
            folder = Path(server.service("postgres")["data_dir"])
            _note(server)
        time.sleep(attempt.rng.uniform(0, 0.5))
        before = _lines(saved)
        tree = started(server)
        expect(len(tree) >= 4, f"too few processes below Jupyter: {tree}")
        asked = time.monotonic()
        self._end(home, server, how, controller, tree)
        if how in WAITS:
            wait_ended(server, 60 * attempt.bench.patience)
            # The keepers' parent ends by itself a moment after the last of them.
            left = [words for words in alive(tree) if "vce-keepers" not in words]
            expect(not left, f"{how}: Jupyter ended before {left}")
        wait_gone(tree, 60 * attempt.bench.patience)
        gone = time.monotonic() - asked
        if how not in UNSAVED:
            expect(_lines(saved) == before + 1, f"{how}: the app was not let save its work")
        if "postgres" in services:
            expect(_was_shut_down(folder) or how in UNSAVED, f"{how}: PostgreSQL was not shut down")
        return {READY: ready} if how in UNSAVED else {GONE: gone, READY: ready}

    def _says_what_may_be_lost(self, home: Home, server: Jupyter) -> None:
        if home.last not in UNSAVED:
            return
        _, text = server.request("GET", "vce/status", accept="application/json")
        problems = json.loads(text)["problems"]
        told = [problem["message"] for problem in problems if problem["code"] == "cut-off"]
        expect(told, f"after {home.last}, nothing is said of what may be lost: {problems}")

    def _end(self, home: Home, server: Jupyter, how: str, controller: int, tree: Started) -> None:
        main = home.main(server)
        match how:
            case "/api/shutdown":
                status, text = server.request("POST", "api/shutdown")
                expect(status == 200, f"a shutdown was answered with {status}: {text}")
            case "Ctrl-C in a terminal":
                os.kill(main, signal.SIGINT)
                os.write(controller, b"y\n")
            case "Jupyter and keepers killed":
                kill(main, *keepers(tree))
            case "everything killed" if home.bench.prefix:
                kill(main)
            case "everything killed":
                # From the top: what lies below is stopped first, so that nobody can end gently.
                everybody = (main, *tree)
                for pid in everybody:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGSTOP)
                kill(*everybody)
            case "SIGTERM taken by others":
                os.kill(main, signal.SIGTERM)
            case _:
                os.kill(main, getattr(signal, how))


_noted: dict[Path, int] = {}


def _note(server: Jupyter) -> None:
    """What was noted in earlier lives is there; note one more."""
    home = Path(server.log).parent
    with database(server.service("postgres")) as connection:
        connection.execute("create table if not exists lives (number int)")
        rows = connection.execute("select count(*) from lives").fetchone()
        expect(rows == (_noted.get(home, 0),), f"of {_noted.get(home, 0)} rows {rows} are left")
        connection.execute("insert into lives values (1)")
    _noted[home] = _noted.get(home, 0) + 1


def _was_shut_down(folder: Path) -> bool:
    """What the control file of a PostgreSQL says of its last end (state 1 is: in good order)."""
    control = (folder / "global" / "pg_control").read_bytes()
    return bool(struct.unpack_from("=i", control, 16)[0] == 1)


def _lines(file: Path) -> int:
    return len(file.read_text().splitlines()) if file.exists() else 0


def _others_take_sigterm(home: Home, they_do: bool) -> None:
    file = home.path / ".jupyter" / "jupyter_server_config.json"
    on = str(they_do).lower()
    file.write_text(
        f'{{"ServerApp": {{"jpserver_extensions": {{"tests.faults.takes_sigterm": {on}}}}}}}'
    )

"""Situations 1, 3 and 6 to 8: what each shows of a program with which something is wrong."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import threading
import time
from pathlib import Path

from tests.faults.app_commands import app

from .bench import (
    Bench,
    Command,
    Row,
    alive,
    each,
    middle,
    mostly,
    of,
    plain,
    read,
    side_by_side,
)
from .managers import Manager, Shown
from .others import MANAGERS


def explained(manager: Manager, name: str) -> Shown:
    """What is shown as soon as there is a reason in it, or after 40 s."""
    end = time.monotonic() + 40
    while not (found := manager.look(name)).reason and time.monotonic() < end:
        time.sleep(0.02)
    return found


def dies_at_once(bench: Bench) -> list[Row]:
    """A command that dies at once."""
    words: dict[str, str] = {}

    def find(kind: type[Manager]) -> str:
        def command(port: str) -> tuple[str, ...]:
            return ("sh", "-c", "echo 'no such setting: colour' >&2; exit 3")

        took, told = [], []
        programs = bench.programs("dead", bench.tries, command)
        with bench.open(kind, programs) as manager:
            for name in programs:
                began = time.monotonic()
                manager.begin(name)
                found = explained(manager, name)
                took.append(time.monotonic() - began)
                told.append(found.words)
        words[kind.title] = mostly(told)
        return middle(took, "s")

    return [
        Row("a command that dies at once: until a reason is told", each(find)),
        Row("what is told first", words),
    ]


class Stranger:
    """Somebody else's server, which answers whoever asks, and counts who does."""

    def __init__(self, port: int) -> None:
        self.asked = 0
        self._server = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(2)
                try:
                    self.asked += bool(connection.recv(1 << 16))
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nstranger")
                except OSError:
                    continue

    def close(self) -> None:
        """Go away."""
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()


def port_taken(bench: Bench) -> list[Row]:
    """The declared port is a stranger's."""
    rows = []
    for name, words in (
        ("serves", "program ends when its port is taken"),
        ("waits_for_port", "program waits for its port"),
    ):
        sent: dict[str, str] = {}
        told: dict[str, str] = {}

        def find(
            kind: type[Manager],
            name: str = name,
            sent: dict[str, str] = sent,
            told: dict[str, str] = told,
        ) -> str:
            programs = bench.programs("port", bench.tries, plain(name))
            strangers = [Stranger(program.port) for program in programs.values()]
            ready: set[str] = set()
            with bench.open(kind, programs) as manager:
                for each_name in programs:
                    manager.begin(each_name)
                end = time.monotonic() + 6
                while time.monotonic() < end:
                    ready |= {each_name for each_name in programs if manager.look(each_name).ready}
                    time.sleep(0.1)
                told[kind.title] = mostly([manager.look(each_name).words for each_name in programs])
            for stranger in strangers:
                stranger.close()
            got = sum(bool(stranger.asked) for stranger in strangers)
            sent[kind.title] = of(got, bench.tries)
            return of(len(ready), bench.tries)

        rows += [
            Row(f"port taken, {words}: ever called ready", each(find)),
            Row("anything sent to the stranger", sent),
            Row("what is shown after 6 s", told),
        ]
    return rows


def hanging(file: Path) -> Command:
    """The command of a program that answers nobody for as long as there is ``file``."""
    return lambda port: app("hangs", file, port=port)


def hung(bench: Bench) -> list[Row]:
    """A service that hangs: stopped by SIGSTOP, or answering nobody."""
    count = bench.long_tries
    files = {kind: bench.folder("hang") for kind in MANAGERS}
    sets = {
        kind: bench.programs("stopped", count, plain("serves"))
        | bench.programs("hung", count, hanging(file))
        for kind, file in files.items()
    }
    shown: dict[str, dict[str, str]] = {"stopped": {}, "hung": {}}
    with side_by_side(bench, sets) as side:
        for manager, programs in side.values():
            for name in programs:
                manager.begin(name)
            manager.wait_ready(*programs)
        for kind, (_manager, programs) in side.items():
            for pid in alive({n: each for n, each in programs.items() if n.startswith("stopped")}):
                os.kill(pid, signal.SIGSTOP)
            files[kind].touch()
        time.sleep(20)
        for kind, (manager, programs) in side.items():
            manager.ask_again(*programs)
            for word, found in shown.items():
                names = [name for name in programs if name.startswith(word)]
                found[kind.title] = mostly([manager.look(name).words for name in names])
            files[kind].unlink()
    return [
        Row("hung by SIGSTOP: what is shown 20 s later", shown["stopped"]),
        Row("hung, answers nobody: what is shown 20 s later", shown["hung"]),
    ]


def slow_start(bench: Bench) -> list[Row]:
    """A program that answers after 8 s."""
    command = "slow_both_ways"
    sets = {
        kind: bench.programs("slow", bench.tries, lambda port: app(command, 8, 0, port=port))
        for kind in MANAGERS
    }
    early: dict[type[Manager], list[Shown]] = {}
    late: dict[type[Manager], list[Shown]] = {}
    with side_by_side(bench, sets) as side:
        for manager, programs in side.values():
            for name in programs:
                manager.begin(name)
        for seconds, found in ((3, early), (10, late)):
            time.sleep(seconds)
            for kind, (manager, programs) in side.items():
                found[kind] = [manager.look(name) for name in programs]

    def shown(found: dict[type[Manager], list[Shown]]) -> dict[str, str]:
        return {kind.title: mostly([one.words for one in each]) for kind, each in found.items()}

    failed = {
        kind.title: of(sum(not one.ready for one in each), len(each)) for kind, each in late.items()
    }
    return [
        Row("slow start (8 s), settings as they come: falsely failed", failed),
        Row("what is shown after 3 s, when it answers nobody", shown(early)),
        Row("what is shown after 13 s", shown(late)),
    ]


def flapping(bench: Bench) -> list[Row]:
    """A program that serves for 1.5 s and exits."""
    count = bench.long_tries
    logs: dict[str, Path] = {}

    def command(port: str) -> tuple[str, ...]:
        logs[port] = bench.folder("starts")
        again = shlex.join(("timeout", "--foreground", "1.5", *app("serves", port=port)))
        return ("sh", "-c", f"echo >>{shlex.quote(str(logs[port]))}; exec {again}")

    sets = {kind: bench.programs("flaps", count, command) for kind in MANAGERS}
    starts, told = {}, {}
    with side_by_side(bench, sets) as side:
        for manager, programs in side.values():
            for name in programs:
                manager.begin(name)
        time.sleep(20)
        for kind, (manager, programs) in side.items():
            lines = [len(read(logs[str(each.port)])) for each in programs.values()]
            starts[kind.title] = middle(lines, "times")
            manager.ask_again(*programs)
            told[kind.title] = mostly([manager.look(name).words for name in programs])
    return [
        Row("flapping, exits 1.5 s after it began: started within 20 s", starts),
        Row("what is shown in the end", told),
    ]

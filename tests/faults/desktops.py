"""Faults 31 and 32: kill -9 of each part of a desktop, of its viewers, and of Jupyter."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import struct
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ou_vce_ext.drivers.desktop.display_number import lock_of, socket_of
from ou_vce_ext.drivers.desktop.driver import DesktopDriver
from ou_vce_ext.services import proc
from ou_vce_ext.states import ServiceState
from tests.integration.jupyter_rig import wait
from tests.integration.watching import gone

from .bench import Bench
from .desktop_tab import NAME, tab
from .fault import Attempt, Fault, Figures, Measure
from .homes import Home, Homes, kill, only, started, wait_ended, wait_gone
from .promises import expect
from .supervised import Supervised

PARTS = ("display", "program", "window manager", "session", "viewer")
CODES = {"display": "display-lost", "program": "killed", "session": "killed"}
_DECLARED = """
[services.desktop]
kind = "desktop"
command = ["xclock", "-update", "1"]
autostart = true
"""
_FAREWELL = struct.pack("ii", 1, 0)


class DesktopKilled(Fault):
    """The right reason is told, a new one comes up, and of the old nothing is left."""

    number = 31
    title = "kill -9 a desktop's display, program, window manager, session, viewer"
    tries = 250
    short_tries = 5
    measures = (Measure("seen after", 0.5), Measure("ready again after"))

    async def try_once(self, attempt: Attempt) -> Figures:
        part = PARTS[attempt.number % len(PARTS)]
        service = attempt.service("desktop", command=("xclock", "-update", "1"))
        await service.start()
        await asyncio.sleep(attempt.rng.uniform(0, 0.3))
        match part:
            case "viewer":
                figures = await self._viewer(attempt, service)
            case "window manager":
                figures = await self._manager(service)
            case _:
                figures = await self._killed(service, part)
        files = files_of(service)
        await service.stop()
        left = [path for path in files if os.path.lexists(path)]
        expect(not left, f"stopped, and {left} are there")
        return figures

    async def _killed(self, service: Supervised, part: str) -> Figures:
        tree, files, before = service.tree(), files_of(service), len(service.moves)
        assert service.lifecycle.process is not None
        match part:
            case "display":
                victim = _named(service, "Xtigervnc")
            case "program":
                victim = service.pid
            case _:
                victim = service.lifecycle.process.pid
        killed = service.kill(victim)
        died = await service.moved_to(ServiceState.BACKOFF, since=before)
        code = died.error.code if died.error else None
        expect(code == CODES[part], f"the {part} was killed, and told is {died.error}")
        back = await service.moved_to(ServiceState.READY, since=before)
        left = [pid for pid in tree if not gone(pid)]
        expect(not left, f"ready again, and of the run before {left} still live")
        lost = [path for path in files[:2] if os.path.lexists(path)]
        expect(not lost, f"ready again, and of the display before {lost} are there")
        return {"seen after": died.at - killed, "ready again after": back.at - killed}

    async def _manager(self, service: Supervised) -> Figures:
        """The program does not notice."""
        program, moves = service.pid, len(service.moves)
        manager = _named(service, "openbox")
        service.kill(manager)
        while not (gone(manager) and _all_named(service, "openbox")):
            await asyncio.sleep(0.01)
        expect(service.pid == program, "the program was exchanged with its window manager")
        expect(len(service.moves) == moves, f"it moved: {service.told()}")
        return {}

    async def _viewer(self, attempt: Attempt, service: Supervised) -> Figures:
        """A browser's tab that is gone without a word, with pictures on their way to it."""
        driver = service.driver
        assert isinstance(driver, DesktopDriver)
        moves = len(service.moves)
        with socket.socket(socket.AF_UNIX) as viewer:
            viewer.settimeout(60)
            viewer.connect(str(driver.socket))
            for answer in (viewer.recv(12), b"\1", b"\1"):
                viewer.sendall(answer)
            viewer.sendall(struct.pack(">BBHHHH", 3, 0, 0, 0, 1280, 800))
            await asyncio.sleep(attempt.rng.uniform(0, 0.1))
            viewer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _FAREWELL)
        expect(await driver.display_server.answers(driver.socket), "the next viewer is kept out")
        expect(len(service.moves) == moves, f"it moved: {service.told()}")
        return {}


class DesktopAbandoned(Fault):
    """What nobody looks at any more goes on; what Jupyter ran goes with it."""

    number = 32
    title = "kill -9 a browser's tab that shows a desktop, and Jupyter under another"
    short_tries = 1
    measures = (Measure("gone with Jupyter after", 60.0),)

    async def set_up(self, bench: Bench) -> None:
        self._homes = Homes([Home(bench, self.number, "desktop", only() + _DECLARED)])

    async def try_once(self, attempt: Attempt) -> Figures:
        return await asyncio.to_thread(self._try, attempt)

    def _try(self, attempt: Attempt) -> Figures:
        with self._homes.one() as home:
            with home.jupyter(attempt.mark) as server:
                program = server.wait_state(NAME, "ready")["pid"]
                jupyter = home.main(server)
                with tab(server):
                    # One to the tab, and one to the display: of the latter it is seen whose it is.
                    connections = _connections(jupyter)
                    _, _, display = _files_of_any(started(server))
                    expect(_taken(display) == 1, "a tab is open, and has no connection")
                    time.sleep(attempt.rng.uniform(0, 0.2))
                wait(lambda: not _taken(display), told=lambda: "the display has a viewer left")
                wait(
                    lambda: _connections(jupyter) <= connections - 2,
                    told=lambda: "a connection is left",
                )
                with tab(server):
                    time.sleep(attempt.rng.uniform(0, 0.2))
                    service = server.service(NAME)
                    expect(service["pid"] == program, f"it was exchanged: {service}")
                    tree = started(server)
                    files = _files_of_any(tree)
                    expect(len(files) == 3, f"the display's files are {files}")
                    kill(jupyter)
                    taken = wait_gone(tree, 60 * attempt.bench.patience)
            if home.bench.prefix:
                # A container's first process takes all others with it: nobody was left to tidy up.
                with home.jupyter(attempt.mark) as server:
                    server.wait_state(NAME, "ready")
                    left = [path for path in files[:2] if os.path.lexists(path)]
                    expect(not left, f"ready again, and of the display before {left} are there")
                    os.kill(home.main(server), signal.SIGTERM)
                    wait_ended(server, 60 * attempt.bench.patience)
            left = [path for path in files if os.path.lexists(path)]
            expect(not left, f"gone with Jupyter, and {left} are there")
            return {"gone with Jupyter after": taken}


def _connections(pid: int) -> int:
    """How many sockets a process has open."""
    count = 0
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            count += os.readlink(link).startswith("socket:")
    return count


def _taken(path: str) -> int:
    """How many connections a unix socket at ``path`` has accepted."""
    lines = Path("/proc/net/unix").read_text().splitlines()
    return sum(line.split()[5] == "03" and line.endswith(f" {path}") for line in lines[1:])


def _files_of_any(tree: Iterable[int]) -> list[str]:
    found = []
    for pid in tree:
        with suppress(OSError):
            found += _paths(Path(f"/proc/{pid}/cmdline").read_bytes().decode())
    return found


def _paths(command: str) -> list[str]:
    """The files of the display that a process serves, if it is one that does."""
    found = re.match(r"[^\0]*Xtigervnc\0:(\d+)\0.*?-rfbunixpath\0([^\0]+)", command, re.DOTALL)
    return [lock_of(int(found[1])), socket_of(int(found[1])), found[2]] if found else []


def files_of(service: Supervised) -> list[str]:
    """Lock, socket and viewers' socket of the display of a service that runs."""
    server = _named(service, "Xtigervnc")
    return _paths(Path(f"/proc/{server}/cmdline").read_bytes().decode())


def _all_named(service: Supervised, name: str) -> list[int]:
    found = []
    for pid in service.tree():
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[0].decode().endswith(name) and proc.stat(pid):
            found.append(pid)
    return found


def _named(service: Supervised, name: str) -> int:
    found = _all_named(service, name)
    expect(len(found) == 1, f"{name} is there {len(found)} times: {service.told()}")
    return found[0]

"""One desktop program in a tab: as a service, and by the same commands by hand with websockify.

Either gives a place, and how long its first picture took. With a browser it is seen in its page,
from the click, which starts the service, or from the first command on; else by a viewer of its own,
on its socket. A browser by hand is sent to its page as soon as the program has been started, and
websockify runs by then, as Jupyter does.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ou_vce_ext.drivers.desktop.display_number import candidates
from ou_vce_ext.drivers.desktop.display_server import Screen
from ou_vce_ext.drivers.desktop.tigervnc import TigerVNC
from ou_vce_ext.drivers.desktop.window_manager import write_settings
from ou_vce_ext.drivers.desktop.x11 import Windows, write_authority
from ou_vce_ext.services import proc
from tests.free_ports import free_port
from tests.integration.jupyter_rig import REPOSITORY, TOKEN, Jupyter

from .desktop_program import COLOURS

PROGRAM = (sys.executable, "-m", "benchmarks.desktop_program")
JAR = REPOSITORY / "examples" / "daisyworld" / "daisyworld.jar"
COMMANDS = {
    "keys": (*PROGRAM, "keys"),
    "video": (*PROGRAM, "video"),
    "daisyworld": ("java", "-jar", str(JAR)),
}
"""Each started in this repository's folder."""
AT = 20
"""The pixel that is looked at, from the upper left corner: it is in the first square."""
_PLAIN_PAGE = """<!doctype html><title>noVNC</title>
<style>html, body, #screen { height: 100%; margin: 0 }</style><div id="screen"></div>
<script type="module">
import RFB from './core/rfb.js';
const rfb = new RFB(document.getElementById('screen'), `ws://${location.host}/websockify`);
rfb.resizeSession = rfb.scaleViewport = true;
rfb.qualityLevel = 8;
</script>"""


@dataclass
class Place:
    """One running desktop: its socket, the address of its page, its processes."""

    socket: Path
    url: str
    processes: Callable[[], list[int]]


class Rfb:
    """A viewer that only looks at one pixel."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(str(path))
        self.socket.sendall(self._read(12))
        self._read(self._read(1)[0])
        self.socket.sendall(b"\1")
        self._read(4)
        self.socket.sendall(b"\1")
        told = self._read(24)
        self._read(int.from_bytes(told[20:24], "big"))
        self.socket.sendall(struct.pack(">BxHi", 2, 1, 0))

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            data += self.socket.recv(size - len(data)) or sys.exit("the display has gone")
        return data

    def colour(self) -> int:
        """The pixel as it is now, 0xRRGGBB."""
        self.socket.sendall(struct.pack(">BBHHHH", 3, 0, 300, 300, 1, 1))
        self._read(4)
        self._read(12)
        return int.from_bytes(self._read(4), "little") & 0xFFFFFF


def until_colour(path: Path) -> None:
    """Return when the program's colour is on the screen behind ``path``."""
    while True:
        with suppress(OSError):
            viewer = Rfb(path)
            while viewer.colour() != COLOURS[0]:
                time.sleep(0.005)
            return
        time.sleep(0.005)


def browser_command(**told: Any) -> list[str]:
    """The command that looks in a real browser; see ``desktop_viewer.mjs``."""
    return ["node", "benchmarks/desktop_viewer.mjs", json.dumps({"at": AT, **told})]


def browser(place: Place, **told: Any) -> list[float]:
    """What a browser sees of a desktop that runs."""
    done = subprocess.run(
        browser_command(url=place.url, **told),
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        check=True,
        timeout=600,
    )
    return list(json.loads(done.stdout))


class Watcher:
    """A running browser, which has been at ``url`` and nowhere else, and waits to be sent."""

    def __init__(self, url: str) -> None:
        self._process = subprocess.Popen(
            browser_command(url=url, what="first"),
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())

    def go(self, url: str) -> None:
        """Send it to a page, as a click does."""
        assert self._process.stdin
        self._process.stdin.write(f"{url}\n")
        self._process.stdin.flush()

    def seen(self) -> float:
        """When the first picture was on its canvas, in seconds of the clock."""
        [milliseconds] = self._answer()
        self._process.wait()
        return float(milliseconds) / 1000


@contextmanager
def by_hand(folder: Path, what: str, *, watched: bool = False) -> Iterator[tuple[Place, float]]:
    """The same commands as a person would type them."""
    folder.mkdir()
    rfb, authority, port = folder / "rfb.sock", folder / "xauthority", free_port()
    cookie, display = write_authority(str(authority)), next(candidates())
    environment = {**os.environ, "DISPLAY": f":{display}", "XAUTHORITY": str(authority)}
    started: list[subprocess.Popen[bytes]] = []

    def run(*words: str) -> subprocess.Popen[bytes]:
        made = subprocess.Popen(
            words,
            env=environment,
            cwd=REPOSITORY,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        started.append(made)
        return made

    try:
        run(
            *(sys.executable, "-m", "websockify", f"--web={_page_of_novnc(folder)}"),
            *(f"--unix-target={rfb}", f"127.0.0.1:{port}"),
        )
        _until_open(port)
        url = f"http://127.0.0.1:{port}/index.html"
        watcher = Watcher("about:blank") if watched else None
        began = time.time()
        words = TigerVNC().command(Screen("By hand", 1280, 800), rfb, authority)
        server = run(*(word.replace("{display}", str(display)) for word in words))
        while True:
            with suppress(OSError):
                Windows(display, cookie, server.pid).close()
                break
            time.sleep(0.005)
        own = str(os.getpid())
        run(*(word.replace("{session}", own) for word in write_settings(folder, "full")))
        signal.sigtimedwait({signal.SIGUSR1}, 5)
        run(*COMMANDS[what])
        if watcher:
            watcher.go(url)
        elif what == "keys":
            until_colour(rfb)
        seconds = (watcher.seen() if watcher else time.time()) - began
        pids = [each.pid for each in started]
        yield Place(rfb, url, lambda: _with_children(pids)), seconds
    finally:
        for each in reversed(started):
            each.terminate()
            each.wait()


def _page_of_novnc(folder: Path) -> Path:
    page = folder / "page"
    page.mkdir()
    (page / "index.html").write_text(_PLAIN_PAGE)
    novnc = REPOSITORY / "labextension" / "node_modules" / "@novnc" / "novnc"
    for name in ("core", "vendor"):
        (page / name).symlink_to(novnc / name)
    return page


def _until_open(port: int) -> None:
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)


def _with_children(pids: list[int]) -> list[int]:
    return [*pids, *(child for pid in pids for child in proc.descendants(pid))]


@contextmanager
def as_service(
    server: Jupyter, name: str, *, watched: bool = False
) -> Iterator[tuple[Place, float]]:
    """The same as a service."""
    [run] = (Path(server.log).parent.parent / "run").iterdir()
    rfb = run / name / "rfb.sock"
    # Logged in, and with nothing of ours to show yet.
    watcher = Watcher(f"{server.url}vce/status?token={TOKEN}") if watched else None
    began = time.time()
    if watcher:
        watcher.go(f"{server.url}vce/app/{name}/")
    else:
        server.api("POST", f"services/{name}/start")
        if name == "keys":
            until_colour(rfb)
    seconds = (watcher.seen() if watcher else time.time()) - began
    server.wait_state(name, "ready")
    url = f"{server.url}vce/app/{name}/?token={TOKEN}"
    pid = server.process.pid
    yield Place(rfb, url, lambda: _with_children([pid])), seconds
    server.finish(server.api("POST", f"services/{name}/stop"))

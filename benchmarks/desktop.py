"""Desktop programs in a tab, side by side with the same commands by hand and websockify.

Run with ``python -m benchmarks.desktop [--quick] [--print]``; websockify is looked for on the
module path. Each round does one after the other. Times to the first picture are from the request,
or the first command, until a viewer is told of the program's colour; keys and pictures are seen in
a real browser. Ratios are medians of each round's own. What a whole run prints goes into
docs/desktop.md too, unless ``--print`` leaves that alone.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
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
from tests.faults.report import machine, put_into
from tests.free_ports import free_port
from tests.integration.jupyter_rig import REPOSITORY, TOKEN, Jupyter, jupyter

from .desktop_program import COLOURS

OURS, OTHER = "ou_vce_ext", "websockify and noVNC"
PAGE = REPOSITORY / "docs" / "desktop.md"
BEGIN, END = "<!-- benchmark: begin -->", "<!-- benchmark: end -->"
PROGRAM = (sys.executable, "-m", "benchmarks.desktop_program")
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


@dataclass
class Place:
    """One running desktop: its socket, the address of its page, its processes."""

    socket: Path
    url: str
    processes: Callable[[], list[int]]


def until_colour(path: Path) -> None:
    """Return when the program's colour is on the screen behind ``path``."""
    while True:
        with suppress(OSError):
            viewer = Rfb(path)
            while viewer.colour() != COLOURS[0]:
                time.sleep(0.005)
            return
        time.sleep(0.005)


@contextmanager
def by_hand(folder: Path, what: str) -> Iterator[tuple[Place, float]]:
    """The same commands as a person would type them, and how long the first picture took."""
    folder.mkdir()
    rfb, authority, port = folder / "rfb.sock", folder / "xauthority", free_port()
    cookie, display = write_authority(str(authority)), next(candidates())
    environment = {**os.environ, "DISPLAY": f":{display}", "XAUTHORITY": str(authority)}
    began = time.monotonic()
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
        run(*PROGRAM, what)
        page = folder / "page"
        page.mkdir()
        (page / "index.html").write_text(_PLAIN_PAGE)
        novnc = REPOSITORY / "labextension" / "node_modules" / "@novnc" / "novnc"
        for name in ("core", "vendor"):
            (page / name).symlink_to(novnc / name)
        if what == "keys":
            until_colour(rfb)
        seconds = time.monotonic() - began
        run(
            *(sys.executable, "-m", "websockify", f"--web={page}"),
            *(f"--unix-target={rfb}", f"127.0.0.1:{port}"),
        )
        _until_open(port)
        pids = [each.pid for each in started]
        place = Place(rfb, f"http://127.0.0.1:{port}/index.html", lambda: _with_children(pids))
        yield place, seconds
    finally:
        for each in reversed(started):
            each.terminate()
            each.wait()


def _until_open(port: int) -> None:
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)


def _with_children(pids: list[int]) -> list[int]:
    return [*pids, *(child for pid in pids for child in proc.descendants(pid))]


@contextmanager
def as_service(server: Jupyter, name: str) -> Iterator[tuple[Place, float]]:
    """The same as a service, and how long the first picture took from the request on."""
    [run] = (Path(server.log).parent.parent / "run").iterdir()
    rfb = run / name / "rfb.sock"
    began = time.monotonic()
    server.api("POST", f"services/{name}/start")
    if name == "keys":
        until_colour(rfb)
    seconds = time.monotonic() - began
    server.wait_state(name, "ready")
    url = f"{server.url}vce/app/{name}/?token={TOKEN}"
    pid = server.process.pid
    yield Place(rfb, url, lambda: _with_children([pid])), seconds
    server.finish(server.api("POST", f"services/{name}/stop"))


def browser(place: Place, **told: Any) -> list[float]:
    """What a browser sees."""
    done = subprocess.run(
        ["node", "benchmarks/desktop_viewer.mjs", json.dumps({"url": place.url, "at": AT, **told})],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        check=True,
        timeout=600,
    )
    return list(json.loads(done.stdout))


def cpu(pids: list[int]) -> float:
    """Seconds of processor time that they have used."""
    return sum(found.cpu for found in map(proc.stat, pids) if found) / proc.TICKS


def memory(pids: list[int]) -> float:
    """Megabytes, each shared page counted once (PSS)."""
    return proc.cost(pids).memory / 1e6


class Bench:
    """All rounds; ``said`` is all that was printed."""

    def __init__(self, server: Jupyter, folder: Path, told: argparse.Namespace) -> None:
        self.server = server
        self.folder = folder
        self.told = told
        self.said: list[str] = []
        self.rounds = 0

    def say(self, *lines: str) -> None:
        """Print, and keep."""
        self.said += lines
        print(*lines, sep="\n", flush=True)

    @contextmanager
    def place(self, who: str, what: str) -> Iterator[tuple[Place, float]]:
        """A desktop of either kind."""
        self.rounds += 1
        made = (
            as_service(self.server, what)
            if who == OURS
            else by_hand(self.folder / str(self.rounds), what)
        )
        with made as found:
            yield found

    def start_and_keys(self) -> None:
        """First picture; key to pixel; memory and time of an idle one."""
        first: dict[str, list[float]] = {OURS: [], OTHER: []}
        keys: dict[str, list[float]] = {OURS: [], OTHER: []}
        idle, used = 0.0, 0.0
        for number in range(self.told.rounds):
            for who in (OURS, OTHER) if number % 2 else (OTHER, OURS):
                with self.place(who, "keys") as (place, seconds):
                    first[who].append(seconds)
                    keys[who] += browser(place, what="keys", times=self.told.keys)
                    if who == OURS:
                        service = self.server.service("keys")
                        idle = service["memory_bytes"] / 1e6
                        session = [int(service["pid"])]
                        tree = [pid for pid in place.processes() if _is_of(pid, place, session)]
                        before = cpu(tree)
                        time.sleep(self.told.idle)
                        used = cpu(tree) - before
        ratio = statistics.median(a / b for a, b in zip(first[OURS], first[OTHER], strict=True))
        self.say(
            f"| request to first picture | {_ms(first[OURS])} | {_ms(first[OTHER])} (by hand) "
            f"| {ratio:.2f} |"
        )
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            ours, other = (_share(keys[who], share) for who in (OURS, OTHER))
            self.say(
                f"| key to changed pixel, {name} | {ours:.1f} ms | {other:.1f} ms "
                f"| {ours / other:.2f} |"
            )
        self.say(
            f"| an idle desktop | {idle:.0f} MB, {used:.2f} s of CPU in {self.told.idle} s "
            "with nobody looking | | |"
        )

    def video(self) -> None:
        """Full screens a second, and what they cost."""
        rates: dict[str, list[float]] = {OURS: [], OTHER: []}
        load: dict[str, list[float]] = {OURS: [], OTHER: []}
        grown: dict[str, list[float]] = {OURS: [], OTHER: []}
        for number in range(self.told.rounds):
            for who in (OURS, OTHER) if number % 2 else (OTHER, OURS):
                with self.place(who, "video") as (place, _):
                    pids = place.processes()
                    size, before, began = memory(pids), cpu(pids), time.monotonic()
                    rates[who] += browser(place, what="frames", seconds=self.told.seconds)
                    load[who].append((cpu(pids) - before) / (time.monotonic() - began))
                    grown[who].append(memory(place.processes()) - size)
        for title, unit, values in (
            ("full screens a second (60 are drawn)", "", rates),
            ("the server's CPU meanwhile", " cores", load),
            ("the server's memory, more than before", " MB", grown),
        ):
            ours, other = (statistics.median(values[who]) for who in (OURS, OTHER))
            ratio = f"{ours / other:.2f}" if other else ""
            self.say(f"| {title} | {ours:.2f}{unit} | {other:.2f}{unit} | {ratio} |")


def _is_of(pid: int, place: Place, known: list[int]) -> bool:
    try:
        text = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace")
    except OSError:
        return False
    own = str(place.socket.parent)
    return pid in known or own in text or "drivers.desktop.session" in text


def _ms(values: list[float]) -> str:
    return f"{1000 * statistics.median(values):.0f} ms"


def _share(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def main() -> None:
    """Measure, print, and put what was printed into the documentation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two short rounds")
    parser.add_argument("--print", action="store_true", help="leave docs/desktop.md alone")
    told = parser.parse_args()
    # The window manager's own word that it is at work.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    told.rounds, told.keys, told.seconds, told.idle = (
        (2, 60, 4, 10)
        if told.quick
        else (
            5,
            200,
            10,
            30,
        )
    )
    path = json.dumps(str(REPOSITORY))
    toml = "".join(
        f"[services.{kind}]\nenabled = false\n"
        for kind in (
            "openrefine",
            "postgres",
            "mongo",
        )
    )
    for name in ("keys", "video"):
        words = json.dumps([*PROGRAM, name])
        toml += f'[services.{name}]\nkind = "desktop"\ncommand = {words}\ncwd = {path}\n'
    with tempfile.TemporaryDirectory(prefix="vce-") as folder:
        home = Path(folder)
        runtime = home / "run"
        runtime.mkdir(mode=0o700)
        with jupyter(home / "home", toml=toml, env={"VCE_RUNTIME_DIR": str(runtime)}) as server:
            bench = Bench(server, home, told)
            bench.say(f"{machine()}; {told.rounds} rounds.", "")
            bench.say(f"| | {OURS} | {OTHER} | ratio |", "|---|---|---|---|")
            bench.start_and_keys()
            bench.video()
        if not told.print:
            put_into(PAGE, BEGIN, END, "\n".join(bench.said))


if __name__ == "__main__":
    main()

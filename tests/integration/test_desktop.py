"""Desktop programs on real displays: what is open, who is kept out, and what is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ou_vce_ext.drivers.desktop.display_number import lock_of, socket_of
from ou_vce_ext.drivers.desktop.display_server import Screen
from ou_vce_ext.drivers.desktop.driver import DesktopDriver
from ou_vce_ext.drivers.desktop.note import read_note
from ou_vce_ext.drivers.desktop.tigervnc import TigerVNC
from ou_vce_ext.drivers.desktop.x11 import Windows
from ou_vce_ext.models import ServiceSpec, Site
from ou_vce_ext.services import proc
from ou_vce_ext.services.keepers import KeeperLauncher

from .jupyter_rig import TOKEN, Jupyter, jupyter, wait
from .listeners import tcp_listeners_of
from .watching import gone

pytestmark = pytest.mark.integration

DECLARED = """
[services]
openrefine.enabled = false
postgres.enabled = false
mongo.enabled = false

[services.clock]
kind = "desktop"
title = "Clock"
command = ["xclock"]

[services.told]
kind = "desktop"
command = ["sh", "-c", "xclock -digital; echo it ended with $?"]
data_dir = "told"
size = "640x480"
window = "desktop"

[services.deaf]
kind = "desktop"
command = ["sh", "-c", "trap '' TERM; while :; do sleep 1; done"]
stop_timeout = 1

[services.broken]
kind = "desktop"
command = ["sh", "-c", "echo no such planet >&2; exit 3"]
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    with jupyter(tmp_path_factory.mktemp("desktop"), toml=DECLARED) as running:
        yield running


class Seen:
    """One running session as the system shows it."""

    def __init__(self, server: Jupyter, name: str) -> None:
        service = server.wait_state(name, "ready")
        self.program: int = service["pid"]
        self.session = parent_of(self.program)
        self.tree = [self.session, *proc.descendants(self.session)]
        self.server = self.named("Xtigervnc")
        words = proc_words(self.server)
        self.display = int(words[1].removeprefix(":"))
        self.socket = Path(words[words.index("-rfbunixpath") + 1])
        self.authority = Path(words[words.index("-auth") + 1])

    def named(self, name: str) -> int:
        [found] = [pid for pid in self.tree if proc_words(pid)[0].endswith(name)]
        return found

    @property
    def files(self) -> list[str]:
        """Whatever there still is of it."""
        paths = (lock_of(self.display), socket_of(self.display), str(self.socket))
        return [path for path in paths if os.path.lexists(path)]

    def windows(self, cookie: bytes = b"") -> Windows:
        own = self.authority.read_bytes()[-16:]
        return Windows(self.display, cookie or own, self.server)


def proc_words(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return [""]


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def start(server: Jupyter, name: str) -> Seen:
    server.api("POST", f"services/{name}/start")
    return Seen(server, name)


def stop(server: Jupyter, name: str) -> None:
    ended = server.finish(server.api("POST", f"services/{name}/stop"))
    assert ended["state"] == "succeeded", ended


async def greeting(server: Jupyter, name: str) -> Any:
    from aiohttp import ClientSession

    url = f"{server.url}vce/app/{name}/screen"
    headers = {"Authorization": f"token {TOKEN}"}
    async with ClientSession() as session, session.ws_connect(url, headers=headers) as socket:
        return await socket.receive_bytes(timeout=120)


def test_two_desktops_from_start_to_stop(server: Jupyter) -> None:
    for name in ("clock", "told"):
        server.api("POST", f"services/{name}/start")
    clock, told = Seen(server, "clock"), Seen(server, "told")
    assert clock.display != told.display

    for seen in (clock, told):
        # One socket for viewers, one for programs, and nothing that others could reach.
        assert [tcp_listeners_of(pid) for pid in seen.tree if tcp_listeners_of(pid)] == []
        assert stat.S_IMODE(seen.socket.stat().st_mode) == 0o600
        assert stat.S_IMODE(seen.socket.parent.stat().st_mode) == 0o700
        assert len(os.fsencode(seen.socket)) < 100
        assert f"@/tmp/.X11-unix/X{seen.display}" not in Path("/proc/net/unix").read_text()
        assert proc.start_time(seen.server)
        with pytest.raises(ConnectionRefusedError):
            seen.windows(b"not the cookie..")
        windows = seen.windows()
        assert len(windows.shown()) == 1
        windows.close()
        assert asyncio.run(greeting(server, seen.socket.parent.name)).startswith(b"RFB 003.")

    # The window is the program's alone; its folder is the one that was declared.
    assert proc_words(clock.program)[0] == "xclock"
    assert Path(os.readlink(f"/proc/{told.program}/cwd")).name == "told"
    assert server.service("told")["data_dir"].endswith("/work/told")

    page = server.request("GET", "vce/app/clock/", accept="text/html")
    assert page[0] == 200
    assert "viewer.js" in page[1]
    assert server.request("GET", "vce/app/clock/viewer.js")[0] == 200
    assert server.request("GET", "vce/app/clock/../clock/none.js")[0] == 404
    assert server.request("POST", "vce/app/clock/")[0] == 405

    for name in ("clock", "told"):
        stop(server, name)
    for seen in (clock, told):
        assert [pid for pid in seen.tree if not gone(pid)] == []
        assert seen.files == []
    # Asked by its window, not by a signal.
    assert "it ended with 0" in server.request("GET", "vce/api/services/told/logs")[1]


def test_whatever_is_killed_it_comes_back_and_leaves_nothing(server: Jupyter) -> None:
    seen = start(server, "clock")

    os.kill(manager := seen.named("openbox"), signal.SIGKILL)
    wait(lambda: gone(manager) and "openbox" in str(list(map(proc_words, tree_of(seen)))))
    assert Seen(server, "clock").program == seen.program

    restarts = server.service("clock")["restarts"]
    for number, part in enumerate(("server", "program", "session"), 1):
        seen = Seen(server, "clock")
        os.kill(getattr(seen, part), signal.SIGKILL)

        def back(number: int = restarts + number) -> bool:
            found = server.service("clock")
            return bool(found["restarts"] == number and found["state"] == "ready")

        wait(back, told=lambda: f"{server.service('clock')} {server.log.read_text()[-2000:]}")
        assert [pid for pid in seen.tree if not gone(pid)] == []
        assert seen.files == [str(seen.socket)], "of the new one, and nothing of the old"
    log = server.log.read_text()
    assert "The display that Clock was shown on has ended (SIGKILL)" in log
    assert "Clock ended by itself" not in log

    # Everything at once, and then the person's own stop.
    seen = Seen(server, "clock")
    for pid in reversed(seen.tree):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    server.wait_state("clock", "backoff", "starting", "ready")
    stop(server, "clock")
    assert seen.files == []


def tree_of(seen: Seen) -> list[int]:
    return proc.descendants(seen.session)


def test_closed_from_within_it_stays_closed(server: Jupyter) -> None:
    seen = start(server, "clock")
    windows = seen.windows()
    assert windows.ask_to_close() == 1
    stopped = server.wait_state("clock", "stopped")
    windows.close()
    assert stopped["error"]["code"] == "closed"
    assert stopped["error"]["message"].startswith("Clock has been closed")
    assert seen.files == []
    start(server, "clock")
    stop(server, "clock")
    assert server.service("clock")["error"] is None


def test_a_program_that_shows_no_window_is_explained_or_stopped(server: Jupyter) -> None:
    server.api("POST", "services/broken/start")
    failed = server.wait_state("broken", "failed")
    assert failed["error"]["code"] == "command-failed"
    assert failed["error"]["exit_code"] == 3
    assert "no such planet" in failed["error"]["log_tail"]

    server.api("POST", "services/deaf/start")
    starting = server.wait_state("deaf", "starting")
    wait(lambda: server.service("deaf")["pid"])
    tree = server.tree()
    stop(server, "deaf")
    assert server.state("deaf") == "stopped"
    assert starting["ready_seconds"] is None
    assert [pid for pid in tree if "trap" in str(proc_words(pid)) and not gone(pid)] == []


class NoDisplay(TigerVNC):
    """A display server of somebody else, which cannot run here: one file is all it takes."""

    def command(self, screen: Screen, socket: Path, authority: Path) -> tuple[str, ...]:
        return ("sh", "-c", "echo cannot open {display}; exit 1")


class Elsewhere(DesktopDriver):
    display_server = NoDisplay()


async def test_a_display_that_cannot_be_opened_is_told(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    from ou_vce_ext.drivers.base import no_progress

    spec = ServiceSpec("odd", "desktop", "Odd", command=("xclock",))
    run = short_dir / "run"
    log = short_dir / "odd.log"
    site = Site("odd", short_dir, short_dir, short_dir / "private", run, log, "/")
    driver = Elsewhere(spec, site, launcher)
    await driver.prepare(no_progress)
    process = await launcher.launch(await driver.plan())
    ending = await process.down()
    told = driver.diagnose(ending, ())
    assert told is not None
    assert told.code == "display-failed"
    assert "No display could be opened for Odd" in told.message
    assert "cannot open" in "".join(told.log_tail)
    assert read_note(str(run / "session.json"))["end"]["what"] == "display"
    await driver.close()
    assert not (run / "session.json").exists()

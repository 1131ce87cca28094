"""The screens of desktop programs as Jupyter shows them: from the start on, and to slow viewers."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ou_vce_ext.drivers.desktop.x11 import Windows
from ou_vce_ext.services import proc

from .flood_program import PIECE, piece
from .jupyter_rig import REPOSITORY, Jupyter, jupyter, wait
from .rfb_viewer import HEADERS, PIXEL_BYTES, viewer

pytestmark = pytest.mark.integration

MEGABYTES = 256
SPARE = 16_000_000
"""Bytes by which Jupyter may grow, whatever is offered."""
EXAMPLE = REPOSITORY / "examples" / "daisyworld"
DECLARED = f"""
[services]
openrefine.enabled = false
postgres.enabled = false
mongo.enabled = false

[services.late]
kind = "desktop"
command = ["sh", "-c", "until test -e go; do sleep 0.05; done; exec xclock"]
data_dir = "late"

[services.video]
kind = "desktop"
command = [{json.dumps(sys.executable)}, "-m", "benchmarks.desktop_program", "video"]
cwd = {json.dumps(str(REPOSITORY))}
size = "1280x800"

[services.flood]
command = [{json.dumps(sys.executable)}, "{{root_dir}}/flood_program.py", "{{port}}", "{MEGABYTES}"]
raw_socket = true

[services.eyes]
kind = "desktop"
command = ["xeyes"]
window = "desktop"
size = "800x600"

[services.no-java]
kind = "desktop"
title = "Planet"
command = ["java", "-jar", "planet.jar"]
env = {{ PATH = "/nowhere" }}

"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    home = tmp_path_factory.mktemp("screen")
    work = home / "work"
    shutil.copytree(EXAMPLE, work / "daisyworld")
    shutil.copy(Path(__file__).with_name("flood_program.py"), work)
    declared = DECLARED + (EXAMPLE / "vce.d" / "daisyworld.toml").read_text("utf-8")
    with jupyter(home, toml=declared) as running:
        yield running


def start(server: Jupyter, name: str) -> dict[str, Any]:
    server.api("POST", f"services/{name}/start")
    return server.wait_state(name, "ready", "failed")


def stop(server: Jupyter, name: str) -> None:
    ended = server.finish(server.api("POST", f"services/{name}/stop"))
    assert ended["state"] == "succeeded", ended


def resident(pid: int) -> int:
    """Bytes of memory that a process has of its own and shares."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return 1024 * int(found[1])


async def asked_for_screen(server: Jupyter, name: str, asked: asyncio.Event) -> Any:
    """What a WebSocket gets: its first bytes, or the status of a refusal. ``asked``: it waits."""
    from aiohttp import ClientSession, TraceConfig, WSServerHandshakeError

    async def sent(*_: object) -> None:
        asked.set()

    url = f"{server.url}vce/app/{name}/screen"
    tracing = TraceConfig()
    tracing.on_request_headers_sent.append(sent)
    async with ClientSession(trace_configs=[tracing]) as session:
        try:
            async with session.ws_connect(url, headers=HEADERS) as socket:
                return await socket.receive_bytes(timeout=120)
        except WSServerHandshakeError as refusal:
            return refusal.status


def test_the_page_comes_before_the_program_and_waits_for_it(server: Jupyter) -> None:
    def page() -> tuple[int, str]:
        return server.request("GET", "vce/app/late/", accept="text/html")

    stopped = page()
    assert stopped[0] == 503, stopped[1]
    ahead = re.findall(r'<link rel="[a-z]*preload".* href="([^"]+)"', stopped[1])
    assert [each.partition("?")[0] for each in ahead] == ["viewer.js", "viewer.css"]
    assert all(server.request("GET", f"vce/app/late/{each}")[0] == 200 for each in ahead)

    async def waited(then: str) -> Any:
        events = [asyncio.Event(), asyncio.Event()]
        asked = [asyncio.create_task(asked_for_screen(server, "late", each)) for each in events]
        await asyncio.gather(*(each.wait() for each in events))
        # Jupyter takes requests in turn: answered this one, it has heard those before.
        await asyncio.to_thread(server.state, "late")
        # One of them does not wait so long; nobody minds.
        asked.pop().cancel()
        assert not asked[0].done()
        if then == "go":
            go.touch()
        else:
            await asyncio.to_thread(stop, server, "late")
        return await asked[0]

    server.api("POST", "services/late/start")
    starting = server.wait_state("late", "starting")
    go = Path(starting["data_dir"]) / "go"
    assert page()[0] == 200
    assert '"starting": true' in page()[1]
    assert server.request("GET", "vce/app/late/", accept="application/json")[0] == 503
    assert asyncio.run(waited("stop")) == 503
    assert server.state("late") == "stopped"

    server.api("POST", "services/late/start")
    server.wait_state("late", "starting")
    assert asyncio.run(waited("go")).startswith(b"RFB 003.")
    assert '"starting": false' in page()[1]
    stop(server, "late")


def test_a_stalled_viewer_of_a_video_costs_no_memory(server: Jupyter) -> None:
    # Loaded a while after the start, or when somebody asks: not while memory is looked at.
    server.api("GET", "backups")
    program = start(server, "video")["pid"]
    display = next(pid for pid in server.tree() if "Xtigervnc" in words(pid)[0])

    async def looked_at() -> None:
        async with viewer(server, "video") as stalled, viewer(server, "video") as eager:
            before = [resident(pid) for pid in (server.process.pid, display)]
            for _ in range(100):
                await stalled.ask()
            taken = 0
            while taken < MEGABYTES << 20:
                await eager.ask()
                taken += len(await eager.picture())
            after = [resident(pid) for pid in (server.process.pid, display)]
            assert after[0] - before[0] < SPARE, "Jupyter"
            assert after[1] - before[1] < 2 * SPARE, "the display"
            # It was held, and not given up.
            assert len(await stalled.picture()) == PIXEL_BYTES * stalled.width * stalled.height

    asyncio.run(looked_at())
    assert proc.is_alive(program, None)
    stop(server, "video")


def test_what_a_client_does_not_take_is_not_taken_from_the_app(server: Jupyter) -> None:
    from aiohttp import ClientSession

    start(server, "flood")

    def held() -> int:
        lines = server.request("GET", "vce/api/services/flood/logs")[1]
        found = re.findall(r"held at (\d+)", lines)
        return int(found[-1]) if found else 0

    async def stalled() -> None:
        url = f"{server.url}vce/app/flood/"
        before = resident(server.process.pid)
        async with ClientSession() as session, session.ws_connect(url, headers=HEADERS) as socket:
            await asyncio.to_thread(wait, held)
            # Most of it in the kernel, on its way.
            assert held() < SPARE
            assert resident(server.process.pid) - before < SPARE
            for number in range(0, MEGABYTES << 20, PIECE):
                data = b""
                while len(data) < PIECE:
                    data += await take(socket, PIECE - len(data))
                assert data == piece(number // PIECE)
            assert resident(server.process.pid) - before < SPARE

    unread = bytearray()

    async def take(socket: Any, most: int) -> bytes:
        if not unread:
            unread.extend(await socket.receive_bytes(timeout=120))
        data = bytes(unread[:most])
        del unread[:most]
        return data

    asyncio.run(stalled())
    stop(server, "flood")


def words(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return [""]


def test_the_examples_run(server: Jupyter) -> None:
    """Those of the documentation: a Java program, and one of Debian's on a small desktop."""
    assert (EXAMPLE / "daisyworld.jar").exists(), "make examples"
    shown = start(server, "daisyworld")
    assert shown["state"] == "ready", shown
    assert Path(shown["data_dir"]).name == "daisyworld_runs"
    assert words(shown["pid"])[0] == "java"
    assert start(server, "eyes")["state"] == "ready"

    # Full and alone; or as large as it is by itself, within a frame.
    wait(
        lambda: size_of_window(server, "daisyworld") == (1280, 800),
        told=lambda: str(size_of_window(server, "daisyworld")),
    )
    width, height = size_of_window(server, "eyes")
    assert (width < 800, height < 600) == (True, True)

    async def painted() -> None:
        # Java paints when its window is there.
        async with asyncio.timeout(120), viewer(server, "daisyworld") as seen:
            while True:
                await seen.ask()
                if len(set(struct.iter_unpack("<I", await seen.picture()))) > 20:
                    return
                await asyncio.sleep(0.05)

    asyncio.run(painted())
    for name in ("daisyworld", "eyes"):
        stop(server, name)


class Sizes(Windows):
    """Tells how large windows are, besides."""

    def size(self, window: int) -> tuple[int, int]:
        width, height = struct.unpack_from("<HH", self._ask(14, 0, struct.pack("<I", window)), 16)
        return width, height


def size_of_window(server: Jupyter, name: str) -> tuple[int, int]:
    """Of the one window that a program shows."""
    session = proc.stat(server.service(name)["pid"])
    assert session
    [xvnc] = [p for p in proc.descendants(session.ppid) if words(p)[0].endswith("Xtigervnc")]
    told = words(xvnc)
    cookie = Path(told[told.index("-auth") + 1]).read_bytes()[-16:]
    windows = Sizes(int(told[1].removeprefix(":")), cookie, xvnc)
    try:
        [window] = windows.shown()
        return windows.size(window)
    finally:
        windows.close()


def test_what_is_missing_is_told_with_its_cure(server: Jupyter) -> None:
    missing = server.wait_state("no-java", "unavailable")
    assert missing["error"]["message"] == "Planet needs Java, which is not installed."
    assert "`apt-get install default-jre`" in missing["error"]["hint"]
    server.api("POST", "services/no-java/start")
    assert server.wait_state("no-java", "unavailable")["error"] == missing["error"]

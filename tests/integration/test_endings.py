"""How Jupyter can end, row by row: whatever way it goes, its services end gently and are saved."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from ou_vce_ext.services import proc

from .jupyter_rig import LIGHTER, REPOSITORY, Jupyter, jupyter, wait

pytestmark = pytest.mark.integration

HOSTILE = Path(__file__).with_name("hostile.py")


def declaration(saved: Path, more: str = "") -> str:
    """A service that needs two busy seconds to save once it is told to end."""
    return f"""
        [services.postgres]
        enabled = false
        [services.mongo]
        enabled = false
        [services.saver]
        kind = "web"
        title = "Saver"
        command = ["{sys.executable}", "{HOSTILE}", "saves_and_listens", "{saved}", "{{port}}"]
        autostart = true
        {more}
    """


def ended_by(server: Jupyter, how: str) -> None:
    match how:
        case "shutdown":
            status, _ = server.request("POST", "api/shutdown")
            assert status == 200
        case "keepers-too":
            # As the kernel ends a whole container's processes, except that the service lives.
            keepers = [pid for pid in server.tree() if _name(pid) in ("vce-keeper", "vce-keepers")]
            assert len(keepers) == 2
            for pid in (server.process.pid, *keepers):
                os.kill(pid, signal.SIGKILL)
        case name:
            server.process.send_signal(getattr(signal, name))
    server.process.wait(150)


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        # What Jupyter has asked for its own sake may be gone by now.
        return ""


@pytest.mark.parametrize(
    "how", ["SIGTERM", "SIGINT", "SIGHUP", "SIGKILL", "shutdown", "keepers-too"]
)
def test_every_service_saves_and_nobody_is_left(tmp_path: Path, how: str) -> None:
    saved = tmp_path / "saved"
    with jupyter(tmp_path, toml=declaration(saved)) as server:
        server.wait_state("saver", "ready")
        tree = server.tree()
        assert len(tree) >= 3
        ended_by(server, how)
        if how not in ("SIGKILL", "keepers-too"):
            assert saved.exists(), "Jupyter did not wait for its service to save"
        wait(lambda: not any(proc.is_alive(pid, None) for pid in tree))
        assert saved.read_text() == "saved"


REPLACER = """
import asyncio, signal, sys

def _jupyter_server_extension_points():
    return [{"module": "replacer"}]

def _load_jupyter_server_extension(serverapp):
    def replace():
        # Long after ours, as an extension does that runs something of its own when first asked to.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, HANDLER)
        print("handlers are replaced", file=sys.stderr, flush=True)
    asyncio.get_event_loop().call_later(1.0, replace)
"""


@pytest.mark.parametrize(
    "handler",
    ["lambda *_: sys.exit(0)", "signal.SIG_DFL"],
    ids=["exits at once", "the kernel's own"],
)
def test_another_extension_has_replaced_the_signal_handlers(tmp_path: Path, handler: str) -> None:
    saved = tmp_path / "saved"
    (tmp_path / "replacer.py").write_text(REPLACER.replace("HANDLER", handler))
    enabled = tmp_path / ".jupyter" / "jupyter_server_config.d" / "replacer.json"
    enabled.parent.mkdir(parents=True)
    enabled.write_text('{"ServerApp": {"jpserver_extensions": {"replacer": true}}}')
    with jupyter(
        tmp_path, toml=declaration(saved), env={"PYTHONPATH": f"{LIGHTER}:{REPOSITORY}:{tmp_path}"}
    ) as server:
        server.wait_state("saver", "ready")
        wait(lambda: "handlers are replaced" in server.log.read_text())
        tree = server.tree()
        server.process.terminate()
        server.process.wait(150)
        wait(lambda: not any(proc.is_alive(pid, None) for pid in tree))
        assert saved.read_text() == "saved"


@pytest.mark.parametrize("how", ["SIGTERM", "SIGKILL", "keepers-too"])
def test_in_a_network_of_its_own_too(tmp_path: Path, how: str) -> None:
    saved = tmp_path / "saved"
    with jupyter(tmp_path, toml=declaration(saved, "private = true")) as server:
        server.wait_state("saver", "ready")
        assert server.request("GET", "vce/app/saver/")[0] == 200
        tree = server.tree()
        assert "vce-forwarder" in map(_name, tree)
        assert server.request("GET", "vce/status")[0] == 200
        ended_by(server, how)
        wait(lambda: not any(proc.is_alive(pid, None) for pid in tree))
        assert saved.read_text() == "saved"


def test_after_a_killed_jupyter_the_next_one_waits_for_the_saving(tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    with jupyter(tmp_path, toml=declaration(saved)) as server:
        pid = server.wait_state("saver", "ready")["pid"]
        server.process.kill()
        server.process.wait()
        with jupyter(tmp_path, toml=declaration(saved)) as second:
            again = second.wait_state("saver", "ready")
            assert again["pid"] != pid
            assert not proc.is_alive(pid, None)
            assert saved.read_text() == "saved"


def test_a_second_jupyter_on_the_same_home_is_told_who_holds_it(tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    with ExitStack() as stack:
        first = stack.enter_context(jupyter(tmp_path, toml=declaration(saved)))
        pid = first.wait_state("saver", "ready")["pid"]
        second = stack.enter_context(jupyter(tmp_path, toml=declaration(saved)))
        error = second.wait_state("saver", "failed")["error"]
        assert error["code"] == "house-in-use"
        assert str(first.process.pid) in error["message"]
        done = second.finish(second.api("POST", "services/saver/start"))
        assert done["state"] == "failed"
        assert done["error"]["code"] == "house-in-use"
        assert first.wait_state("saver", "ready")["pid"] == pid
        first.process.terminate()
        first.process.wait(150)
        done = second.finish(second.api("POST", "services/saver/start"))
        assert done["state"] == "succeeded", done

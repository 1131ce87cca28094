"""A desktop program with unsaved work is asked to close, and nobody ends it but who was told."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from ou_vce_ext.drivers.desktop.x11 import Windows
from ou_vce_ext.services import proc

from .jupyter_rig import REPOSITORY, Jupyter, jupyter, wait
from .watching import gone

pytestmark = pytest.mark.integration

COMMAND = [sys.executable, "-m", "tests.integration.asking_program"]
DECLARED = f"""
[services]
openrefine.enabled = false
postgres.enabled = false
mongo.enabled = false

[services.editor]
kind = "desktop"
title = "Editor"
command = {json.dumps(COMMAND)}
data_dir = "editor"
env = {{ PYTHONPATH = {json.dumps(str(REPOSITORY))} }}

[services.other]
kind = "desktop"
title = "Other"
command = {json.dumps(COMMAND)}
data_dir = "other"
env = {{ PYTHONPATH = {json.dumps(str(REPOSITORY))} }}
"""


def running(server: Jupyter, name: str) -> int:
    """The process that a person works with, once it is there."""
    return int(server.wait_state(name, "ready")["pid"])


def ask(server: Jupyter, name: str, verb: str = "stop") -> dict[str, Any]:
    """Stop it, as far as the question that it has."""
    operation: dict[str, Any] = server.api("POST", f"services/{name}/{verb}")

    def asks() -> bool:
        operation.update(server.api("GET", f"operations/{operation['id']}"))
        assert operation["state"] == "running", operation
        return bool(operation["waiting_for"] == "answer")

    wait(asks, told=lambda: str(operation))
    return operation


def saved(home: Path, name: str) -> bool:
    return (home / "work" / name / "saved").exists()


def windows_of(program: int) -> Windows:
    """The windows of the display that a program is shown on."""
    session = proc.stat(program)
    assert session
    for pid in proc.descendants(session.ppid):
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
        if words[0].endswith("Xtigervnc"):
            cookie = Path(words[words.index("-auth") + 1]).read_bytes()[-16:]
            return Windows(int(words[1].removeprefix(":")), cookie, pid)
    raise AssertionError("there is no display")


def test_nothing_unsaved_is_lost_but_by_who_was_told(tmp_path: Path) -> None:
    with jupyter(tmp_path, toml=DECLARED) as server:
        for name in ("editor", "other"):
            server.api("POST", f"services/{name}/start")
        editor, other = running(server, "editor"), running(server, "other")

        # Both at once, each with a question of its own.
        stop = ask(server, "editor")
        assert "Editor has a question before it closes" in stop["message"]
        assert "Editor" not in ask(server, "other")["message"]
        assert server.state("editor") == "ready"
        assert server.api("POST", "services/editor/stop")["id"] == stop["id"]

        # Called off, it stays, and its question with it: who asks again does not close that.
        server.api("DELETE", f"operations/{stop['id']}")
        assert server.finish(stop)["state"] == "cancelled"
        again = ask(server, "editor", "restart")

        # "Cancel": it stays open, which is why the restart fails.
        os.kill(editor, signal.SIGUSR1)
        kept = server.finish(again)
        assert (kept["state"], kept["error"]["code"]) == ("failed", "still-open")
        assert running(server, "editor") == editor

        # Its question may have been open before: somebody closed its window.
        windows = windows_of(editor)
        windows.ask_to_close()
        wait(lambda: len(windows.shown()) == 2)
        windows.close()
        restart = ask(server, "editor", "restart")
        # "Save": it ends by itself, with a code of its own, and that is no crash.
        os.kill(editor, signal.SIGUSR2)
        assert server.finish(restart)["state"] == "succeeded"
        assert gone(editor)
        assert saved(tmp_path, "editor")
        assert server.service("editor")["restarts"] == 0

        # Told that it would be lost, its person has it stopped all the same.
        editor = running(server, "editor")
        stop = ask(server, "editor")
        forced = server.api("POST", "services/editor/stop", {"force": True})
        assert forced["id"] == stop["id"]
        assert server.finish(forced)["state"] == "succeeded"
        assert gone(editor)
        shown = server.service("editor")
        assert (shown["state"], shown["error"]) == ("stopped", None)

        # The other has waited all the while. Called off and then answered, it is not started again.
        assert proc.is_alive(other, None)
        waiting = server.service("other")["operation"]
        server.finish(server.api("DELETE", f"operations/{waiting}"))
        os.kill(other, signal.SIGUSR2)
        assert server.wait_state("other", "stopped", "backoff")["error"]["code"] == "closed"

        # Jupyter's end leaves time for the answer.
        server.api("POST", "services/other/start")
        other = running(server, "other")
        ask(server, "other")
        server.process.terminate()
        os.kill(other, signal.SIGUSR2)
    assert gone(other)
    assert saved(tmp_path, "other")

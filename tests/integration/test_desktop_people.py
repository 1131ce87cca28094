"""Desktops of several people at once: numbers of their own, and closed to others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from ou_vce_ext.drivers.desktop.display_number import candidates, holder_of, lock_of, socket_of
from ou_vce_ext.drivers.desktop.display_server import Screen
from ou_vce_ext.drivers.desktop.note import read_note
from ou_vce_ext.drivers.desktop.tigervnc import TigerVNC
from ou_vce_ext.drivers.desktop.window_manager import write_settings
from ou_vce_ext.drivers.desktop.x11 import write_authority

from .jupyter_rig import wait
from .other_users import as_user, ordinary_user, staged

pytestmark = pytest.mark.integration

TAKEN_FIRST = """
import sys
from ou_vce_ext.drivers.desktop import session
session.candidates = lambda: iter(map(int, sys.argv[2:]))
session.main(["vce-session", sys.argv[1]])
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_two_people_at_once() -> None:
    user = ordinary_user()
    with ExitStack() as stack:
        people = []
        for owner in ((user.pw_uid, user.pw_gid), (54321, 54321)):
            stage = stack.enter_context(staged(as_user(*owner), owner))
            person = subprocess.Popen(
                stage.command(["-m", "tests.integration.desktop_stay"]),
                env=stage.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(person)
            stack.callback(person.terminate)
            people.append(person)
        theirs = [heard(person) for person in people]
        locks = [files[0] for person in theirs for files in person]
        assert len(set(locks)) == 4
        owners = [{os.lstat(path).st_uid for files in own for path in files} for own in theirs]
        assert owners == [{user.pw_uid}, {54321}]

        for person, others in zip(people, reversed(theirs), strict=True):
            tell(person, others)
            assert heard(person) == []
        # One after the other: the second is not touched by the end of the first.
        for person, own, others in zip(people, theirs, (theirs[1], []), strict=True):
            tell(person, "stop")
            assert heard(person) == []
            assert not [path for files in own for path in files if os.path.lexists(path)]
            assert all(os.path.lexists(path) for files in others for path in files)
        assert [person.wait() for person in people] == [0, 0]


def heard(person: subprocess.Popen[str]) -> Any:
    assert person.stdout
    return json.loads(person.stdout.readline())


def tell(person: subprocess.Popen[str], words: object) -> None:
    assert person.stdin
    person.stdin.write(f"{json.dumps(words)}\n")
    person.stdin.flush()


def test_a_number_that_somebody_has_just_taken_is_left_to_them(short_dir: Path) -> None:
    numbers = candidates()
    taken, free = next(numbers), next(numbers)
    theirs, ours = short_dir / "theirs", short_dir / "ours"
    for folder in (theirs, ours):
        folder.mkdir()
    screen = Screen("Theirs", 640, 480)
    write_authority(str(theirs / "cookie"))
    words = TigerVNC().command(screen, theirs / "rfb.sock", theirs / "cookie")
    plan = {
        "server": TigerVNC().command(screen, ours / "rfb.sock", ours / "cookie"),
        "preparation": (),
        "manager": write_settings(ours, "full"),
        "program": ("xclock",),
        "cwd": "/",
        "env": {"PATH": os.environ["PATH"]},
        "authority": str(ours / "cookie"),
        "note": str(ours / "note"),
        "close_seconds": 5.0,
        "term_seconds": 1.0,
    }
    (ours / "plan").write_text(json.dumps(plan))
    told = [sys.executable, "-c", TAKEN_FIRST, str(ours / "plan"), str(taken), str(free)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(
        [word.replace("{display}", str(taken)) for word in words], stderr=quiet
    ) as other:
        try:
            wait(lambda: holder_of(taken) == other.pid and os.path.lexists(socket_of(taken)))
            with subprocess.Popen(told, stderr=quiet) as session:
                wait(lambda: read_note(str(ours / "note")).get("window"))
                assert read_note(str(ours / "note"))["display"] == free
                session.terminate()
                assert session.wait() == 0
            assert not os.path.lexists(lock_of(free))
            assert not os.path.lexists(socket_of(free))
            assert other.poll() is None
            assert holder_of(taken) == other.pid
        finally:
            other.terminate()

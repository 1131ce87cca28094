"""What a lock file says, and whom it is believed of."""

import errno
import fcntl
import json
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ou_vce_ext.services import proc
from ou_vce_ext.services.house_lock import FRESH, HouseLock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "house.lock"


def lock(path: Path) -> HouseLock:
    return HouseLock(path, Path("/home/ann"))


def leave(path: Path, age: float = 0.0, **changed: Any) -> None:
    """What a Jupyter left behind that was killed ``age`` seconds ago."""
    record = {
        "host": socket.gethostname(),
        "boot_id": proc.boot_id(),
        "pid": 2**22 + 1,
        "start_time": 1,
        "root_dir": "/home/bob",
        "started": "2026-11-21T10:32:00+00:00",
        "token": "abc",
        **changed,
    }
    path.write_text(json.dumps(record))
    os.utime(path, (time.time() - age,) * 2)


def test_a_lock_says_who_holds_it(path: Path) -> None:
    mine = lock(path)
    assert mine.acquire() is None
    assert mine.acquire() is None
    error = lock(path).acquire()
    assert error is not None
    assert error.code == "house-in-use"
    for words in (f"process {os.getpid()}", "on this machine", "folder /home/ann", "UTC"):
        assert words in error.message
    assert "Nothing has been touched" in error.message
    assert "takes over" in error.hint
    mine.release()


def test_a_released_lock_is_free_at_once(path: Path) -> None:
    mine, other = lock(path), lock(path)
    mine.acquire()
    mine.release()
    mine.release()
    assert path.read_bytes() == b""
    assert other.acquire() is None
    assert mine.acquire() is not None
    other.release()


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b'{"host": 3}', b"[" * 9999])
def test_a_lock_file_that_says_nothing_is_taken(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    os.utime(path, (0, 0))
    mine = lock(path)
    assert mine.acquire() is None
    mine.release()


def test_after_a_crash_or_a_restart_of_this_machine_nobody_waits(path: Path) -> None:
    changes: list[dict[str, Any]] = [
        {},
        {"boot_id": "another boot"},
        {"host": "another container"},
    ]
    for changed in changes:
        leave(path, **changed)
        mine = lock(path)
        assert mine.acquire() is None, changed
        mine.release()


def test_another_machine_that_was_seen_lately_is_believed(path: Path) -> None:
    leave(path, age=FRESH - 30, host="node-7", boot_id="its own")
    error = lock(path).acquire()
    assert error is not None
    assert error.code == "house-in-use"
    assert "another machine (node-7)" in error.message
    assert "folder /home/bob" in error.message
    assert "10:32 on 2026-11-21 UTC" in error.message
    assert "wait two minutes" in error.hint
    assert json.loads(path.read_text())["token"] == "abc"


@pytest.mark.parametrize("age", [FRESH + 5, -FRESH - 5])
def test_another_machine_that_fell_silent_is_not(path: Path, age: float) -> None:
    leave(path, age=age, host="node-7", boot_id="its own")
    mine = lock(path)
    assert mine.acquire() is None
    assert json.loads(path.read_text())["pid"] == os.getpid()
    mine.release()


def test_a_held_lock_is_kept_fresh(path: Path) -> None:
    mine = lock(path)
    mine.acquire()
    os.utime(path, (0, 0))
    assert mine.touch() is None
    assert time.time() - path.stat().st_mtime < FRESH
    mine.release()
    os.utime(path, (0, 0))
    assert mine.touch() is None
    assert path.stat().st_mtime == 0


def test_losing_the_house_while_asleep_is_told(path: Path) -> None:
    mine = lock(path)
    mine.acquire()
    leave(path, host="node-7", boot_id="its own", token="theirs")
    error = mine.touch()
    assert error is not None
    assert "node-7" in error.message
    assert not mine.held
    mine.release()
    assert json.loads(path.read_text())["token"] == "theirs"


def test_a_deleted_lock_is_made_again(path: Path) -> None:
    mine = lock(path)
    mine.acquire()
    path.unlink()
    assert mine.touch() is None
    assert lock(path).acquire() is not None
    mine.release()


def test_a_deleted_lock_that_another_took_is_lost(path: Path) -> None:
    mine, other = lock(path), lock(path)
    mine.acquire()
    path.unlink()
    assert other.acquire() is None
    error = mine.touch()
    assert error is not None
    assert error.code == "house-in-use"
    assert not mine.held
    mine.release()
    assert other.touch() is None
    other.release()


def test_a_link_in_the_place_of_the_lock_is_not_followed(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("mine")
    path.symlink_to(target)
    error = lock(path).acquire()
    assert error is not None
    assert error.code == "folder-unsuitable"
    assert target.read_text() == "mine"


def test_a_holder_that_is_not_yet_named_is_not_named_wrongly(path: Path) -> None:
    mine = lock(path)
    mine.acquire()
    leave(path, pids=os.readlink("/proc/self/ns/pid"))
    error = lock(path).acquire()
    assert error is not None
    assert error.message.startswith("Another JupyterLab runs the services")
    mine.release()


def test_of_machines_that_take_over_at_once_one_does(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a network folder without locks, all of them find the same stale lock at one moment."""
    machines = 8
    leave(path, 10 * FRESH, host="node-7", boot_id="another")

    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, "no locks here")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    judged = threading.Barrier(machines)
    real = HouseLock._is_live

    def all_at_once(self: HouseLock, *arguments: Any) -> bool:
        live = real(self, *arguments)
        judged.wait(120)
        return live

    monkeypatch.setattr(HouseLock, "_is_live", all_at_once)
    locks = [lock(path) for _ in range(machines)]
    with ThreadPoolExecutor(machines) as pool:
        errors = list(pool.map(HouseLock.acquire, locks))
    assert [error for error in errors if error is None] == [None]
    assert sum(each.held for each in locks) == 1
    assert {error.code for error in errors if error} == {"house-in-use"}
    assert not list(path.parent.glob("*.heir"))


def test_a_takeover_that_was_cut_short_is_not_waited_for_for_ever(path: Path) -> None:
    leave(path, 10 * FRESH, host="node-7", boot_id="another")
    mark = path.with_name(".house.lock.heir")
    mark.touch()
    assert lock(path).acquire() is not None
    os.utime(mark, (time.time() - 2 * FRESH,) * 2)
    assert lock(path).acquire() is not None
    mine = lock(path)
    assert mine.acquire() is None
    mine.release()

"""What a mongod's last lines mean. The lines are what real servers wrote."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ou_vce_ext.drivers.mongo.diagnoses import Place, explain_ending
from ou_vce_ext.drivers.mongo.log import last_run, readable
from ou_vce_ext.launch import Ending

PLACE = Place("MongoDB", Path("/data/mongo"), Path("/run/vce"), 1, port_declared=False)


def line(severity: str, message: str, attr: object = None, number: int = 1) -> str:
    entry = {
        "t": {"$date": "2026-11-21T20:53:29.548+00:00"},
        "s": severity,
        "c": "STORAGE",
        "id": number,
        "ctx": "initandlisten",
        "msg": message,
    }
    return json.dumps(entry | ({"attr": attr} if attr else {}), separators=(",", ":"))


def wired_tiger(message: str, reason: str) -> str:
    attr = {"error": 1, "message": {"ts_sec": 1, "msg": message, "error_str": reason}}
    return line("E", "WiredTiger error message", attr)


PANIC = wired_tiger("__log_fs_write:218:must exit", "WT_PANIC: library panic")

CASES = {
    "port-in-use": [
        line("E", "Error setting up listener", {"error": {"errmsg": "Address already in use"}})
    ],
    "disk-full": [wired_tiger("journal: fatal log failure", "No space left on device"), PANIC],
    "data-in-use": [
        line(
            "E",
            "DBException in initAndListen, terminating",
            {"error": "DBPathInUse: Unable to lock the lock file: /d/mongod.lock"},
        )
    ],
    "data-unwritable": [wired_tiger("open", "Read-only file system")],
    "data-wrong-version": [
        wired_tiger(
            "a.wt",
            "unsupported file version: this build only supports major/minor versions up to 1/1",
        ),
        PANIC,
    ],
    "data-wrong-owner": [
        wired_tiger("WiredTiger.wt: handle-open: open", "Permission denied"),
        line("W", "Failed to start up WiredTiger under any compatibility version."),
        line("F", "Terminating.", {"reason": "13: Permission denied"}),
    ],
    "data-corrupt": [wired_tiger("WiredTiger.turtle", "WT_TRY_SALVAGE: database corruption")],
    "data-missing": [line("E", "x", {"error": "NonExistentPath: Data directory /d not found."})],
    "folder-unsuitable": ["/run/vce must be a directory"],
    "out-of-memory": [line("F", "Out of memory.")],
    "program-unsuitable": [
        line(
            "F",
            "Error during global initialization",
            {"error": {"errmsg": "Unknown --setParameter 'x'"}},
        )
    ],
}


@pytest.mark.parametrize("code", CASES)
def test_the_cause_is_told_not_what_came_of_it(code: str) -> None:
    error = explain_ending(Ending(exit_code=14), CASES[code], PLACE)
    assert error.code == code
    assert error.message.endswith(".")
    assert error.hint.endswith(".") or code == "data-unwritable"
    assert error.exit_code == 14
    assert not any("{" in told for told in error.log_tail)


def test_a_missing_library_is_named() -> None:
    told = ["mongod: error while loading shared libraries: libcurl.so.4: cannot open it"]
    error = explain_ending(Ending(exit_code=127), told, PLACE)
    assert error.code == "program-unsuitable"
    assert "libcurl.so.4" in error.message


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        (Ending(signal="SIGILL"), "cpu-unsupported"),
        (Ending(signal="SIGKILL"), "killed"),
        (Ending(keeper_lost=True), "keeper-lost"),
        (Ending(exit_code=1), "command-failed"),
        (Ending(signal="SIGABRT"), "killed"),
    ],
)
def test_an_end_without_words_is_told_by_how_it_was(ending: Ending, code: str) -> None:
    error = explain_ending(ending, [line("I", "all is well")], PLACE)
    assert error.code == code
    assert error.signal == ending.signal


def test_what_an_earlier_run_wrote_explains_nothing() -> None:
    start = line("I", "MongoDB starting", number=4615611)
    told = [start, *CASES["disk-full"], start, line("I", "all is well")]
    assert explain_ending(Ending(exit_code=1), told, PLACE).code == "command-failed"
    assert last_run(told) == told[-2:]


def test_lines_are_readable() -> None:
    told = readable(
        [
            line("I", "Waiting for connections", {"port": 1}),
            line("F", "\n\n***aborting after fassert() failure\n\n"),
            line("I", "BACKTRACE", {"bt": {}}),
            line("I", "  Frame", {"frame": {"a": "5600"}}),
            *CASES["disk-full"],
            "Error parsing command line: unrecognised option '--nonsense'",
            line("E", "cut", {"error": "x" * 3000})[:2000],
        ]
    )
    assert told[:4] == [
        "Waiting for connections",
        "Fatal: aborting after fassert() failure",
        "Error: WiredTiger error message: journal: fatal log failure, No space left on device",
        "Error: WiredTiger error message: __log_fs_write:218:must exit, WT_PANIC: library panic",
    ]
    assert told[4] == "Error parsing command line: unrecognised option '--nonsense'"
    assert told[5].startswith('Error: "cut"')
    assert len(told) == 6

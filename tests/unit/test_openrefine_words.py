"""OpenRefine's options, its command line, and what its last words mean."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ou_vce_ext.drivers.log_mark import LogMark
from ou_vce_ext.drivers.openrefine.diagnoses import explain_ending
from ou_vce_ext.drivers.openrefine.java import Run, environment
from ou_vce_ext.drivers.openrefine.options import OPTIONS, SMALLEST_HEAP, USUAL_HEAP, heap_bytes
from ou_vce_ext.drivers.openrefine.programs import Distribution, Java
from ou_vce_ext.launch import Ending

GIGABYTE = 1024**3


@pytest.mark.parametrize(
    ("declared", "machine", "heap"),
    [
        (None, 16 * GIGABYTE, USUAL_HEAP),
        (None, 2 * GIGABYTE, int(0.4 * 2 * GIGABYTE)),
        (None, GIGABYTE // 4, SMALLEST_HEAP),
        (3 * GIGABYTE, 2 * GIGABYTE, 3 * GIGABYTE),
    ],
)
def test_the_heap_is_as_declared_or_a_fair_share(
    declared: int | None, machine: int, heap: int
) -> None:
    assert heap_bytes(declared, machine) == heap


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("port", 3333, 70000),
        ("program", "/opt/openrefine", " "),
        ("java_options", ["-Drefine.autosave=2"], ["refine.autosave=2"]),
        ("java_options", [], "-Dx=y"),
        ("java_options", ["-ea"], ["-Drefine.host=*"]),
        ("java_options", ["-ea"], ["-Drefine.interface=0.0.0.0"]),
    ],
)
def test_options(key: str, good: object, bad: object) -> None:
    check = OPTIONS[key].check
    assert check is not None
    assert check(good) is None
    assert check(bad)


def run(tmp_path: Path, **more: object) -> Run:
    (tmp_path / "server").mkdir(exist_ok=True)
    found = Distribution(tmp_path, tmp_path / "server/openrefine.jar", tmp_path / "webapp")
    java = Java(Path("/usr/bin/java"), 17)
    told = {"projects": tmp_path / "p", "private": tmp_path / "q", "port": 3333, "heap": GIGABYTE}
    return Run(java, found, **{**told, **more})  # type: ignore[arg-type]


def test_it_listens_to_this_machine_and_to_no_other_host(tmp_path: Path) -> None:
    command = run(tmp_path).command()
    assert "-Drefine.interface=127.0.0.1" in command
    assert "-Drefine.host=127.0.0.1" in command
    assert "-Drefine.headless=true" in command
    assert "-Drefine.display.new.version.notice=false" in command
    assert f"-Drefine.data_dir={tmp_path / 'p'}" in command
    assert command[-1] == "com.google.refine.Refine"


def test_the_light_profile_and_small_heaps(tmp_path: Path) -> None:
    usual, light = run(tmp_path).command(), run(tmp_path, profile="light").command()
    assert "-XX:TieredStopAtLevel=1" not in usual
    assert "-XX:TieredStopAtLevel=1" in light
    small = run(tmp_path, heap=64 * 1024**2).command()
    assert "-Xms64M" in small
    assert "-Xmx64M" in small


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"LANG": "C"}, "C.UTF-8"),
        ({"LANG": "en_GB.UTF-8"}, None),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "POSIX"}, "C.UTF-8"),
        ({"LANG": ""}, "C.UTF-8"),
    ],
)
def test_names_with_accents_need_a_locale(
    given: dict[str, str], wanted: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        monkeypatch.delenv(name, raising=False)
    assert environment(given).get("LC_ALL") == wanted


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('Exception in thread "x" java.lang.OutOfMemoryError: Java heap space', "out-of-memory"),
        ("# There is insufficient memory for the Java Runtime Environment", "out-of-memory"),
        ("Error occurred: Could not reserve enough space for 9G object heap", "out-of-memory"),
        ("Caused by: java.net.BindException: Address already in use", "port-in-use"),
        ("java.lang.UnsupportedClassVersionError: com/google/refine/Refine", "program-unsuitable"),
        ("Error: Could not find or load main class com.google.refine.Refine", "program-unsuitable"),
        ("java.io.IOException: No space left on device", "disk-full"),
        ("Unrecognized VM option 'UseMagic'", "config-invalid"),
        ("Invalid maximum heap size: -Xmx1Z", "config-invalid"),
        ("java.nio.file.AccessDeniedException: /x/workspace.json", "data-unwritable"),
    ],
)
def test_last_words(line: str, code: str) -> None:
    told = explain_ending(Ending(exit_code=1), ["before", line, "\tat some.Class(it)"], 1, False)
    assert told is not None
    assert told.code == code
    assert told.exit_code == 1
    assert told.log_tail[0] == "before"
    assert told.hint


def test_nothing_is_made_up() -> None:
    assert explain_ending(Ending(exit_code=1), ["all is well"], 1, False) is None
    assert explain_ending(Ending(keeper_lost=True), ["OutOfMemoryError"], 1, False) is None


def test_told_to_end_by_a_stranger_it_has_saved() -> None:
    told = explain_ending(Ending(exit_code=143), [], 1, False)
    assert told is not None
    assert "saved before" in told.message
    told = explain_ending(Ending(signal="SIGKILL"), [], 1, False)
    assert told is not None
    assert told.code == "killed"
    assert "minute" in told.message


def test_a_run_is_told_by_its_own_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert LogMark.at_end(log).lines() == []
    log.write_text("old\n")
    mark = LogMark.at_end(log)
    with log.open("a") as file:
        file.write("new\n")
    assert mark.lines() == ["new"]
    os.rename(log, tmp_path / "log.1")
    log.write_text("newest\n")
    assert mark.lines() == ["newest"]

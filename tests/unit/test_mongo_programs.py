"""Finding a mongod, and saying what is the matter where there is none."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import pytest

from ou_vce_ext.drivers.mongo import programs as mongo_programs
from ou_vce_ext.drivers.mongo.programs import (
    EMBEDDED,
    Mongod,
    find_mongods,
    lacks_avx,
    missing_libraries,
    missing_program,
    release_of,
)


def program(path: Path, mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\nexit 0\n")
    path.chmod(mode)
    return path


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without MongoDB that could run it."""
    monkeypatch.setattr(mongo_programs, "lacks_avx", lambda: False)
    monkeypatch.setattr(mongo_programs, "missing_libraries", list)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(sys, "path", [str(tmp_path / "packages")])


def test_the_release_is_read_out_of_the_program(tmp_path: Path) -> None:
    server = program(tmp_path / "mongod")
    assert release_of(server) is None
    server.write_bytes(bytes(99) + b"x\x006.0.5\0tcmalloc\0mozjs\0y" + bytes(99))
    assert release_of(server) == "6.0.5"
    assert release_of(tmp_path / "nothing") is None


def test_the_configured_one_comes_first_then_the_path_then_the_wheel(tmp_path: Path) -> None:
    wheel = program(tmp_path / "packages" / EMBEDDED)
    assert find_mongods() == [Mongod(wheel, embedded=True)]
    on_path = program(tmp_path / "bin" / "mongod")
    own = program(tmp_path / "own" / "bin" / "mongod")
    expected = [Mongod(own), Mongod(on_path), Mongod(wheel, embedded=True)]
    for configured in (own, own.parent, own.parent.parent):
        assert find_mongods(str(configured)) == expected
        assert missing_program(str(configured), expected) is None


def test_nothing_installed_is_told_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    error = missing_program(None, find_mongods())
    assert error is not None
    assert error.code == "program-missing"
    assert 'pip install "ou-vce-ext[embedded]"' in error.hint
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    error = missing_program(None, [])
    assert error is not None
    assert "embedded" not in error.hint, "there is no wheel for this processor"


def test_a_wrong_program_is_not_passed_over_for_another(tmp_path: Path) -> None:
    program(tmp_path / "bin" / "mongod")
    wrong = str(tmp_path / "nowhere")
    error = missing_program(wrong, find_mongods(wrong))
    assert error is not None
    assert wrong in error.message


def test_the_permission_a_wheel_lost_is_given_back(tmp_path: Path) -> None:
    wheel = program(tmp_path / "packages" / EMBEDDED, mode=0o644)
    assert missing_program(None, find_mongods()) is None
    assert wheel.stat().st_mode & 0o111 == 0o111


@pytest.mark.parametrize(
    ("machine", "content", "lacks"),
    [
        ("x86_64", "processor\t: 0\nflags\t\t: fpu sse4_2 avx avx2\n", False),
        ("x86_64", "processor\t: 0\nflags\t\t: fpu sse4_2 xavx\n", True),
        ("x86_64", "", False),
        ("aarch64", "Features\t: fp asimd\n", False),
    ],
)
def test_the_processor_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: str, content: str, lacks: bool
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    (tmp_path / "cpuinfo").write_text(content)
    assert lacks_avx(tmp_path / "cpuinfo") is lacks


def test_libraries_the_wheel_needs_are_looked_for_where_the_loader_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    assert missing_libraries(tmp_path / "no-such-system") == []
    cache = tmp_path / "ld.so.cache"
    names = ["libcurl.so.4", "libssl.so.3", "libcrypto.so.3", "liblzma.so.5"]
    cache.write_bytes(b"\0".join(name.encode() for name in [*names, "libz.so.1"]))
    assert missing_libraries(cache) == []
    cache.write_bytes(b"libcurl.so.44\0libssl.so.3\0libcrypto.so.3\0liblzma.so.5\0")
    assert missing_libraries(cache) == ["libcurl.so.4"]
    program(tmp_path / "packages" / EMBEDDED)
    monkeypatch.setattr(mongo_programs, "missing_libraries", lambda: ["libcurl.so.4"])
    error = missing_program(None, find_mongods())
    assert error is not None
    assert error.code == "program-unsuitable"
    assert "libcurl4" in error.hint


def test_a_processor_too_old_for_the_wheel_is_told_and_another_release_is_not_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "packages" / EMBEDDED)
    monkeypatch.setattr(mongo_programs, "lacks_avx", lambda: True)
    error = missing_program(None, find_mongods())
    assert error is not None
    assert error.code == "cpu-unsupported"
    program(tmp_path / "bin" / "mongod")
    assert missing_program(None, find_mongods()) is None

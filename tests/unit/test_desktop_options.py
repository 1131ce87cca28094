"""What a desktop program's declaration may say, and what it is started with; nothing is run."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from ou_vce_ext.drivers.desktop import display_number
from ou_vce_ext.drivers.desktop.diagnoses import explain_ending, farewell
from ou_vce_ext.drivers.desktop.display_server import Screen
from ou_vce_ext.drivers.desktop.driver import DesktopDriver
from ou_vce_ext.drivers.desktop.options import OPTIONS, check_declaration, parse_size
from ou_vce_ext.drivers.desktop.programs import missing_for
from ou_vce_ext.drivers.desktop.tigervnc import TigerVNC
from ou_vce_ext.drivers.desktop.window_manager import write_settings
from ou_vce_ext.errors import DefiniteError
from ou_vce_ext.launch import Ending
from ou_vce_ext.models import ServiceSpec, Site

from .fakes import FakeLauncher


def driver(root: Path, **declared: Any) -> DesktopDriver:
    keys = {"size", "scale", "window"} & declared.keys()
    options: dict[str, object] = {key: declared.pop(key) for key in keys}
    declared.setdefault("command", ("program", "{data_dir}"))
    spec = ServiceSpec("planet", "desktop", "Planet", options=options, **declared)
    site = Site(
        "planet",
        root / "home",
        root / "home" / (declared.get("data_dir") or "unused"),
        root / "private",
        root / "run",
        root / "planet.log",
        "/",
    )
    (root / "home").mkdir(exist_ok=True)
    return DesktopDriver(spec, site, FakeLauncher())


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("1280x800", (1280, 800)),
        ("100x8192", (100, 8192)),
        ("99x800", None),
        ("8193x800", None),
        ("1280 x 800", None),
        ("fit", None),
        (1280, None),
    ],
)
def test_sizes(value: object, size: tuple[int, int] | None) -> None:
    assert parse_size(value) == size
    check = OPTIONS["size"].check
    assert check
    assert (check(value) is None) == (size is not None or value == "fit")


def test_a_declaration_as_a_whole() -> None:
    def told(*command: str, **env: str) -> str | None:
        error = check_declaration(ServiceSpec("a", "desktop", "A", command=command, env=env))
        return f"{error.message} {error.hint}" if error else None

    assert told("java", "-jar", "{root_dir}/a.jar", NAME="{name}") is None
    assert "without a `command`" in str(told())
    assert "no placeholder {port}" in str(told("app", "{port}"))


def test_nothing_listens_but_the_socket(tmp_path: Path) -> None:
    words = TigerVNC().command(
        Screen("A title", 640, 480, fits=False, scale=2), tmp_path / "s", tmp_path / "a"
    )
    told = " ".join(words)
    for pair in (
        *("-rfbport -1", "-rfbunixmode 0600", "-nolisten tcp", "-nolisten local"),
        *(f"-auth {tmp_path / 'a'}", f"-rfbunixpath {tmp_path / 's'}", "-geometry 640x480"),
        *("-dpi 192", "-AcceptSetDesktopSize=0"),
    ):
        assert pair in told
    assert words[1] == ":{display}"
    assert "A title" in words


@pytest.mark.parametrize("style", ["full", "desktop"])
def test_the_window_manager_is_told_in_xml(tmp_path: Path, style: Any) -> None:
    from xml.etree import ElementTree

    folder = tmp_path / "<&>"
    folder.mkdir()
    words = write_settings(folder, style)
    text = Path(words[words.index("--config-file") + 1]).read_text()
    ElementTree.fromstring(text)
    assert ("<decor>no</decor>" in text) == (style == "full")


def test_folder_environment_and_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("PGPASSWORD", "secret")
    desktop = driver(tmp_path, data_dir="runs", scale=2, stop_timeout=20.0)
    asyncio.run(desktop.prepare(lambda *_: None))
    plan = asyncio.run(desktop.plan())
    told = json.loads((tmp_path / "run" / "plan.json").read_text())
    assert told["cwd"] == str(tmp_path / "home" / "runs")
    assert told["program"] == ["program", told["cwd"]]
    assert told["env"]["GDK_SCALE"] == "2"
    assert not {"DISPLAY", "PGPASSWORD"} & {*told["env"], *plan.env}
    assert told["close_seconds"] + told["term_seconds"] == pytest.approx(20)
    assert plan.stop[0].wait > 20
    assert desktop.has_own_folder

    plain = driver(tmp_path)
    assert plain.data_dir == plain.cwd == tmp_path / "home"
    assert not plain.has_own_folder


def test_where_no_display_can_have_its_socket_nothing_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sockets = tmp_path / "sockets"
    monkeypatch.setattr(display_number, "SOCKETS", str(sockets))
    desktop = driver(tmp_path)
    # A display's server makes the folder where it is not there.
    asyncio.run(desktop.prepare(lambda *_: None))
    sockets.touch()
    with pytest.raises(DefiniteError) as told:
        asyncio.run(desktop.prepare(lambda *_: None))
    assert told.value.code == "display-failed"
    assert "chmod 1777" in told.value.hint


def test_java_without_windows_is_no_java(tmp_path: Path) -> None:
    home = tmp_path / "jvm"
    for file in ("bin/java", "lib/libawt.so"):
        (home / file).parent.mkdir(parents=True, exist_ok=True)
        (home / file).touch(mode=0o755)

    def told(path: str) -> Any:
        return missing_for("Planet", "java", tmp_path, {"PATH": path})

    assert told(str(home / "bin")).code == "program-unsuitable"
    assert "default-jre`" in told(str(home / "bin")).hint
    (home / "lib" / "libawt_xawt.so").touch()
    assert told(str(home / "bin")) is None
    assert told("/nowhere").code == "program-missing"
    assert "default-jre`" in told("/nowhere").hint


@pytest.mark.parametrize(
    ("absent", "package"),
    [("Xtigervnc Xvnc", "tigervnc-standalone-server"), ("openbox", "openbox")],
)
def test_what_is_missing_comes_with_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, absent: str, package: str
) -> None:
    def which(name: str, **_: object) -> str | None:
        return None if name in absent.split() else f"/usr/bin/{name}"

    monkeypatch.setattr(shutil, "which", which)
    monkeypatch.setattr("ou_vce_ext.drivers.desktop.tigervnc.shutil.which", which)
    error = asyncio.run(driver(tmp_path).missing())
    assert error
    assert error.code == "program-missing"
    assert f"apt-get install {package}" in error.hint


CLOSED = {"window": True, "program": 7, "end": {"what": "program", "code": 0, "signal": None}}


@pytest.mark.parametrize(
    ("note", "ending", "bye", "code"),
    [
        (CLOSED, Ending(exit_code=0), True, "died"),
        (CLOSED | {"window": False}, Ending(exit_code=0), False, "died"),
        (CLOSED, Ending(signal="SIGKILL"), False, None),
        (
            {"program": 7, "end": {"what": "display", "code": None, "signal": "SIGKILL"}},
            Ending(exit_code=75),
            False,
            "display-lost",
        ),
        (
            {"end": {"what": "display", "code": 1, "signal": None}},
            Ending(exit_code=75),
            False,
            "display-failed",
        ),
        ({}, Ending(keeper_lost=True), False, None),
    ],
)
def test_ends_in_words(note: dict[str, Any], ending: Ending, bye: bool, code: str | None) -> None:
    assert bool(farewell("Planet", ending, note)) == bye
    told = explain_ending("Planet", ending, note)
    assert (told.code if told else None) == code

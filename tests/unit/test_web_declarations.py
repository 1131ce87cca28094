"""What a web app's declaration may say, without running anything."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ou_vce_ext.drivers.web.options import OPTIONS, check_declaration
from ou_vce_ext.drivers.web.placeholders import PLACEHOLDERS, check_placeholders, fill
from ou_vce_ext.drivers.web.programs import missing_program
from ou_vce_ext.models import ServiceSpec


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("--port={port}", "--port=8000"),
        ("{port}:{port}", "8000:8000"),
        ("${port}", "${port}"),
        ("{{port}}", "{port}"),
        ('{"a": 1}', '{"a": 1}'),
        ("{a,b}", "{a,b}"),
        ("{}", "{}"),
        ("{unknown}", "{unknown}"),
        ("{{{port}}}", "{8000}"),
    ],
)
def test_filling_in(text: str, filled: str) -> None:
    assert fill(text, {"port": "8000"}) == filled


def test_what_is_filled_in_is_not_looked_at_again() -> None:
    assert fill("{root_dir}", {"root_dir": "/home/{name}", "name": "x"}) == "/home/{name}"


def test_every_placeholder_is_known_and_a_mistyped_one_is_corrected() -> None:
    assert check_placeholders([f"{{{name}}}" for name in PLACEHOLDERS]) is None
    assert check_placeholders(["awk '{{print}}'", "${HOME}", '{"json": true}']) is None
    told = check_placeholders(["run", "--listen={prot}"])
    assert told is not None
    assert "{prot}" in told
    assert "Did you mean {port}?" in told


def spec(*command: str, **more: object) -> ServiceSpec:
    return ServiceSpec("app", "web", "App", command=command, **more)  # type: ignore[arg-type]


def test_a_declaration_as_a_whole() -> None:
    assert check_declaration(spec("run", "{port}")) is None
    assert check_declaration(spec("run", "{socket}")) is None
    for wrong in (
        spec("run", "{nothing}"),
        spec("run", env={"A": "{nothing}"}),
        spec("run", "{socket}", "{port}"),
        spec("run", "{socket}", options={"port": 3000}),
        spec("run", options={"port": 3000, "socket": "/x"}),
        spec("run", options={"adopt": "x"}),
        spec("run", options={"request_headers": {"X": "{nothing}"}}),
    ):
        told = check_declaration(wrong)
        assert told is not None
        assert told.code == "config-invalid"


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("port", 3000, 0),
        ("port", 65535, 65536),
        ("host_header", "localhost:3000", "a b"),
        ("host_header", "[::1]:80", "x\r\nEvil: y"),
        ("request_headers", {"X-Prefix": "/a"}, {"X Y": "a"}),
        ("request_headers", {}, {"X-Prefix": "a\nb"}),
        ("request_headers", {"X": ""}, {"X": 1}),
        ("socket", "/run/app.sock", "app.sock"),
        ("socket", "/a", "/" + "a" * 100),
        ("adopt", "rstudio", "../x"),
        ("start_page", "app/index.html?x=1", "/etc"),
        ("start_page", "a", "../../lab"),
        ("start_page", "a", "//evil.example"),
        ("start_page", "a", "a b"),
        ("mappath", {"/": "/index.html"}, {"/": "index.html"}),
        ("mappath", {}, {"/x": "/y?z"}),
        ("rewrite_response", ["a.b:c", "d:e.f"], ["a.b"]),
        ("rewrite_response", "a:b", [1]),
        ("activity_ignores", ["/poll", r"/\d+"], ["("]),
        ("activity_ignores", [], [1]),
    ],
)
def test_options(key: str, good: object, bad: object) -> None:
    check = OPTIONS[key].check
    assert check is not None
    assert check(good) is None
    assert check(bad)


def test_a_program_is_looked_for_as_the_system_does(tmp_path: Path) -> None:
    tools, home = tmp_path / "tools", tmp_path / "home"
    for folder in (tools, home):
        folder.mkdir()
        (folder / "app").write_text("#!/bin/sh\n")
    # One that cannot even be looked into, as another user's is, is passed by.
    env = {"PATH": os.pathsep.join(["x" * 300, str(tools)])}

    def code(program: str) -> str | None:
        told = missing_program("App", program, home, env)
        return told.code if told else None

    assert code("app") == "program-unsuitable"
    assert code("./app") == "program-unsuitable"
    (tools / "app").chmod(0o755)
    assert code("app") is None
    assert code("./app") == "program-unsuitable"
    assert code("other") == "program-missing"
    assert code(str(tools / "app")) is None
    assert code(str(tools)) == "program-missing"


def test_where_debian_has_a_program_its_package_is_named(tmp_path: Path) -> None:
    told = missing_program("Genie", "node", tmp_path, {"PATH": str(tmp_path)})
    assert told is not None
    assert "apt-get install nodejs" in told.hint


@pytest.mark.parametrize(("value", "right"), [(True, True), ("auto", True), ("yes", False)])
def test_what_private_may_be(value: object, right: bool) -> None:
    check = OPTIONS["private"].check
    assert check is not None
    assert (check(value) is None) is right

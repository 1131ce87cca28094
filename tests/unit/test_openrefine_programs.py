"""Finding OpenRefine and Java in made-up places: nothing here runs either."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from ou_vce_ext.drivers.openrefine import programs as openrefine_programs
from ou_vce_ext.drivers.openrefine.programs import (
    choose_java,
    distribution_in,
    find_distribution,
    java_at,
    missing_program,
)


def make_openrefine(folder: Path, library: str = "server", java: int = 11) -> Path:
    """The skeleton of an unpacked OpenRefine, compiled for a release of Java."""
    (folder / "webapp/WEB-INF").mkdir(parents=True)
    (folder / "webapp/WEB-INF/web.xml").write_text("<web-app/>")
    (folder / library).mkdir(parents=True)
    with zipfile.ZipFile(folder / library / "openrefine-9.9-server.jar", "w") as jar:
        head = b"\xca\xfe\xba\xbe\0\0" + (44 + java).to_bytes(2, "big")
        jar.writestr("com/google/refine/Refine.class", head)
        jar.writestr("META-INF/maven/org.openrefine/server/pom.properties", "a=b\nversion=9.9.1\n")
    launcher = folder / "refine"
    launcher.write_text("#!/bin/sh\n")
    launcher.chmod(0o755)
    return folder


def make_java(folder: Path, version: str | None) -> Path:
    (folder / "bin").mkdir(parents=True)
    program = folder / "bin/java"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    if version:
        (folder / "release").write_text(f'IMPLEMENTOR="X"\nJAVA_VERSION="{version}"\n')
    return folder


@pytest.fixture(autouse=True)
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with neither, whatever the real one has."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(openrefine_programs, "DEBIAN", tmp_path / "usr/share/openrefine")
    monkeypatch.setattr(openrefine_programs, "_JAVA_PLACES", ())


@pytest.mark.parametrize("library", ["server", "server/target/lib"])
def test_both_layouts_are_known(tmp_path: Path, library: str) -> None:
    folder = make_openrefine(tmp_path / "openrefine", library)
    found = distribution_in(folder)
    assert found is not None
    assert found.folder == folder
    assert found.webapp == folder / "webapp"
    assert found.classpath.endswith(f":{folder / library}/*")
    assert distribution_in(folder / "refine") == found, "its launcher names it as well"


def test_releases_are_read_and_not_asked(tmp_path: Path) -> None:
    make_openrefine(tmp_path / "refine")
    distribution = find_distribution(str(tmp_path / "refine"))
    java = java_at(make_java(tmp_path / "java", "17.0.15"))
    old = java_at(make_java(tmp_path / "old", None))
    assert distribution
    assert java
    assert old
    assert (distribution.release, java.version, old.version) == ("9.9.1", "17.0.15", None)


def test_a_jar_that_only_has_the_name_is_none(tmp_path: Path) -> None:
    folder = make_openrefine(tmp_path / "openrefine")
    (folder / "server/openrefine-9.9-server.jar").write_bytes(b"no jar at all")
    assert distribution_in(folder) is None
    assert distribution_in(tmp_path / "nowhere") is None


def test_the_declared_one_goes_first_then_debian_then_the_path(tmp_path: Path) -> None:
    assert find_distribution() is None
    other = make_openrefine(tmp_path / "other")
    (tmp_path / "bin/openrefine").symlink_to(other / "refine")
    assert find_distribution() == distribution_in(other)
    debian = make_openrefine(tmp_path / "usr/share/openrefine")
    assert find_distribution() == distribution_in(debian)
    assert find_distribution(str(other)) == distribution_in(other)
    assert find_distribution(str(tmp_path)) is None, "a declared one is never replaced by another"


def test_a_script_in_bin_leads_to_share(tmp_path: Path) -> None:
    make_openrefine(tmp_path / "usr/share/openrefine")
    script = tmp_path / "usr/bin/openrefine"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\n")
    assert distribution_in(script) == distribution_in(tmp_path / "usr/share/openrefine")


@pytest.mark.parametrize(
    ("version", "major"), [("17.0.15", 17), ("1.8.0_292", 8), ("11", 11), (None, None)]
)
def test_the_version_of_java_is_read_and_not_asked(
    tmp_path: Path, version: str | None, major: int | None
) -> None:
    home = make_java(tmp_path / "jdk", version)
    link = tmp_path / "bin/java"
    link.symlink_to(home / "bin/java")
    for place in (home, home / "bin/java", link):
        found = java_at(place)
        assert found is not None
        assert found.major == major


def test_the_first_java_that_is_new_enough_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distribution = distribution_in(make_openrefine(tmp_path / "openrefine", java=17))
    assert distribution is not None
    monkeypatch.setenv("JAVA_HOME", str(make_java(tmp_path / "old", "11.0.2")))
    assert choose_java(None, distribution) is None
    make_java(tmp_path / "openrefine/server/target/jre", "21.0.1")
    chosen = choose_java(None, distribution)
    assert chosen is not None
    assert chosen.major == 21
    assert choose_java(str(tmp_path / "old"), distribution) is None


def test_what_is_missing_is_told_with_its_cure(tmp_path: Path) -> None:
    def told(program: str | None = None, java: str | None = None) -> tuple[str, str, str]:
        error = missing_program(program, java)
        assert error is not None
        return error.code, error.message, error.hint

    code, _, hint = told()
    assert code == "program-missing"
    assert "apt-get install openrefine" in hint
    assert "`program" in hint
    code, message, _ = told(program="/nowhere")
    assert code == "program-missing"
    assert "/nowhere" in message

    make_openrefine(tmp_path / "usr/share/openrefine")
    code, message, hint = told()
    assert code == "program-missing"
    assert "Java" in message
    assert "apt-get install default-jre-headless" in hint
    code, message, _ = told(java="/nowhere/java")
    assert code == "program-missing"
    assert "/nowhere/java" in message

    old = make_java(tmp_path / "old", "1.8.0_292")
    (tmp_path / "bin/java").symlink_to(old / "bin/java")
    code, message, _ = told()
    assert code == "program-unsuitable"
    assert "Java 11 or newer" in message
    assert "Java 8" in message

    new = make_java(tmp_path / "new", "17.0.15")
    assert missing_program(None, str(new)) is None

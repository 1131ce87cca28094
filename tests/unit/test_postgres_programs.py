"""Which servers are found, and which one is taken, without starting any."""

from __future__ import annotations

from pathlib import Path

import pytest

from ou_vce_ext.drivers.postgres import programs as postgres_programs
from ou_vce_ext.drivers.postgres.programs import (
    Server,
    choose_server,
    find_servers,
    missing_program,
    server_in,
)
from ou_vce_ext.errors import DefiniteError

SCRIPT = "#!/bin/sh\nexec postgres\n"


def install(folder: Path, major: int) -> Path:
    """Something that looks like a server's programs."""
    folder.mkdir(parents=True)
    (folder / "postgres").write_bytes(
        b"\x7fELF" + bytes(999) + b"postgres (PostgreSQL) %d.2\n" % major
    )
    (folder / "initdb").write_bytes(b"\x7fELF")
    for program in folder.iterdir():
        program.chmod(0o755)
    return folder


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine with nothing on it."""
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(postgres_programs, "_KNOWN_PLACES", (f"{tmp_path}/known/*/bin"[1:],))
    monkeypatch.setattr(postgres_programs, "_embedded", lambda: iter([tmp_path / "wheel"]))


def test_a_machine_without_any(tmp_path: Path) -> None:
    assert find_servers() == []
    missing = missing_program(None, [])
    assert missing is not None
    assert missing.code == "program-missing"
    assert 'pip install "ou-vce-ext[embedded]"' in missing.hint
    assert "apt-get install postgresql" in missing.hint


def test_the_best_goes_first(tmp_path: Path) -> None:
    configured = install(tmp_path / "configured", 13)
    on_path = install(tmp_path / "path", 14)
    older = install(tmp_path / "known" / "15" / "bin", 15)
    newer = install(tmp_path / "known" / "16" / "bin", 16)
    wheel = install(tmp_path / "wheel", 18)
    found = find_servers(str(configured))
    assert [server.folder for server in found] == [configured, on_path, newer, older, wheel]
    assert [server.major for server in found] == [13, 14, 16, 15, 18]


def test_links_lead_to_the_real_programs(tmp_path: Path) -> None:
    real = install(tmp_path / "known" / "15" / "bin", 15)
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "pg_ctl").symlink_to(real / "pg_ctl")
    (tmp_path / "path" / "postgres").symlink_to(real / "postgres")
    assert find_servers() == [Server(real, 15)]


def test_a_script_of_that_name_is_no_server(tmp_path: Path) -> None:
    for name in ("postgres", "initdb", "pg_ctl"):
        script = tmp_path / "path" / name
        script.parent.mkdir(exist_ok=True)
        script.write_text(SCRIPT)
        script.chmod(0o755)
    assert server_in(tmp_path / "path") is None
    assert find_servers() == []


def test_client_programs_alone_are_no_server(tmp_path: Path) -> None:
    (install(tmp_path / "path", 15) / "initdb").unlink()
    assert find_servers() == []


def test_a_release_too_old_to_know_is_passed_over(tmp_path: Path) -> None:
    install(tmp_path / "path", 9)
    assert find_servers() == []


def test_an_installation_may_be_named_instead_of_its_programs(tmp_path: Path) -> None:
    programs = install(tmp_path / "pgsql" / "bin", 17)
    servers = find_servers(str(tmp_path / "pgsql"))
    assert servers == [Server(programs, 17)]
    assert servers[0].release == "17.2"
    assert missing_program(str(tmp_path / "pgsql"), servers) is None


def test_a_declared_folder_without_a_server_is_told_though_there_are_others(tmp_path: Path) -> None:
    install(tmp_path / "path", 15)
    missing = missing_program(str(tmp_path), find_servers(str(tmp_path)))
    assert missing is not None
    assert str(tmp_path) in missing.message


def test_data_is_opened_by_its_own_release_alone(tmp_path: Path) -> None:
    servers = [Server(tmp_path / "a", 17), Server(tmp_path / "b", 15)]
    assert choose_server(servers, tmp_path, None).major == 17
    assert choose_server(servers, tmp_path, "15").major == 15
    with pytest.raises(DefiniteError) as refused:
        choose_server(servers, tmp_path, "14")
    assert refused.value.code == "data-wrong-version"
    assert "PostgreSQL 15 and 17" in refused.value.message
    assert "restore your newest backup" in refused.value.hint
    with pytest.raises(DefiniteError) as refused:
        choose_server(servers, tmp_path, "18")
    assert "no way to an older release" in refused.value.hint
    assert "restore" not in refused.value.hint

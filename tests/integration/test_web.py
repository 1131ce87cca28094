"""Web apps of every kind through their driver, with real programs: declared, started, stopped."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import socket
from pathlib import Path

import psutil
import pytest

from ou_vce_ext.config.declarations import load_specs
from ou_vce_ext.drivers.base import no_progress
from ou_vce_ext.drivers.web.driver import WebDriver
from ou_vce_ext.errors import DataInUseError, DefiniteError
from ou_vce_ext.models import ServiceSpec
from ou_vce_ext.services.keepers import KeeperLauncher
from tests.free_ports import free_port
from tests.integration.web_rig import WebRig, app

pytestmark = pytest.mark.integration

GENIE = Path(__file__).parents[2] / "examples" / "genie"


def listen(port: int, host: str = "127.0.0.1") -> socket.socket:
    """A stranger that listens."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, port))
    sock.listen()
    return sock


def declared_genie(folder: Path, port: int) -> ServiceSpec:
    """Genie as its TOML declares it, but for the port, which others may be using here."""
    shutil.copytree(GENIE / "vce.d", folder / "vce.d")
    toml = folder / "vce.d" / "genie.toml"
    text = toml.read_text()
    assert "port = 3000" in text
    toml.write_text(text.replace("3000", str(port)))
    specs, problems = load_specs([folder], None, {}, {"web": WebDriver.options})
    assert [problem for problem in problems if "genie" in problem.key] == []
    return next(spec for spec in specs if spec.name == "genie")


async def test_a_node_app_is_declared_in_a_few_lines(
    short_dir: Path, launcher: KeeperLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    spec = declared_genie(short_dir, port)
    assert (spec.title, spec.open) == ("Genie", "browser")
    assert spec.icon is not None
    assert Path(spec.icon).is_file()
    monkeypatch.setenv("GENIE_START_SECONDS", "1.5")
    rig = WebRig(short_dir, launcher, spec=spec)
    (rig.site.root_dir / "genie").symlink_to(GENIE)
    assert rig.driver.ready_timeout == 120
    process = await rig.launch()
    assert not await rig.driver.probe(process), "it is not ready while it reads its data"
    assert await rig.become_ready() == "ready", rig.log()
    assert rig.driver.main_pid(process) == process.pid
    status, page = await rig.get("/")
    assert status == 200
    assert "Genie climate model" in page
    ending = await rig.stop()
    assert ending.exit_code == 0, rig.log()
    assert "Genie: ending" in rig.log()


async def test_a_free_port_is_told_to_the_app_in_every_usual_way(
    short_dir: Path, launcher: KeeperLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_TOKEN", "never-to-be-seen")
    rig = WebRig(
        short_dir,
        launcher,
        app("environment", "{port}"),
        env={"WHERE": "{root_dir}|{data_dir}|{name}|{base_url}", "SHELL_LIKE": "${port}"},
    )
    await rig.start()
    port = rig.driver.upstream().port
    said = rig.log()
    assert f"PORT={port}\n" in said
    assert "VCE_BASE_URL=/base/vce/app/app/\n" in said
    assert f"WHERE={rig.site.root_dir}|{rig.site.data_dir}|app|/base/vce/app/app/\n" in said
    assert "SHELL_LIKE=${port}\n" in said
    assert "never-to-be-seen" not in said
    assert rig.site.data_dir.is_dir()
    assert await rig.get("/x") == (200, f"/x\n127.0.0.1:{port}\n")
    await rig.stop()
    await rig.start()
    assert rig.driver.upstream().port != port
    await rig.stop()


async def test_a_unix_socket_even_where_a_killed_run_left_its_own(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    rig = WebRig(short_dir, launcher, app("unix", "{socket}"))
    process = await rig.start()
    path = rig.driver.upstream().socket
    assert path is not None
    assert len(path) <= 100
    assert await rig.get("/x") == (200, "/x\nlocalhost\n")
    assert os.stat(path).st_mode & 0o077 == 0
    os.kill(process.pid, 9)
    await process.down()
    assert os.path.exists(path)
    await rig.start()
    await rig.stop()


async def test_a_wrapper_without_exec_is_seen_through(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    rig = WebRig(short_dir, launcher, app("wrapped", "{port}"))
    process = await rig.start()
    main = rig.driver.main_pid(process)
    assert main != process.pid
    assert psutil.Process(main).ppid() == process.pid
    await rig.stop()
    assert not psutil.pid_exists(main)


async def test_a_shell_line_may_be_the_command(short_dir: Path, launcher: KeeperLauncher) -> None:
    command = ["sh", "-c", f"{shlex.join(app())} tcp 127.0.0.1 $PORT; echo over"]
    rig = WebRig(short_dir, launcher, command)
    process = await rig.start()
    assert rig.driver.main_pid(process) != process.pid
    await rig.stop()


@pytest.mark.parametrize("status", [200, 302, 401, 404])
async def test_any_answer_but_a_server_error_is_ready(
    short_dir: Path, launcher: KeeperLauncher, status: int
) -> None:
    rig = WebRig(
        short_dir, launcher, app("tcp", "127.0.0.1", "{port}"), ready_path=f"/status/{status}"
    )
    await rig.start()
    await rig.stop()


async def test_a_server_error_is_not_ready(short_dir: Path, launcher: KeeperLauncher) -> None:
    rig = WebRig(short_dir, launcher, app("tcp", "127.0.0.1", "{port}"), ready_path="/status/503")
    process = await rig.launch()
    asked = 0
    while asked < 3:
        assert not await rig.driver.probe(process)
        asked = rig.log().count('"GET /status/503 HTTP/1.1" 503')
    await rig.stop()


async def test_an_app_that_expects_its_whole_path_is_asked_by_it(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    options = {"absolute_url": True, "host_header": "genie.example:80"}
    rig = WebRig(
        short_dir, launcher, app("tcp", "127.0.0.1", "{port}"), ready_path="/up", options=options
    )
    await rig.start()
    assert (await rig.get("/"))[1] == "/\ngenie.example:80\n"
    await rig.stop()
    assert "GET /base/vce/app/app/up " in rig.log()


async def test_an_app_on_ipv6_alone_is_found(short_dir: Path, launcher: KeeperLauncher) -> None:
    try:
        listen(0, "::1").close()
    except OSError as error:
        pytest.skip(f"no IPv6 on this machine: {error}")
    rig = WebRig(short_dir, launcher, app("tcp", "::1", "{port}"))
    await rig.start()
    assert rig.driver.upstream().host == "::1"
    assert (await rig.get("/"))[0] == 200
    await rig.stop()


async def test_a_fixed_port_that_is_taken_names_its_owner(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    port = free_port()
    rig = WebRig(short_dir, launcher, app("tcp", "127.0.0.1", "{port}"), options={"port": port})
    with listen(port):
        refused = await rig.refusal()
        assert refused.code == "port-in-use"
        assert f"process {os.getpid()}" in refused.message
        assert str(port) in refused.message
    await rig.start()
    await rig.stop()


async def test_a_fixed_port_taken_at_the_last_moment_is_never_ready(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    port = free_port()
    rig = WebRig(short_dir, launcher, app("stubborn", "{port}"), options={"port": port})
    await rig.driver.prepare(no_progress)
    with listen(port) as stranger:
        stranger.setblocking(False)
        rig.process = await launcher.launch(await rig.driver.plan())
        with pytest.raises(DefiniteError) as caught:
            await rig.become_ready()
        assert caught.value.code == "port-in-use"
        with pytest.raises(BlockingIOError):
            # Nothing was ever sent to the stranger.
            stranger.accept()
    await rig.stop()


@pytest.mark.parametrize("kind", ["tcp", "stubborn"])
async def test_a_free_port_taken_at_the_last_moment_makes_way_for_another(
    short_dir: Path, launcher: KeeperLauncher, kind: str
) -> None:
    arguments = ("127.0.0.1", "{port}") if kind == "tcp" else ("{port}",)
    rig = WebRig(short_dir, launcher, app(kind, *arguments))
    await rig.driver.prepare(no_progress)
    port = rig.driver.upstream().port
    assert port is not None
    with listen(port) as stranger:
        stranger.setblocking(False)
        rig.process = await launcher.launch(await rig.driver.plan())
        told = await rig.death()
        assert told.code == "port-in-use"
        assert str(port) in told.message
        with pytest.raises(BlockingIOError):
            stranger.accept()
        await rig.start()
        assert rig.driver.upstream().port != port
        await rig.stop()


async def test_a_program_that_is_not_there(short_dir: Path, launcher: KeeperLauncher) -> None:
    missing = await WebRig(short_dir, launcher, ["no-such-program-at-all"]).driver.missing()
    assert missing is not None
    assert missing.code == "program-missing"
    assert "no-such-program-at-all" in missing.message


async def test_a_script_that_is_not_marked_as_a_program(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    rig = WebRig(short_dir, launcher, ["./run.sh"])
    script = rig.site.root_dir / "run.sh"
    script.write_text("#!/bin/sh\nexec sleep 60\n")
    missing = await rig.driver.missing()
    assert missing is not None
    assert missing.code == "program-unsuitable"
    assert f"chmod +x {script}" in missing.hint
    script.chmod(0o755)
    assert await rig.driver.missing() is None


async def test_a_folder_that_is_not_there(short_dir: Path, launcher: KeeperLauncher) -> None:
    rig = WebRig(short_dir, launcher, ["sleep", "60"], cwd="nowhere")
    refused = await rig.refusal()
    assert refused.code == "data-missing"
    assert str(rig.site.root_dir / "nowhere") in refused.message


async def test_a_declaration_with_an_unknown_placeholder(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    refused = await WebRig(short_dir, launcher, ["sleep", "{prot}"]).refusal()
    assert refused.code == "config-invalid"
    assert "{port}" in refused.message


async def test_two_copies_never_run(short_dir: Path, launcher: KeeperLauncher) -> None:
    first = WebRig(short_dir, launcher, app("tcp", "127.0.0.1", "{port}"))
    await first.start()
    second = WebRig(short_dir, launcher, app("tcp", "127.0.0.1", "{port}"))
    with pytest.raises(DataInUseError):
        await second.launch()
    await asyncio.shield(first.stop())
    await second.start()
    await second.stop()

"""As a container's root: Jupyter as the first process, default capabilities, no user namespaces."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from ou_vce_ext.services import proc

from .jupyter_rig import Jupyter, jupyter, wait

pytestmark = pytest.mark.integration

CONTAINER = Path(__file__).with_name("container.py")
WEB_APPS = Path(__file__).with_name("web_apps.py")


@pytest.fixture
def prefix() -> list[str]:
    if os.geteuid() != 0:
        pytest.skip("only root can make a container's surroundings")
    return [sys.executable, str(CONTAINER)]


def first_process(server: Jupyter) -> int:
    """Jupyter's own pid, seen from outside."""
    return proc.descendants(server.process.pid)[0]


def test_both_databases_run_and_are_stopped_gently(tmp_path: Path, prefix: list[str]) -> None:
    tmp_path.chmod(0o755)
    with jupyter(tmp_path, prefix=prefix) as server:
        services = {name: server.wait_state(name, "ready") for name in ("postgres", "mongo")}
        assert services["postgres"]["pid"] < 10_000, "pids are those inside"
        main = first_process(server)
        tree = proc.descendants(main)
        names = {pid: Path(f"/proc/{pid}/comm").read_text().strip() for pid in tree}
        postmaster = next(pid for pid, name in names.items() if name == "postgres")
        assert os.stat(f"/proc/{postmaster}").st_uid != 0
        os.kill(main, signal.SIGTERM)
        server.process.wait(150)
        wait(lambda: not any(proc.is_alive(pid, None) for pid in tree))
        log = tmp_path / ".local/share/jupyter/vce/logs/postgres.log"
        assert "database system is shut down" in log.read_text()


def test_a_killed_container_recovers_at_the_next_start(tmp_path: Path, prefix: list[str]) -> None:
    tmp_path.chmod(0o755)
    with jupyter(tmp_path, prefix=prefix) as server:
        server.wait_state("postgres", "ready")
        server.wait_state("mongo", "ready")
        # The end of a namespace's first process is the end of all of it, at once.
        os.kill(first_process(server), signal.SIGKILL)
        server.process.wait(150)
    with jupyter(tmp_path, prefix=prefix) as server:
        server.wait_state("postgres", "ready")
        server.wait_state("mongo", "ready")
        os.kill(first_process(server), signal.SIGTERM)
        server.process.wait(150)


def test_where_no_network_can_be_made_it_is_told_who_can_reach_a_service(
    tmp_path: Path, prefix: list[str]
) -> None:
    tmp_path.chmod(0o755)
    toml = f"""
        [services.postgres]
        enabled = false
        [services.mongo]
        enabled = false
        [services.app]
        kind = "web"
        title = "App"
        command = ["{sys.executable}", "{WEB_APPS}", "tcp", "127.0.0.1", "{{port}}"]
        autostart = true
        private = true
    """
    with jupyter(tmp_path, prefix=prefix, toml=toml) as server:
        server.wait_state("app", "ready")
        assert server.request("GET", "vce/app/app/")[0] == 200
        status, page = server.request("GET", "vce/status")
        assert status == 200
        assert "other users of this machine can reach it" in page
        assert "does not let it have a network of its own" in page
        os.kill(first_process(server), signal.SIGTERM)
        server.process.wait(150)

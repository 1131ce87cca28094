"""Keepers and what they keep: real processes that misbehave in every way we know."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ou_vce_ext.errors import DataInUseError, DefiniteError
from ou_vce_ext.launch import Identity, LaunchPlan, StopStep
from ou_vce_ext.services.keepers import KeeperLauncher
from ou_vce_ext.services.kept_process import KeptProcess
from ou_vce_ext.services.logs import ServiceLog
from tests.free_ports import free_port

from .watching import gone, printed, tree_of, until

HOSTILE = Path(__file__).with_name("hostile.py")
Plan = Callable[..., LaunchPlan]
UNHURRIED = (StopStep("SIGTERM", 120.0),)
"""For who ends when told to, however busy the machine is."""


@pytest.fixture
def launcher(
    jp_asyncio_loop: asyncio.AbstractEventLoop, tmp_path: Path
) -> Iterator[KeeperLauncher]:
    errors = tmp_path / "keeper-errors"
    made = KeeperLauncher(log=logging.getLogger("test"), errors=errors)
    yield made
    jp_asyncio_loop.run_until_complete(made.aclose())
    assert not errors.exists() or errors.read_text() == ""


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    def make(*arguments: object, **more: object) -> LaunchPlan:
        made = LaunchPlan(
            argv=(sys.executable, str(HOSTILE), *map(str, arguments)),
            env={"PATH": os.environ["PATH"]},
            cwd=str(tmp_path),
            output=tmp_path / "log",
            stop=(StopStep("SIGTERM", 1.0),),
        )
        return replace(made, **more)  # type: ignore[arg-type]

    return make


async def start(launcher: KeeperLauncher, plan: LaunchPlan, word: str = "ready") -> KeptProcess:
    process = await launcher.launch(plan)
    await until(lambda: printed(plan.output, word))
    assert isinstance(process, KeptProcess)
    return process


@pytest.mark.parametrize("name", ["ignores_term", "double_forks", "stays"])
async def test_a_stop_leaves_nobody(launcher: KeeperLauncher, plan: Plan, name: str) -> None:
    process = await start(launcher, plan(name))
    assert process.keeper_pid
    tree = tree_of(process.keeper_pid)
    assert len(tree) >= 2
    await asyncio.wait_for(process.stop(), 120)
    assert all(gone(pid) for pid in tree if pid != process.keeper_pid)


async def test_an_orphan_that_holds_the_pipe_goes_too(launcher: KeeperLauncher, plan: Plan) -> None:
    process = await start(launcher, plan("leaves_orphan"))
    assert process.keeper_pid
    tree = tree_of(process.keeper_pid)
    ending = await asyncio.wait_for(process.down(), 120)
    assert ending.exit_code == 0
    assert not ending.asked
    assert all(gone(pid) for pid in tree if pid != process.keeper_pid)


async def test_how_it_ended_is_told(launcher: KeeperLauncher, plan: Plan) -> None:
    process = await start(launcher, plan("stays"))
    os.kill(process.pid, signal.SIGKILL)
    ending = await process.down()
    assert (ending.exit_code, ending.signal, ending.asked) == (None, "SIGKILL", False)


async def test_a_stopped_process_is_continued_to_be_stopped(
    launcher: KeeperLauncher, plan: Plan
) -> None:
    process = await start(launcher, plan("stays", stop=UNHURRIED))
    os.kill(process.pid, signal.SIGSTOP)
    ending = await asyncio.wait_for(process.stop(), 120)
    assert ending.signal == "SIGTERM", "it had to be killed, though it only needed to be woken"


async def test_a_saving_program_is_given_the_time_it_needs(
    launcher: KeeperLauncher, plan: Plan, tmp_path: Path
) -> None:
    steps = (StopStep("SIGTERM", 0.2, while_busy=True),)
    process = await start(launcher, plan("saves", tmp_path / "work", stop=steps))
    ending = await asyncio.wait_for(process.stop(), 120)
    assert ending.exit_code == 143
    assert (tmp_path / "work").read_text() == "saved"


async def test_the_listener_is_told_from_a_stranger(launcher: KeeperLauncher, plan: Plan) -> None:
    port = free_port()
    process = await start(launcher, plan("wraps", port))
    ours = await process.listener(port=port)
    assert ours.who == "ours"
    assert ours.pid not in (None, process.pid), "the wrapper's child is the service"
    assert ours.address == "127.0.0.1"
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        taken = stranger.getsockname()[1]
        assert (await process.listener(port=taken)).who == "stranger"
    assert (await process.listener(port=free_port())).who == "nobody"
    await process.stop()


async def test_unix_sockets_are_found_too(
    launcher: KeeperLauncher, plan: Plan, tmp_path: Path
) -> None:
    path = str(tmp_path / "a socket")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        process = await start(launcher, plan("stays"))
        assert (await process.listener(socket=path)).who == "nobody"
        server.listen()
        assert (await process.listener(socket=path)).who == "stranger"
    await process.stop()


async def test_a_flood_is_kept_within_bounds(
    launcher: KeeperLauncher, plan: Plan, tmp_path: Path
) -> None:
    flood = plan("floods", log_bytes=1_000_000)
    process = await launcher.launch(flood)
    older = flood.output.with_name("log.1")
    await until(lambda: older.exists() and older.stat().st_size > 500_000)
    # The keeper still answers, and so does the loop.
    assert (await process.usage()).memory_bytes
    await process.stop()
    assert flood.output.stat().st_size <= 1_000_000
    assert older.stat().st_size <= 1_000_000


async def test_odd_bytes_and_endless_lines_do_no_harm(launcher: KeeperLauncher, plan: Plan) -> None:
    odd = plan("odd_bytes")
    process = await launcher.launch(odd)
    await process.down()
    lines = ServiceLog(odd.output).tail(10)
    assert lines[0].startswith("caf\N{REPLACEMENT CHARACTER}")
    assert lines[-2:] == ("last", "ready")
    assert max(map(len, lines)) <= 2_000


async def test_a_full_disk_costs_log_lines_never_the_service(
    launcher: KeeperLauncher, plan: Plan
) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.fail("this system has no /dev/full")
    process = await launcher.launch(plan("floods", output=full.parent / "full", stop=UNHURRIED))
    assert (await process.usage()).memory_bytes
    assert (await process.stop()).signal == "SIGTERM"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"argv": ("/nonexistent/program",)}, "program-missing"),
        ({"cwd": "/nonexistent"}, "data-missing"),
        ({"argv": (str(HOSTILE.parent),)}, "not-permitted"),
    ],
)
async def test_what_cannot_be_started_says_why(
    launcher: KeeperLauncher, plan: Plan, change: dict[str, object], code: str
) -> None:
    with pytest.raises(DefiniteError) as failure:
        await launcher.launch(plan("stays", **change))
    assert failure.value.code == code
    assert failure.value.message
    assert failure.value.hint


async def test_a_lock_keeps_a_second_copy_out_as_long_as_any_process_lives(
    launcher: KeeperLauncher, plan: Plan, tmp_path: Path
) -> None:
    lock = tmp_path / "data.lock"
    locked = plan("stays", lock_file=lock, lock_note={"host": "here"})
    process = await start(launcher, locked)
    with pytest.raises(DataInUseError) as refusal:
        await launcher.launch(locked)
    assert refusal.value.holder["pid"] == process.pid
    assert refusal.value.holder["host"] == "here"
    await process.stop()
    again = await launcher.launch(locked)
    await again.stop()


async def test_whether_anybody_saw_the_run_before_end_is_known(
    launcher: KeeperLauncher, plan: Plan, tmp_path: Path
) -> None:
    locked = plan("stays", lock_file=tmp_path / "data.lock")
    process = await start(launcher, locked)
    assert not process.unseen_end, "the first one"
    await process.stop()
    process = await start(launcher, locked)
    assert not process.unseen_end, "it was stopped"
    os.kill(process.pid, signal.SIGKILL)
    await process.down()
    process = await start(launcher, locked)
    assert not process.unseen_end, "it was seen to be killed"
    assert process.keeper_pid
    os.kill(process.keeper_pid, signal.SIGKILL)
    os.kill(process.pid, signal.SIGKILL)
    await process.down()
    process = await start(launcher, locked)
    assert process.unseen_end
    await process.stop()


async def test_a_killed_keeper_leaves_nobody_and_is_noticed(
    launcher: KeeperLauncher, plan: Plan
) -> None:
    process = await start(launcher, plan("double_forks"))
    assert process.keeper_pid
    tree = tree_of(process.keeper_pid)
    os.kill(process.keeper_pid, signal.SIGKILL)
    ending = await asyncio.wait_for(process.down(), 120)
    assert ending.keeper_lost
    assert all(gone(pid) for pid in tree)
    # The parent goes on to serve.
    another = await launcher.launch(plan("stays"))
    await another.stop()


async def test_a_killed_parent_is_replaced_and_its_keepers_live_on(
    launcher: KeeperLauncher, plan: Plan
) -> None:
    process = await start(launcher, plan("stays"))
    assert launcher.parent_pid
    os.kill(launcher.parent_pid, signal.SIGKILL)
    await until(lambda: launcher.parent_pid is None)
    assert (await process.usage()).memory_bytes
    another = await launcher.launch(plan("stays"))
    await another.stop()
    await process.stop()
    assert gone(process.pid)


async def test_one_jupyter_after_another_finds_nobody(tmp_path: Path, plan: Plan) -> None:
    """A Jupyter that is killed takes everything with it, saved, by its keepers' doing."""
    script = textwrap.dedent(
        """
        import asyncio, logging, sys
        from pathlib import Path
        from ou_vce_ext.launch import LaunchPlan, StopStep
        from ou_vce_ext.services.keepers import KeeperLauncher

        async def main():
            launcher = KeeperLauncher(log=logging.getLogger())
            process = await launcher.launch(LaunchPlan(
                argv=(sys.executable, sys.argv[1], "saves", sys.argv[2]), env={}, cwd="/",
                output=Path(sys.argv[3]), stop=(StopStep("SIGTERM", 30.0),)))
            print(process.pid, process.keeper_pid, launcher.parent_pid, flush=True)
            await process.down()

        asyncio.run(main())
        """
    )
    saved, log = tmp_path / "work", tmp_path / "log"
    jupyter = subprocess.Popen(
        [sys.executable, "-c", script, HOSTILE, saved, log],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert jupyter.stdout
    pids = [int(pid) for pid in jupyter.stdout.readline().split()]
    await until(lambda: printed(log, "ready"))
    jupyter.kill()
    jupyter.wait()
    jupyter.stdout.close()
    await until(lambda: all(gone(pid) for pid in pids))
    assert saved.read_text() == "saved"


async def test_it_runs_as_somebody_else_where_we_are_root(
    launcher: KeeperLauncher, tmp_path: Path
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    out = tmp_path / "who"
    who = LaunchPlan(("id", "-u"), {"PATH": os.environ["PATH"]}, "/", out)
    process = await launcher.launch(replace(who, identity=Identity("user", 65534, 65534)))
    assert (await process.down()).exit_code == 0
    assert out.read_text() == "65534\n"


async def test_a_namespace_shows_another_user_and_keeps_the_owner(
    launcher: KeeperLauncher, tmp_path: Path
) -> None:
    if not await launcher.can_use_namespace():
        pytest.skip("user namespaces are not allowed here")
    out = tmp_path / "who"
    made = tmp_path / "made"
    command = ("sh", "-c", f"id -u; touch '{made}'")
    plan = LaunchPlan(
        command, {"PATH": os.environ["PATH"]}, "/", out, identity=Identity("namespace", 1000, 1000)
    )
    process = await launcher.launch(plan)
    assert (await process.down()).exit_code == 0
    assert out.read_text() == "1000\n"
    assert made.stat().st_uid == os.geteuid()

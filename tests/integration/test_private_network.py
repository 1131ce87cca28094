"""Programs in a network of their own: reached by us, by nobody else, and with a way out."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from ou_vce_ext.drivers import private_network
from ou_vce_ext.services import proc
from ou_vce_ext.services.keepers import KeeperLauncher
from ou_vce_ext.services.kept_process import KeptProcess
from tests.integration.greeter import greeter
from tests.integration.other_users import as_user, ordinary_user, run_tests
from tests.integration.watching import gone, until
from tests.integration.web_rig import WebRig, app

pytestmark = pytest.mark.integration


def private_app(root: Path, launcher: KeeperLauncher, **options: object) -> WebRig:
    """A small app, declared private."""
    command = app("tcp", "127.0.0.1", "{port}")
    return WebRig(root, launcher, command, options={"private": True, **options})


def port_of(rig: WebRig) -> int:
    port = rig.driver.upstream().port
    assert port
    return port


def refused(port: int) -> bool:
    """Whether nobody on the machine's own loopback address answers on ``port``."""
    with socket.socket() as stranger:
        return stranger.connect_ex(("127.0.0.1", port)) != 0


def keeper_of(rig: WebRig) -> int:
    assert isinstance(rig.process, KeptProcess)
    assert rig.process.keeper_pid
    return rig.process.keeper_pid


def named(pids: list[int], name: str) -> int:
    """The one of ``pids`` that is called ``name``; there must be one."""
    for pid in pids:
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/comm").read_text().strip() == name:
                return pid
    raise AssertionError(f"none of {pids} is {name}")


async def test_it_is_reached_through_its_socket_and_no_other_way(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    rig = private_app(short_dir, launcher)
    await rig.start()
    status, told = await rig.get("/base/vce/app/app/x")
    assert (status, told) == (200, f"/base/vce/app/app/x\n127.0.0.1:{port_of(rig)}\n")
    assert refused(port_of(rig))
    path = Path(str(rig.driver.upstream().socket))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert rig.driver.notice() is None
    tree = proc.descendants(keeper_of(rig))
    assert named(tree, "vce-forwarder")
    ending = await rig.stop()
    assert ending.asked
    assert not path.exists()
    await until(lambda: all(map(gone, tree)))


@pytest.mark.parametrize("private", [True, False])
async def test_another_user_of_the_machine(
    short_dir: Path, launcher: KeeperLauncher, private: bool
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can act as two users")
    rig = private_app(short_dir, launcher, private=private)
    await rig.start()
    upstream = rig.driver.upstream()
    tries: list[tuple[int, object]] = [(socket.AF_INET, ("127.0.0.1", upstream.port))]
    tries += [(socket.AF_UNIX, upstream.socket)] if private else []
    for family, address in tries:
        code = f"import socket; print(socket.socket({int(family)}).connect_ex({address!r}), end='')"
        user = ordinary_user()
        told = subprocess.run(
            [*as_user(user.pw_uid, user.pw_gid), "/usr/bin/python3", "-I", "-c", code],
            capture_output=True,
            text=True,
            check=True,
        )
        assert (told.stdout != "0") is private, told.stdout
    await rig.stop()


async def test_a_fixed_port_that_somebody_else_has_is_no_matter(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    with greeter() as port:
        rig = private_app(short_dir, launcher, port=port)
        await rig.start()
        assert (await rig.get("/"))[0] == 200
        await rig.stop()


@pytest.mark.parametrize("tool", ["slirp4netns", "pasta"])
async def test_its_way_out_leads_to_the_machine_and_beyond(
    short_dir: Path, launcher: KeeperLauncher, monkeypatch: pytest.MonkeyPatch, tool: str
) -> None:
    if tool == "pasta" and os.geteuid() == 0:
        return  # root's is not used; the test of an ordinary user has it
    commands = [each for each in private_network.ways_out() if Path(each[0]).name == tool]
    if not commands or not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        pytest.skip(f"{tool} or /dev/net/tun is not there")
    monkeypatch.setattr(private_network, "ways_out", lambda: iter(commands))
    rig = private_app(short_dir, launcher)
    with greeter() as port:
        process = await rig.start()

        def way_out() -> int:
            ours = [named(proc.descendants(keeper_of(rig)), "vce-forwarder"), process.pid]
            others = [pid for pid in proc.descendants(keeper_of(rig)) if pid not in ours]
            assert others, (rig.site.private_dir / "private-network.log").read_text()
            return others[0]

        async def reaches(host: str) -> bool:
            return (await rig.get(f"/dial/{host}/{port}"))[1] == "hello"

        async def reaches_the_machine() -> None:
            async with asyncio.timeout(120):
                while not await reaches("10.0.2.2"):
                    await asyncio.sleep(0.02)

        await reaches_the_machine()
        assert not await reaches("127.0.0.1")
        assert refused(port_of(rig)), "what listens inside was shown outside"
        # Killed, another takes its place.
        first = way_out()
        os.kill(first, signal.SIGKILL)
        await until(lambda: gone(first))
        await reaches_the_machine()
        assert way_out() != first
        assert "way out to the internet ended" in rig.site.log_file.read_text()
    tree = proc.descendants(keeper_of(rig))
    await rig.stop()
    await until(lambda: all(map(gone, tree)))


async def test_a_killed_forwarder_is_replaced(short_dir: Path, launcher: KeeperLauncher) -> None:
    rig = private_app(short_dir, launcher)
    process = await rig.start()
    forwarder = named(proc.descendants(keeper_of(rig)), "vce-forwarder")
    os.kill(forwarder, signal.SIGKILL)
    await until(lambda: gone(forwarder))
    assert (await rig.get("/"))[0] == 200
    assert await rig.driver.probe(process)
    await rig.stop()


async def test_a_killed_program_takes_its_network_with_it(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    rig = private_app(short_dir, launcher)
    process = await rig.start()
    keeper = keeper_of(rig)
    tree = proc.descendants(keeper)
    os.kill(process.pid, signal.SIGKILL)
    assert (await process.down()).signal == "SIGKILL"
    await until(lambda: all(map(gone, [keeper, *tree])))
    await rig.driver.close()


async def test_a_killed_keeper_takes_the_network_with_it(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    rig = private_app(short_dir, launcher)
    process = await rig.start()
    tree = proc.descendants(keeper_of(rig))
    assert len(tree) >= 2
    os.kill(keeper_of(rig), signal.SIGKILL)
    await process.down()
    await until(lambda: all(map(gone, tree)))
    await rig.driver.close()


async def test_what_a_wrapper_leaves_behind_is_ended_in_there_too(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    rig = WebRig(short_dir, launcher, app("wrapped", "{port}"), options={"private": True})
    process = await rig.start()
    tree = proc.descendants(keeper_of(rig))
    assert rig.driver.main_pid(process) != process.pid
    os.kill(process.pid, signal.SIGKILL)
    await process.down()
    await until(lambda: all(map(gone, tree)))
    await rig.driver.close()


async def test_without_the_means_it_runs_all_the_same_and_says_who_can_reach_it(
    short_dir: Path, launcher: KeeperLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def forbidden(way_out: tuple[str, ...] = ()) -> str:
        return "no-namespace"

    monkeypatch.setattr(launcher, "can_make_network", forbidden)
    rig = private_app(short_dir, launcher)
    await rig.start()
    assert not refused(port_of(rig))
    notice = rig.driver.notice()
    assert notice
    assert notice.code == "reachable-by-others"
    assert "does not let it have a network of its own" in notice.message
    await rig.stop()


@pytest.mark.parametrize(
    ("wish", "others", "private", "told"),
    [
        (True, None, True, False),
        ("auto", None, False, False),
        ("auto", "2 other people have accounts on it", False, True),
        (False, "2 other people have accounts on it", False, False),
    ],
)
async def test_without_a_way_out_only_what_is_declared_so_is_private(
    launcher: KeeperLauncher,
    monkeypatch: pytest.MonkeyPatch,
    wish: private_network.Wish,
    others: str | None,
    private: bool,
    told: bool,
) -> None:
    monkeypatch.setattr(private_network, "ways_out", lambda: iter(()))
    monkeypatch.setattr(private_network, "other_people", lambda: others)
    found = await private_network.decide_privacy(wish, "OpenRefine", launcher)
    assert found.private is private
    assert bool(found.notice) is told
    if found.notice:
        assert "slirp4netns" in found.notice.hint
        assert str(others) in found.notice.message


async def test_a_way_out_that_does_not_work_is_not_relied_on(
    launcher: KeeperLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await launcher.can_make_network(("/bin/false",)) == "no-way-out"
    monkeypatch.setattr(private_network, "other_people", lambda: "somebody else uses it now")
    monkeypatch.setattr(private_network, "ways_out", lambda: iter([("/bin/false",)]))
    found = await private_network.decide_privacy("auto", "OpenRefine", launcher)
    assert not found.private
    assert found.notice
    assert "does not work here" in found.notice.message


def test_as_an_ordinary_user() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else; the other tests have been run as a user")
    user = ordinary_user()
    file = str(Path(__file__).relative_to(Path(__file__).parents[2]))
    tests = [file, "-k", "way_out_leads or no_other_way or killed"]
    run_tests(as_user(user.pw_uid, user.pw_gid), tests, (user.pw_uid, user.pw_gid))


async def test_a_resolver_on_the_machines_own_address_is_asked_by_way_of_another(
    short_dir: Path, launcher: KeeperLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = short_dir / "resolv.conf"
    file.write_text("search example.org\nnameserver 127.0.0.53\noptions edns0\n")
    monkeypatch.setattr(private_network, "_RESOLV_CONF", file)
    rig = private_app(short_dir, launcher)
    process = await rig.start()
    inside = Path(f"/proc/{process.pid}/root/etc/resolv.conf").read_text()
    assert inside == "search example.org\noptions edns0\nnameserver 10.0.2.3\n"
    assert Path("/etc/resolv.conf").read_text() != inside
    assert (await rig.get("/"))[0] == 200
    forwarder = named(proc.descendants(keeper_of(rig)), "vce-forwarder")
    os.kill(forwarder, signal.SIGKILL)
    await until(lambda: gone(forwarder))
    assert (await rig.get("/"))[0] == 200
    await rig.stop()

"""From a click to ready: our services against the same programs started by hand, side by side.

Run with ``python -m benchmarks.ready [ROUNDS]``. Each round does one after the other, so that a
machine that gets slower or faster in between does so for both. Figures are medians, in seconds.
"""

from __future__ import annotations

import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ou_vce_ext.drivers.base import scrubbed_environment
from tests.free_ports import free_port
from tests.integration.jupyter_rig import Jupyter, jupyter, wait

QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
OFF = "\n".join(
    f"[services.{name}]\nautostart = false" for name in ("postgres", "mongo", "openrefine")
)


def timed(work: Callable[[], object]) -> float:
    """Seconds that ``work`` takes."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


def click(server: Jupyter, name: str) -> float:
    """Seconds from the request to start a service until REST says that it is ready."""
    began = time.monotonic()
    operation = server.api("POST", f"services/{name}/start")
    done = server.finish(operation)
    if done["state"] != "succeeded":
        raise SystemExit(f"{name} did not start: {done['error']}")
    return time.monotonic() - began


def stop(server: Jupyter, name: str) -> None:
    """Stop a service and wait for it."""
    server.finish(server.api("POST", f"services/{name}/stop"))


# -- PostgreSQL ----------------------------------------------------------------------------------


def postgres_programs() -> Path:
    """The folder of the server that our own driver would take."""
    from ou_vce_ext.drivers.postgres.programs import find_servers

    return Path(find_servers()[0].folder)


def unprivileged() -> list[str]:
    """What goes before a command that refuses root."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def postgres_by_hand(folder: Path, port: int, first: bool) -> float:
    """initdb and createdb (the first time), start, a query: as the manual says to do it."""
    programs = postgres_programs()
    data = folder / "data"
    env = scrubbed_environment({"PGPORT": str(port), "PGHOST": str(folder)})

    def run(*command: str) -> None:
        whole = [*unprivileged(), str(programs / command[0]), *command[1:]]
        subprocess.run(whole, check=True, env=env, cwd="/", **QUIET)  # type: ignore[call-overload]

    def start() -> None:
        if first:
            run("initdb", "-D", str(data), "-U", "student", "-A", "trust", "-k")
        options = f"-k {folder} -p {port} -c listen_addresses=127.0.0.1"
        run("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
        if first:
            run("createdb", "-U", "student", "student")
        run("psql", "-U", "student", "-c", "select 1", "student")

    try:
        return timed(start)
    finally:
        run("pg_ctl", "-D", str(data), "-w", "-m", "fast", "stop")


# -- MongoDB -------------------------------------------------------------------------------------


def mongo_by_hand(folder: Path, port: int) -> float:
    """Start mongod, without password or replica set, and ping it."""
    import pymongo
    from pymongo.errors import PyMongoError

    from ou_vce_ext.drivers.mongo.programs import find_mongods

    (folder / "data").mkdir(exist_ok=True)
    command = [
        str(find_mongods()[0].path),
        "--dbpath",
        str(folder / "data"),
        "--port",
        str(port),
    ]
    command += ["--bind_ip", "127.0.0.1", "--unixSocketPrefix", str(folder)]
    process = None

    def start() -> None:
        nonlocal process
        process = subprocess.Popen(command, **QUIET)  # type: ignore[call-overload]
        client: pymongo.MongoClient[dict[str, object]]
        with pymongo.MongoClient("127.0.0.1", port, serverSelectionTimeoutMS=30) as client:
            while True:
                with suppress(PyMongoError):
                    client.admin.command("ping")
                    return

    try:
        return timed(start)
    finally:
        assert process
        process.terminate()
        process.wait()


# -- OpenRefine ----------------------------------------------------------------------------------


def answers(url: str, host: str = "") -> bool:
    """Whether a page is there."""
    request = urllib.request.Request(url, headers={"Host": host} if host else {})
    with suppress(OSError), urllib.request.urlopen(request, timeout=60) as response:
        return bool(response.status == 200 and response.read())
    return False


def refine_command(folder: Path, port: str) -> list[str]:
    """The launcher of the installed OpenRefine, as it is typed by hand."""
    command = ["/usr/share/openrefine/refine", "-i", "127.0.0.1", "-p", port]
    return [*command, "-d", str(folder), "-x", "refine.headless=true"]


def openrefine_by_hand(folder: Path, port: int) -> float:
    """Start OpenRefine's own launcher and ask for its version until it answers."""
    process = None

    def start() -> None:
        nonlocal process
        process = subprocess.Popen(
            refine_command(folder, str(port)),
            cwd="/usr/share/openrefine",
            start_new_session=True,
            **QUIET,  # type: ignore[call-overload]
        )
        url = f"http://127.0.0.1:{port}/command/core/get-version"
        wait(lambda: answers(url), 60)

    try:
        return timed(start)
    finally:
        assert process
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


@contextmanager
def proxied_by_jsp(home: Path) -> Iterator[Callable[[], float] | None]:
    """The same launcher as an entry of jupyter-server-proxy: seconds from the click to the page."""
    try:
        import jupyter_server_proxy  # noqa: F401
    except ImportError:
        yield None
        return
    data = home / "projects"
    data.mkdir(parents=True)
    # OpenRefine refuses a Host that is not its own, so users of this proxy pass -H '*'.
    entry = {"command": [*refine_command(data, "{port}"), "-H", "*"], "timeout": 60}
    arguments = (f"--ServerProxy.servers={ {'openrefine': entry}!r}",)
    other = "jupyter_server_proxy"
    with jupyter(home, toml=OFF, arguments=arguments, extension=other) as server:

        def open_page() -> float:
            def page() -> None:
                wait(lambda: server.request("GET", "openrefine/")[0] == 200, 60)

            return timed(page)

        yield open_page


# -- the table -----------------------------------------------------------------------------------


class Table:
    """Rows of paired measurements."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[list[float], list[float]]] = {}

    def add(self, row: str, ours: float, other: float) -> None:
        """One more pair."""
        pair = self.rows.setdefault(row, ([], []))
        pair[0].append(ours)
        pair[1].append(other)
        print(f"  {row}: {ours:.3f} against {other:.3f}", file=sys.stderr, flush=True)

    def print(self) -> None:
        """Medians, and the median of the ratios pair by pair."""
        print("| | ours | other | ratio | rounds |\n| --- | --- | --- | --- | --- |")
        for row, (ours, others) in self.rows.items():
            ratio = statistics.median(a / b for a, b in zip(ours, others, strict=True))
            print(
                f"| {row} | {statistics.median(ours):.3f} | {statistics.median(others):.3f} "
                f"| {ratio:.2f} | {len(ours)} |"
            )


def folder_for_all(parent: Path, name: str) -> Path:
    """A new folder that an unprivileged user may use."""
    made = parent / name
    made.mkdir()
    if os.geteuid() == 0:
        os.chown(made, 65534, 65534)
    return made


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    table = Table()
    scratch = Path(tempfile.mkdtemp(prefix="vce-bench-"))
    scratch.chmod(0o755)
    light = OFF + '\nprofile = "light"\n'
    try:
        for number in range(rounds):
            with jupyter(scratch / f"first{number}", toml=OFF) as server:
                hand = postgres_by_hand(folder_for_all(scratch, f"pg{number}"), free_port(), True)
                table.add("PostgreSQL, first ever / by hand", click(server, "postgres"), hand)
        with jupyter(scratch / "home", toml=OFF) as server:
            for name in ("postgres", "mongo", "openrefine"):
                click(server, name)
                stop(server, name)
            mongo_by_hand(folder_for_all(scratch, "mongo"), free_port())
            for _ in range(rounds):
                hand = postgres_by_hand(scratch / "pg0", free_port(), False)
                table.add("PostgreSQL, again / by hand", click(server, "postgres"), hand)
                stop(server, "postgres")
                hand = mongo_by_hand(scratch / "mongo", free_port())
                table.add("MongoDB, again / by hand", click(server, "mongo"), hand)
                stop(server, "mongo")
            for number in range(rounds):
                projects = scratch / f"refine{number}"
                projects.mkdir()
                hand = openrefine_by_hand(projects, free_port())
                table.add("OpenRefine / by hand", click(server, "openrefine"), hand)
                stop(server, "openrefine")
                with proxied_by_jsp(scratch / f"jsp{number}") as open_page:
                    if open_page:
                        ours = table.rows["OpenRefine / by hand"][0][-1]
                        table.add("OpenRefine / jupyter-server-proxy", ours, open_page())
        with jupyter(scratch / "light", toml=light) as server:
            click(server, "openrefine")
            stop(server, "openrefine")
            for number in range(rounds):
                hand = openrefine_by_hand(scratch / f"refine{number}", free_port())
                table.add("OpenRefine, light profile / by hand", click(server, "openrefine"), hand)
                stop(server, "openrefine")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    table.print()


if __name__ == "__main__":
    main()

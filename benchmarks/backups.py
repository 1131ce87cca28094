"""Backups of a large PostgreSQL and a large MongoDB, against the plainest copy there is.

Run with ``python -m benchmarks.backups [--megabytes 500] [--rounds 3] [--only KIND] [--print]``. In
one run on one machine: pg_dump alone (the same format) against our backup, and a plain copy of all
BSON to a file against ours; how far Jupyter's memory went up meanwhile; and how long a proof and a
restore took. The table goes into docs/backups.md too, unless ``--print`` leaves that alone.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ou_vce_ext.drivers.postgres.programs import find_servers
from tests.faults.backup_data import MongoData
from tests.faults.homes import database, only
from tests.faults.report import machine, put_into
from tests.integration.jupyter_rig import REPOSITORY, Jupyter, jupyter

from .proxy import Memory

BEGIN, END = "<!-- benchmark: begin -->", "<!-- benchmark: end -->"
ROW = 1_000
"""Bytes of a row or document, about, that a compression makes half as large."""
BATCH = 2_000


def fill_postgres(server: Jupyter, megabytes: int) -> None:
    """A table of so many MB, with a key and words that repeat as words do."""
    rows = megabytes * 1_000_000 // ROW
    with database(server.service("postgres")) as connection:
        connection.execute(
            "CREATE TABLE large AS SELECT n AS id, now() AS at, (SELECT string_agg("
            "md5(n::text || i::text), ' the same words ') FROM generate_series(1, 20) i) AS words "
            f"FROM generate_series(1, {rows}) n"
        )
        connection.execute("ALTER TABLE large ADD PRIMARY KEY (id)")


def fill_mongo(server: Jupyter, megabytes: int) -> None:
    """A collection of so many MB, with an index."""
    with MongoData().client(server) as client:
        for start in range(0, megabytes * 1_000_000 // ROW, BATCH):
            client.work.large.insert_many(
                [
                    {
                        "n": n,
                        "words": " the same words ".join(os.urandom(16).hex() for _ in "x" * 20),
                    }
                    for n in range(start, start + BATCH)
                ]
            )
        client.work.large.create_index("n")


def pg_dump(server: Jupyter, folder: Path) -> float:
    """Seconds of pg_dump alone, in the format a backup holds."""
    told = server.service("postgres")["connection"]
    [version] = (Path(server.service("postgres")["data_dir"]) / "PG_VERSION").read_text().split()
    program = next(each for each in find_servers(None) if str(each.major) == version)
    target = folder / "plain.dump"
    command = [
        *(program.tool("pg_dump"), "--format=custom", f"--file={target}"),
        *("-h", told["host"], "-p", str(told["port"]), "-U", told["user"], told["database"]),
    ]
    environment = {"PATH": os.environ["PATH"], "PGPASSFILE": told["password_file"]}
    began = time.perf_counter()
    subprocess.run(command, check=True, env=environment)
    seconds = time.perf_counter() - began
    target.unlink()
    return seconds


def copy_bson(server: Jupyter, folder: Path) -> float:
    """Seconds to write all documents as they are to a file that lasts, in the quickest plain way.

    Over the server's own socket, a thousand documents (1 MB) at a time, each batch sent before it
    is asked for. Batches as large as a server makes them, and documents one by one, take longer.
    """
    from pymongo import CursorType, MongoClient

    told = server.service("mongo")["connection"]
    target = folder / "plain.bson"
    began = time.perf_counter()
    client: MongoClient[Any] = MongoClient(
        f"mongodb://{quote(told['socket'], safe='')}/",
        username=told["user"],
        password=Path(told["password_file"]).read_text().strip(),
        directConnection=True,
    )
    with client, target.open("wb", buffering=0) as file:
        # A batch is bytes, whatever the type of the cursor says.
        batches: Any = client.work.large.find_raw_batches(
            batch_size=1000, cursor_type=CursorType.EXHAUST
        )
        for batch in batches:
            file.write(batch)
        os.fsync(file.fileno())
    seconds = time.perf_counter() - began
    target.unlink()
    return seconds


class Run:
    """What one kind of database gave."""

    def __init__(self, kind: str, title: str) -> None:
        self.kind = kind
        self.title = title
        self.plain: list[float] = []
        self.ours: list[float] = []
        self.growth = 0.0
        self.bytes = 0
        self.proof = self.restore = 0.0

    def row(self) -> str:
        """A line of the table."""
        plain, ours = statistics.median(self.plain), statistics.median(self.ours)
        return (
            f"| {self.title} | {plain:.1f} | {ours:.1f} | {ours / plain:.2f} "
            f"| {self.bytes / 1e6:.0f} | {self.growth:.0f} "
            f"| {self.proof:.1f} | {self.restore:.1f} |"
        )


def done(server: Jupyter, path: str, body: dict[str, Any] | None = None) -> tuple[float, Any]:
    """Seconds of an operation, and its result."""
    began = time.perf_counter()
    over = server.finish(server.api("POST", path, body), 1800)
    assert over["state"] == "succeeded", over
    return time.perf_counter() - began, over["result"]


def measure(
    server: Jupyter, run: Run, plain: Callable[[Jupyter, Path], float], rounds: int, folder: Path
) -> None:
    """Back up by turns, the plain way and ours; then prove, and restore."""
    made: Any = None
    for number in range(rounds):
        for way in (0, 1) if number % 2 else (1, 0):
            if way == 0:
                run.plain.append(plain(server, folder))
                continue
            with Memory(server.process.pid) as memory:
                seconds, made = done(server, f"services/{run.kind}/backups")
            run.ours.append(seconds)
            run.growth = max(run.growth, memory.growth)
    run.bytes = made["bytes"]
    with Memory(server.process.pid) as memory:
        run.proof, _ = done(server, f"backups/{made['id']}/verify")
        run.restore, _ = done(server, f"backups/{made['id']}/restore", {})
    run.growth = max(run.growth, memory.growth)


def main() -> None:
    """Run it, each database in a home of its own."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backups", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--print", action="store_true", help="leave the documentation alone")
    parser.add_argument("--only", choices=("postgres", "mongo"), help="one kind; implies --print")
    asked = parser.parse_args()
    size = f"{asked.megabytes} MB"
    told = [
        f"| {size} | plain, s | ours, s | ratio | file, MB | memory, MB | proof, s | restore, s |",
        "| --- | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for run, fill, plain in (
        (Run("postgres", "PostgreSQL, against pg_dump"), fill_postgres, pg_dump),
        (Run("mongo", "MongoDB, against a copy of its BSON"), fill_mongo, copy_bson),
    ):
        if asked.only not in (None, run.kind):
            continue
        with tempfile.TemporaryDirectory(prefix="vce-") as folder:
            home = Path(folder)
            home.chmod(0o755)
            toml = only(run.kind) + f"[services.{run.kind}]\nbackup = {{ verify = false }}\n"
            with jupyter(home / "home", toml=toml) as server:
                server.wait_state(run.kind, "ready", seconds=120)
                fill(server, asked.megabytes)
                measure(server, run, plain, asked.rounds, home)
        told.append(run.row())
        print(told[-1], flush=True)
    told += [
        "",
        (
            f"Medians of {asked.rounds} by turns. {machine()}. A restore takes and proves a "
            "safety copy first; memory is how far Jupyter's own went up."
        ),
    ]
    print("\n".join(told))
    if not asked.print and not asked.only:
        put_into(REPOSITORY / "docs" / "backups.md", "\n".join(told), BEGIN, END)


if __name__ == "__main__":
    main()

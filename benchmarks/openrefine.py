"""OpenRefine with a large CSV, through the proxy and direct: what is exported is the same.

Run with ``python -m benchmarks.openrefine [--megabytes 300] [--print]``. Uploads the same file
both ways into one OpenRefine, exports every row both ways, compares the bytes, and prints seconds,
the ratio, and how far Jupyter's memory went up. All of it goes into docs/proxy.md too, unless
``--print`` leaves that alone.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import aiohttp

from tests.faults.report import machine, put_into
from tests.integration.jupyter_rig import Jupyter, jupyter

from .proxy import PAGE, Memory, log_in

BEGIN, END = "<!-- openrefine: begin -->", "<!-- openrefine: end -->"

BOUNDARY = "a-boundary-that-no-row-holds"
PIECE = 1 << 20
ROW = "{0},town {0},{1:.6f},some words that are the same in every row to make it longer\n"
DECLARATION = """
[services.postgres]
enabled = false
[services.mongo]
enabled = false
[services.openrefine]
memory = "6G"
private = false
"""


class Way(NamedTuple):
    """How OpenRefine is reached: an address without its last slash, and a browser's cookies."""

    name: str
    origin: str
    headers: dict[str, str]


def make_csv(path: Path, size: int) -> int:
    """Write rows until the file has ``size`` bytes; how many there are."""
    rows = 0
    with path.open("w", encoding="utf-8") as file:
        file.write("id,town,share,words\n")
        while file.tell() < size:
            block = range(rows, rows + 20_000)
            file.write("".join(ROW.format(row, row * 0.37 % 1) for row in block))
            rows += 20_000
    return rows


async def form(path: Path, name: str) -> AsyncIterator[bytes]:
    """A browser's form with the file in it, a piece at a time."""
    field = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="project-name"\r\n\r\n{name}\r\n'
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="project-file"; '
        'filename="data.csv"\r\nContent-Type: text/csv\r\n\r\n'
    )
    yield (field + head).encode()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece
    yield f"\r\n--{BOUNDARY}--\r\n".encode()


async def upload(session: aiohttp.ClientSession, way: Way, path: Path) -> tuple[float, str]:
    """Seconds until OpenRefine has made a project of the file, and the project's number."""
    async with session.get(f"{way.origin}/command/core/get-csrf-token", headers=way.headers) as got:
        token = (await got.json(content_type=None))["token"]
    address = f"{way.origin}/command/core/create-project-from-upload"
    headers = {**way.headers, "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    began = time.perf_counter()
    async with session.post(
        address,
        params={"csrf_token": token},
        data=form(path, way.name),
        headers=headers,
        allow_redirects=False,
    ) as answer:
        place = answer.headers.get("Location", "")
        assert "project=" in place, f"{answer.status}: {await answer.text()}"
    return time.perf_counter() - began, place.rpartition("project=")[2]


async def export(session: aiohttp.ClientSession, way: Way, project: str) -> tuple[float, str, int]:
    """Seconds for every row as CSV, the digest of what came, and its bytes."""
    began, digest, size = time.perf_counter(), hashlib.sha256(), 0
    engine = json.dumps({"facets": [], "mode": "row-based"})
    async with session.post(
        f"{way.origin}/command/core/export-rows/rows.csv",
        data={"project": project, "format": "csv", "engine": engine},
        headers=way.headers,
    ) as answer:
        assert answer.status == 200, await answer.text()
        async for piece in answer.content.iter_chunked(PIECE):
            digest.update(piece)
            size += len(piece)
    return time.perf_counter() - began, digest.hexdigest(), size


async def both_ways(server: Jupyter, path: Path, rows: int) -> list[str]:
    """Do all, and tell it in lines of Markdown."""
    kept = server.log.parent / ".local/share/jupyter/vce/ports.json"
    port = json.loads(kept.read_text())["ports"]["openrefine"]
    cookies = {"Cookie": log_in(server), "Sec-Fetch-Site": "same-origin"}
    # What Java has not yet made quick is for the proxied one to bear.
    ways = (
        Way("proxied", f"{server.url}vce/app/openrefine", cookies),
        Way("direct", f"http://127.0.0.1:{port}", {}),
    )
    took: dict[tuple[str, str], float] = {}
    digests = set()
    timeout = aiohttp.ClientTimeout(total=1200)
    async with aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session:
        with Memory(server.process.pid) as memory:
            for way in ways:
                took["upload", way.name], project = await upload(session, way, path)
                for each in ways:
                    seconds, digest, size = await export(session, each, project)
                    took[f"export of the {way.name} upload", each.name] = seconds
                    digests.add((digest, size))
    assert len(digests) == 1, f"what is exported differs: {digests}"
    size = next(iter(digests))[1]
    file = f"a CSV of {path.stat().st_size / 1e6:.0f} MB"
    told = [
        f"| OpenRefine, {file} | direct, s | proxied, s | ratio |",
        "| --- | --: | --: | --: |",
    ]
    for what in dict.fromkeys(what for what, _ in took):
        direct, proxied = took[what, "direct"], took[what, "proxied"]
        told.append(f"| {what} | {direct:.1f} | {proxied:.1f} | {proxied / direct:.2f} |")
    equal = f"{rows} rows; each export has {size / 1e6:.0f} MB, and all are equal byte for byte."
    return [*told, "", f"{equal} Jupyter's memory went up by {memory.growth:.0f} MB."]


def main() -> None:
    """Run it in a home of its own."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.openrefine", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=300)
    parser.add_argument("--print", action="store_true", help="leave the documentation alone")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vce-") as folder:
        home = Path(folder)
        path = home / "data.csv"
        rows = make_csv(path, asked.megabytes * 1_000_000)
        with jupyter(home / "home", toml=DECLARATION) as server:
            server.finish(server.api("POST", "services/openrefine/start"))
            server.wait_state("openrefine", "ready")
            told = asyncio.run(both_ways(server, path, rows))
    print("\n".join(told))
    if not asked.print:
        put_into(PAGE, "\n".join([*told, "", f"Taken on {machine()}.", ""]), BEGIN, END)


if __name__ == "__main__":
    main()

"""Two desktops of whoever runs this: ``python -m tests.integration.desktop_stay``.

Says where they are, in JSON; is told where somebody else's are, and says which it could reach;
at the next line it stops its own, and says what is left of them.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from ou_vce_ext.drivers.desktop.x11 import Windows
from tests.faults.bench import Bench
from tests.faults.desktops import files_of


def tell(found: object) -> None:
    """One line for whoever started us."""
    sys.stdout.write(f"{json.dumps(found)}\n")
    sys.stdout.flush()


def reached(theirs: list[list[str]]) -> list[str]:
    """What of somebody else's desktops is open to us."""
    found = []
    for lock, _, viewers in theirs:
        number, server = int(Path(lock).name[2:].partition("-")[0]), int(Path(lock).read_text())
        try:
            Windows(number, b"no cookie at all", server).close()
            found.append(f"display {number}")
        except ConnectionRefusedError:
            pass
        found += [path for path in (viewers, str(Path(viewers).parent)) if os.access(path, os.R_OK)]
    return found


async def main() -> None:
    """See above."""
    bench = Bench()
    services = []
    for number in range(2):
        folder = bench.root / str(number)
        folder.mkdir()
        command = ("xclock", "-update", "1")
        services.append(bench.service("desktop", folder, bench.mark(number), command=command))
    await asyncio.gather(*(service.start() for service in services))
    files = [files_of(service) for service in services]
    tell(files)
    tell(reached(json.loads(await asyncio.to_thread(sys.stdin.readline))))
    await asyncio.to_thread(sys.stdin.readline)
    for service in services:
        await service.close()
    tell([path for paths in files for path in paths if os.path.lexists(path)])
    said = await bench.aclose()
    assert not said, said


if __name__ == "__main__":
    asyncio.run(main())

"""A browser's tab that shows a desktop, to be killed: ``python -m tests.faults.desktop_tab URL``.

``URL`` is the server's, below which the service ``desktop`` is. Says ``shown`` at each picture.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.integration.jupyter_rig import Jupyter
from tests.integration.rfb_viewer import viewer

from .promises import expect

NAME = "desktop"


@contextmanager
def tab(server: Jupyter) -> Iterator[subprocess.Popen[str]]:
    """A tab that has shown one picture and asks for the next, killed at the end."""
    command = [sys.executable, "-m", "tests.faults.desktop_tab", server.url]
    # What it says when Jupyter is gone is no news.
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=quiet, text=True) as process:
        try:
            assert process.stdout
            expect(process.stdout.readline() == "shown\n", "a tab was shown no picture")
            yield process
        finally:
            process.kill()


async def look(server: Jupyter, *, times: int) -> None:
    """Look at so many pictures."""
    async with viewer(server, NAME) as seen:
        for _ in range(times):
            await seen.ask()
            await seen.picture()
            sys.stdout.write("shown\n")
            sys.stdout.flush()


if __name__ == "__main__":
    # Only its address is needed.
    there = Jupyter(None, sys.argv[1], Path())  # type: ignore[arg-type]
    asyncio.run(look(there, times=1_000_000))

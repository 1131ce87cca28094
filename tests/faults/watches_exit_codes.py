"""A server extension that has children of its own, as kernels and other extensions do.

It starts programs all the time and notes how they ended, in the file that EXIT_CODES names: two
numbers, how many there were and how many of them were told a wrong exit code.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from itertools import count
from pathlib import Path
from typing import Any

tasks: list[asyncio.Task[None]] = []


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "tests.faults.watches_exit_codes"}]


def _load_jupyter_server_extension(app: Any) -> None:
    """Nothing yet."""


async def _start_jupyter_server_extension(app: Any) -> None:
    tasks.append(asyncio.get_running_loop().create_task(watch(Path(os.environ["EXIT_CODES"]))))


async def watch(file: Path) -> None:
    """Begin two children at a time, one of each kind, for ever."""
    wrong = 0
    for number in count():
        code = number % 250
        awaited = await asyncio.create_subprocess_exec("sh", "-c", f"exit {code}")
        waited = subprocess.Popen(["sh", "-c", f"exit {code}"])
        wrong += await awaited.wait() != code
        wrong += await asyncio.to_thread(waited.wait) != code
        made = file.with_suffix(".new")
        made.write_text(f"{2 * (number + 1)} {wrong}")
        made.rename(file)
        await asyncio.sleep(0.1)

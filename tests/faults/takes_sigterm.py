"""A server extension that puts a handler of its own in the place of everybody's for SIGTERM."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "tests.faults.takes_sigterm"}]


async def _start_jupyter_server_extension(app: Any) -> None:
    """After the others have started, as an extension does that starts a program when asked."""
    asyncio.get_running_loop().call_later(
        0.2, signal.signal, signal.SIGTERM, lambda *_: sys.exit(0)
    )


def _load_jupyter_server_extension(app: Any) -> None:
    """Nothing yet."""

"""Short-lived tools (initdb, pg_dump …), run under a keeper like everything else we start."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from ..launch import Identity, Launcher, LaunchPlan, StopStep, ToolResult

_TAIL = 20_000


async def run_tool(
    launcher: Launcher,
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: str,
    output: Path,
    identity: Identity | None = None,
    timeout: float = 300.0,
    nice: int = 0,
) -> ToolResult:
    """Run a tool to its end; what it prints goes to ``output`` (bounded, started afresh).

    ``timeout`` in seconds, after which it is stopped and TimeoutError raised. A cancelled caller,
    or a Jupyter that dies, ends the tool with everything it started.
    """
    with suppress(OSError):
        output.unlink(missing_ok=True)
    plan = LaunchPlan(
        argv=tuple(argv),
        env=env,
        cwd=cwd,
        output=output,
        identity=identity or Identity(),
        stop=(StopStep("SIGTERM", 5.0, "tree"),),
        nice=nice,
    )
    launching = asyncio.ensure_future(launcher.launch(plan))
    try:
        process = await asyncio.shield(launching)
    except asyncio.CancelledError:
        # It is on its way: whoever is cancelled now must not leave it behind.
        await asyncio.wait({launching})
        if not launching.cancelled() and not launching.exception():
            await asyncio.shield(launching.result().stop())
        raise
    try:
        async with asyncio.timeout(timeout):
            ending = await process.down()
    except BaseException:
        await asyncio.shield(process.stop())
        raise
    return ToolResult(ending, tail(output))


def tail(path: Path, limit: int = _TAIL) -> str:
    """The last ``limit`` bytes of a text file, decoded with replacement; empty if none."""
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - limit))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""

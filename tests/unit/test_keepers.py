"""What a keeper said is heard, in whatever order its news comes."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from ou_vce_ext.launch import Ending, LaunchPlan
from ou_vce_ext.services.kept_process import KeptProcess

PLAN = LaunchPlan(("true",), {}, "/", Path("/nonexistent/log"))


async def test_the_parent_is_quicker_to_say_that_a_keeper_is_gone() -> None:
    mine, theirs = socket.socketpair()
    process = KeptProcess(mine, 1, PLAN)
    for event in (
        {"event": "exit", "code": 0, "signal": None, "asked": False, "starved": None},
        {"event": "down"},
    ):
        theirs.send(json.dumps(event).encode() + b"\n")
    theirs.close()
    process.gone()
    assert await process.down() == Ending(exit_code=0)
    assert process.told_down


async def test_a_keeper_that_was_killed_has_said_nothing() -> None:
    mine, theirs = socket.socketpair()
    process = KeptProcess(mine, 1, PLAN)
    theirs.close()
    process.gone()
    assert await process.down() == Ending(keeper_lost=True)


async def test_a_line_that_is_still_held_by_somebody_is_not_waited_for() -> None:
    mine, theirs = socket.socketpair()
    process = KeptProcess(mine, 1, PLAN)
    process.gone()
    assert await process.down() == Ending(keeper_lost=True)
    theirs.close()
    process.close()

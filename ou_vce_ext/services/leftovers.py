"""What to do about a data folder that is locked: wait for an ending run, or say who holds it."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Mapping
from contextlib import suppress
from enum import Enum
from typing import Any

from ..errors import DefiniteError
from ..models import Json
from ..sentences import say
from . import proc


class Holding(Enum):
    """Why a lock may still be held."""

    ENDING = "ending"
    """A run of an earlier Jupyter, or of a killed keeper of ours, is still saving."""
    ORPHANED = "orphaned"
    """Its keeper is gone and nobody ends it: it has now been asked to end."""


def lock_note(root_dir: str) -> dict[str, Json]:
    """What a lock says of this Jupyter."""
    return {
        "host": socket.gethostname(),
        "jupyter": os.getpid(),
        "jupyter_start_time": proc.start_time(os.getpid()),
        "root_dir": root_dir,
    }


def judge(holder: Mapping[str, Any]) -> Holding:
    """Decide about a held lock; raises DefiniteError when somebody else really is using the data.

    An orphaned run (its keeper and its Jupyter were both killed) is told to end here, once asked
    for each time we look: signals it has already had do no harm.
    """
    host = holder.get("host")
    if host and host != socket.gethostname():
        raise DefiniteError(
            "data-in-use",
            say("The data is in use by JupyterLab on another machine ({host}).", host=host),
            say("Close JupyterLab there, then start this again. Nothing has been touched."),
        )
    if holder.get("boot_id") == proc.boot_id():
        jupyter = holder.get("jupyter")
        mine = jupyter == os.getpid()
        if jupyter and not mine and proc.is_alive(jupyter, holder.get("jupyter_start_time")):
            raise DefiniteError(
                "data-in-use",
                say(
                    "The data is in use by another JupyterLab of yours (process {pid}, folder "
                    "{folder}).",
                    pid=jupyter,
                    folder=holder.get("root_dir") or say("unknown"),
                ),
                say("Use that one, or close it and start this again. Nothing has been touched."),
            )
        keeper = holder.get("keeper")
        if keeper and proc.is_alive(keeper, holder.get("keeper_start_time")):
            return Holding.ENDING
        main = holder.get("pid")
        if main and proc.is_alive(main, holder.get("start_time")):
            with suppress(OSError):
                os.kill(main, signal.SIGTERM)
    return Holding.ORPHANED

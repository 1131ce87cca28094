"""How a session ended, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...launch import Ending
from ...models import ServiceError
from ...sentences import say
from .closing import OPEN

_SAFE: Final = say("What had been saved in it is safe; what had not is lost.")


def farewell(title: str, ending: Ending, note: Mapping[str, Any]) -> ServiceError | None:
    """What is said of a program that was closed in good order; None where it was not.

    One that ended before it had shown a window was not closed by anybody.
    """
    told = note.get("end") or {}
    asked = (note.get("closing") or {}).get("stands") in OPEN
    # One that was asked to close may end with any code: it has done as it was asked.
    well = told.get("what") == "program" and (told.get("code") == 0 or asked)
    if ending.exit_code != 0 or not well or not note.get("window"):
        return None
    return ServiceError(
        "closed",
        say("{title} has been closed from within, so its session has ended.", title=title),
        say("Start it again whenever you like. What was saved is in its folder."),
        exit_code=0,
    )


def explain_ending(title: str, ending: Ending, note: Mapping[str, Any]) -> ServiceError | None:
    """Why a session ended that was not told to; None where the usual words will do."""
    told = note.get("end") or {}
    if ending.keeper_lost or ending.starved:
        return None
    if told.get("what") == "display":
        how = told.get("signal") or say("exit code {code}", code=told.get("code"))
        if note.get("program"):
            return ServiceError(
                "display-lost",
                say(
                    "The display that {title} was shown on has ended ({how}), and {title} with it. "
                    "{safe}",
                    title=title,
                    how=how,
                    safe=_SAFE,
                ),
                say(
                    "If it keeps happening, the computer may be short of memory: stop what you do "
                    "not use."
                ),
                exit_code=ending.exit_code,
                signal=ending.signal,
            )
        return ServiceError(
            "display-failed",
            say("No display could be opened for {title} ({how}).", title=title, how=how),
            say(
                "The last lines of its log say why. Make sure that files can be made in /tmp "
                "and in /tmp/.X11-unix."
            ),
            exit_code=ending.exit_code,
            signal=ending.signal,
        )
    if told.get("what") == "program" and ending.exit_code == 0:
        return ServiceError(
            "died",
            say("{title} ended before it had opened a window.", title=title),
            say("The last lines of its log may say why; else check `command` in its declaration."),
            exit_code=0,
        )
    return None

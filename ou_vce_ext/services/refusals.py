"""Why a program could not be started at all, in words."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from typing import Any

from ..errors import DefiniteError, VceError
from ..launch import LaunchPlan
from ..oserrors import why
from ..sentences import say


def refusal(plan: LaunchPlan, told: Mapping[str, Any]) -> VceError:
    """Why a program could not be started at all, in words."""
    number = told.get("errno") or 0
    path = told.get("path") or plan.argv[0]
    program = plan.argv[0]
    if told["step"] == "exec" and number == errno.ENOENT:
        if path == plan.cwd or not os.path.isdir(plan.cwd):
            return DefiniteError(
                "data-missing",
                say("The folder {folder} does not exist.", folder=plan.cwd),
                say("Create the folder, or correct `cwd` in the service's declaration."),
            )
        return DefiniteError(
            "program-missing",
            say("The program {program} was not found.", program=program),
            say("Install it, or correct `command` in the service's declaration."),
        )
    if number in (errno.EACCES, errno.EPERM):
        return DefiniteError(
            "not-permitted",
            say(
                "{path} may not be used by the user this service runs as ({reason}).",
                path=path,
                reason=why(OSError(number, os.strerror(number))),
            ),
            say("Check who owns it and its permissions."),
        )
    if number in (errno.ENOSPC, errno.EDQUOT):
        return DefiniteError(
            "disk-full",
            say("There is no space left for {path}.", path=path),
            say("Free some space (delete large files you do not need), then start again."),
        )
    return DefiniteError(
        "command-failed",
        say(
            "{program} could not be started: {reason}.",
            program=program,
            reason=why(OSError(number, os.strerror(number))) if number else say("unknown reason"),
        ),
        say("Check the service's declaration and its log."),
    )

"""Why a web app ended, where that can be told: somebody else has its port."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Final

from ...launch import Ending
from ...models import ServiceError
from ...sentences import say
from ...services.ports import describe_port_owner, port_in_use_error, port_is_taken

_TOLD_LINES: Final = 20
_TAKEN: Final = re.compile(r"EADDRINUSE|[Aa]ddress (?:is )?already in use|[Pp]ort \d+ is in use")


def explain_ending(
    ending: Ending,
    lines: Sequence[str],
    title: str,
    port: int | None,
    *,
    declared: bool,
    taken_by: str | None,
) -> ServiceError | None:
    """Whether it ended for want of its port, ``declared`` or chosen by us; else None.

    ``taken_by`` is who was seen to have it, where somebody was; ``lines`` are what it printed.
    """
    told = tuple(lines[-_TOLD_LINES:])
    if not port or not (taken_by or any(map(_TAKEN.search, told))):
        return None
    if not declared:
        error = ServiceError(
            "port-in-use",
            say(
                "Port {port} was taken by {owner} just before {title} could have it.",
                port=port,
                owner=taken_by or describe_port_owner(port) or say("another program"),
                title=title,
            ),
            say("Another one is chosen at the next try; there is nothing to do."),
        )
    elif port_is_taken(port):
        taken = port_in_use_error(port, True)
        error = ServiceError(taken.code, taken.message, taken.hint)
    else:
        return None
    return dataclasses.replace(
        error, exit_code=ending.exit_code, signal=ending.signal, log_tail=told
    )

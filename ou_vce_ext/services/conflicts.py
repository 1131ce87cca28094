"""Why a service cannot be worked on just now, or not from here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..errors import ConflictError
from ..models import Capability, Operation
from ..sentences import Sentence, say
from .description import capabilities
from .lifecycle import Lifecycle

_DOING: Mapping[str, Callable[..., Sentence]] = {
    "start": lambda **of: say("{title} is starting just now (operation {id}).", **of),
    "stop": lambda **of: say("{title} is stopping just now (operation {id}).", **of),
    "restart": lambda **of: say("{title} is restarting just now (operation {id}).", **of),
    "reset": lambda **of: say("{title} is being reset just now (operation {id}).", **of),
    "backup": lambda **of: say("{title} is being backed up just now (operation {id}).", **of),
    "verify": lambda **of: say(
        "{title} is having a backup checked just now (operation {id}).", **of
    ),
    "restore": lambda **of: say("{title} is being restored just now (operation {id}).", **of),
}


def in_the_way(item: Lifecycle, working: Operation) -> ConflictError:
    """Say that ``working`` is in the way of other work on ``item``."""
    busy = _DOING.get(working.kind, _busy)
    return ConflictError(
        busy(title=item.spec.title, id=working.id),
        say("Wait until that has ended, then try again."),
    )


def require(item: Lifecycle, capability: Capability) -> None:
    """Raise ConflictError where a service cannot be started, or stopped, from here."""
    if capability in capabilities(item):
        return
    title = item.spec.title
    raise ConflictError(
        say("{title} is run outside JupyterLab and cannot be started from here.", title=title)
        if capability is Capability.START
        else say("{title} is run outside JupyterLab and cannot be stopped from here.", title=title),
        say("Ask whoever looks after it."),
        code="capability-missing",
    )


def _busy(**of: object) -> Sentence:
    return say("{title} is being worked on just now (operation {id}).", **of)

"""Why a service cannot be worked on just now, or not from here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..errors import ConflictError
from ..models import Capability, Operation
from ..sentences import Sentence, say
from .description import capabilities
from .lifecycle import Lifecycle

_DOING: Mapping[str, Callable[[str], Sentence]] = {
    "start": lambda title: say("{title} is starting just now.", title=title),
    "stop": lambda title: say("{title} is stopping just now.", title=title),
    "restart": lambda title: say("{title} is restarting just now.", title=title),
    "reset": lambda title: say("A reset of {title} is under way.", title=title),
    "backup": lambda title: say("A backup of {title} is under way.", title=title),
    "verify": lambda title: say("A backup of {title} is being checked.", title=title),
    "restore": lambda title: say("A restore of {title} is under way.", title=title),
}


def in_the_way(item: Lifecycle, working: Operation) -> ConflictError:
    """Say that ``working`` is in the way of other work on ``item``.

    Programs find its id in the service's ``operation``; it would tell a person nothing.
    """
    if working.waiting_for:
        return ConflictError(
            say("{title} waits for an answer before it closes.", title=item.spec.title),
            say("Answer it in its tab, or call the stop off; then try again."),
        )
    return ConflictError(
        _DOING.get(working.kind, _busy)(item.spec.title),
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


def _busy(title: str) -> Sentence:
    return say("{title} is being worked on just now.", title=title)

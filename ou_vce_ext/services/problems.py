"""What about services needs a person, in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ..models_status import Problem
from ..sentences import say
from ..states import RUNNING, ServiceState
from .lifecycle import Lifecycle

_WORST_FIRST: Final = (ServiceState.FAILED, ServiceState.BACKOFF, ServiceState.UNRESPONSIVE)


def problems_of(services: Iterable[Lifecycle]) -> list[Problem]:
    """Those that failed, worst first; then what running ones have to tell."""
    items = list(services)
    found = [
        Problem(item.spec.name, item.error.code, item.error.message, item.error.hint, item.since)
        for state in _WORST_FIRST
        for item in items
        if item.state is state and item.error
    ]
    for item in items:
        told = item.driver.notice() if item.state in RUNNING else None
        if told:
            found.append(Problem(item.spec.name, told.code, told.message, told.hint, item.since))
    found += [_cut_off(item) for item in items if item.state is ServiceState.READY and item.cut_off]
    return found


def _cut_off(item: Lifecycle) -> Problem:
    return Problem(
        item.spec.name,
        "cut-off",
        say(
            "{title} runs again. The time before, JupyterLab or this computer was cut off, "
            "and nobody could end it gently. {when_cut_off}",
            title=item.spec.title,
            when_cut_off=item.driver.when_cut_off,
        ),
        say(
            "Look whether your last work is there. This goes away when the service is "
            "stopped and started again."
        ),
        item.since,
    )


def short_of_time(services: Iterable[Lifecycle], grace: float) -> list[Problem]:
    """The running ones that need longer than ``grace`` seconds to save and stop."""
    return [
        Problem(
            item.spec.name,
            "grace-too-short",
            say(
                "When this server is ended from outside it is given {grace:.0f} s, and {title} "
                "needs about {seconds:.0f} s to save and stop. Work of the last half "
                "minute may be lost then.",
                grace=grace,
                title=item.spec.title,
                seconds=item.stop_seconds,
            ),
            say(
                "Stop {title} before you end the server. Whoever runs it can give it more time.",
                title=item.spec.title,
            ),
            item.since,
        )
        for item in services
        if item.state in RUNNING and not item.spec.external and item.stop_seconds > grace
    ]

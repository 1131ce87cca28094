"""When a backup is due, and when its absence is worth a warning."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from ..models import iso
from ..models_backup import Backup, Reason, Verified
from ..models_status import Problem
from ..sentences import say
from .policy import Policy

RETRY: Final = timedelta(hours=1)
"""After an automatic backup failed, the next is tried then."""
_OWN: Final = (Reason.MANUAL, Reason.SCHEDULED)


def newest_taken(backups: Iterable[Backup]) -> Backup | None:
    """The newest that somebody or the clock asked for, and that has not been found broken."""
    taken = [
        each for each in backups if each.reason in _OWN and each.verified is not Verified.FAILED
    ]
    return max(taken, key=lambda each: each.created, default=None)


def is_due(
    policy: Policy, newest: Backup | None, now: datetime, tried: datetime | None = None
) -> bool:
    """Whether one is to be taken now; ``tried`` is when that last failed. Missed ones are due.

    A clock that was set back makes nothing due, and nothing late.
    """
    if policy.every is None:
        return False
    if tried is not None and timedelta(0) <= now - tried < min(RETRY, policy.every):
        return False
    return newest is None or now - newest.created >= policy.every


def warning(
    service: str,
    title: str,
    policy: Policy,
    newest: Backup | None,
    changed: datetime | None,
    since: datetime,
) -> Problem | None:
    """Tell that changes of ``changed`` are in no backup for longer than was declared.

    ``since`` is when the data were first seen without one.
    """
    if policy.warn_after is None or changed is None:
        return None
    covered = newest.created if newest else since
    if changed - covered <= policy.warn_after:
        return None
    last = (
        say("The newest is of {day}.", day=(iso(newest.created) or "")[:10])
        if newest
        else say("There is none.")
    )
    return Problem(
        service,
        "backup-old",
        say("What was changed in {title} is in no backup. {last}", title=title, last=last),
        say("Back up {title}: it takes a moment, and it may run meanwhile.", title=title),
        covered,
    )

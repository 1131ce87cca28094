"""Which backups may go to make room, and which never do."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from ..models_backup import Backup, Reason, Verified
from .policy import Policy


def untouchable(backups: Iterable[Backup]) -> set[str]:
    """The ids of those of one service that no rule deletes.

    Pinned ones; what was brought from elsewhere; the newest that is proven, of each major release
    of the program, since another may not open data that are as old; and the newest safety copy,
    which is still the way to undo what was done after it.
    """
    newest_first = sorted(backups, key=lambda each: each.created, reverse=True)
    kept = {each.id for each in newest_first if each.pinned or each.reason is Reason.UPLOAD}
    proven = {
        _majors(each): each.id
        for each in reversed(newest_first)
        if each.verified is Verified.VERIFIED
    }
    undoing = [each.id for each in newest_first if each.reason is Reason.SAFETY]
    kept |= {*proven.values(), *undoing[:1]}
    # A new one is not proven yet, and an old one proven does not make it worth less.
    kept |= {each.id for each in newest_first[:1]}
    return kept


def _majors(backup: Backup) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, told.split(".")[0]) for name, told in backup.versions.items()))


def surplus(backups: Iterable[Backup], policy: Policy, now: datetime) -> list[Backup]:
    """The backups of one service that the rules let go, oldest first."""
    newest_first = sorted(backups, key=lambda each: each.created, reverse=True)
    kept = untouchable(newest_first)
    gone = []
    count = size = automatic = 0
    for each in newest_first:
        if each.reason is Reason.UPLOAD:
            continue
        automatic += each.reason is Reason.SCHEDULED
        unasked = each.reason is Reason.SCHEDULED and policy.automatic is not None
        count += 1
        size += each.bytes
        too_many = policy.keep is not None and count > policy.keep
        too_old = policy.days is not None and now - each.created > timedelta(days=policy.days)
        too_large = policy.size is not None and size > policy.size
        one_more = unasked and automatic > (policy.automatic or 0)
        if (too_many or too_old or too_large or one_more) and each.id not in kept:
            gone.append(each)
            count -= 1
            size -= each.bytes
            automatic -= each.reason is Reason.SCHEDULED
    return gone[::-1]

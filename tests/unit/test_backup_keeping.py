"""Which backups go, when one is due, and when its absence is told: by rules and clocks alone."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ou_vce_ext.backups.keeping import surplus, untouchable
from ou_vce_ext.backups.policy import KEPT, Policy
from ou_vce_ext.backups.schedule import RETRY, is_due, newest_taken, warning
from ou_vce_ext.models import ServiceSpec
from ou_vce_ext.models_backup import Backup, Consistency, Reason, Verified

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def backup(
    days: float,
    reason: Reason = Reason.MANUAL,
    verified: Verified = Verified.UNVERIFIED,
    *,
    size: int = 100,
    pinned: bool = False,
) -> Backup:
    """One that is ``days`` old."""
    return Backup(
        id=f"{reason}-{days}",
        service="thing",
        created=NOW - days * DAY,
        bytes=size,
        sha256="0" * 64,
        verified=verified,
        consistency=Consistency.SNAPSHOT,
        reason=reason,
        pinned=pinned,
        path="",
    )


def gone(backups: list[Backup], policy: Policy) -> list[str]:
    return [each.id for each in surplus(backups, policy, NOW)]


def test_the_oldest_go_first_until_few_enough_are_left() -> None:
    backups = [backup(days) for days in range(5)]
    assert gone(backups, Policy(keep=3)) == ["manual-4", "manual-3"]
    assert gone(backups, Policy(keep=5)) == []
    assert gone(backups, Policy()) == []


def test_days_and_sizes() -> None:
    backups = [backup(days, size=10) for days in range(5)]
    assert gone(backups, Policy(keep=None, days=2)) == ["manual-4", "manual-3"]
    assert gone(backups, Policy(keep=None, size=30)) == ["manual-4", "manual-3"]
    assert gone(backups, Policy(keep=None, size=5)) == [f"manual-{day}" for day in (4, 3, 2, 1)]


def test_some_never_go() -> None:
    proven = backup(7, verified=Verified.VERIFIED)
    older_proven = backup(8, verified=Verified.VERIFIED)
    undo, older_undo = backup(5, Reason.SAFETY), backup(6, Reason.SAFETY)
    pinned, brought, newest = backup(9, pinned=True), backup(10, Reason.UPLOAD), backup(1)
    everything = [proven, older_proven, undo, older_undo, pinned, brought, newest]
    assert gone(everything, Policy(keep=1, days=1, size=1)) == [older_proven.id, older_undo.id]


def test_whatever_the_rules_the_last_proof_and_the_last_undo_stay() -> None:
    rng = random.Random(4)
    for _ in range(300):
        backups = [
            backup(
                rng.random() * 100,
                rng.choice(list(Reason)),
                rng.choice(list(Verified)),
                size=rng.randrange(1000),
                pinned=rng.random() < 0.1,
            )
            for _ in range(rng.randrange(1, 30))
        ]
        policy = Policy(rng.choice([None, 1, 5]), rng.choice([None, 1, 30]), rng.choice([None, 1]))
        dropped = set(gone(backups, policy))
        left = [each for each in backups if each.id not in dropped]
        assert left
        assert not dropped & untouchable(backups)
        for is_it in (
            lambda each: each.verified is Verified.VERIFIED,
            lambda each: each.reason is Reason.SAFETY,
        ):
            assert any(map(is_it, left)) == any(map(is_it, backups))
        assert surplus(left, policy, NOW) == []


def test_a_declaration_is_read() -> None:
    assert Policy.of({}) == Policy(keep=KEPT)
    assert Policy.of({"keep_days": 30}).keep is None
    told = Policy.of({"keep": 3, "keep_size": "2K", "every": "12h", "warn_after": "1w"})
    assert (told.keep, told.size) == (3, 2048)
    assert (told.every, told.warn_after) == (DAY / 2, 7 * DAY)
    assert not Policy.of({"verify": False}).verify


def test_what_another_release_could_not_open_is_kept_by_itself() -> None:
    spec = ServiceSpec("postgres", "postgres", "PostgreSQL")
    policy = Policy.for_service(spec)
    assert (policy.unasked, policy.automatic, policy.keep) == (True, 1, KEPT)
    for other in (
        replace(spec, backup={"every": "never"}),
        replace(spec, external=True),
        replace(spec, kind="web"),
    ):
        assert Policy.for_service(other).every is None
    own = Policy.for_service(replace(spec, backup={"every": "1d"}))
    assert (own.every, own.unasked, own.automatic) == (DAY, False, None)
    backups = [
        backup(1, Reason.SCHEDULED),
        backup(2, Reason.SCHEDULED, Verified.VERIFIED),
        backup(3, Reason.SCHEDULED, Verified.VERIFIED),
        backup(4),
    ]
    assert gone(backups, policy) == [backups[2].id]
    proven = [replace(backups[0], verified=Verified.VERIFIED), *backups[1:]]
    assert gone(proven, policy) == [backups[2].id, backups[1].id]


def test_the_last_proven_one_of_each_release_stays() -> None:
    def made_by(release: str, days: int) -> Backup:
        made = backup(days, Reason.SCHEDULED, Verified.VERIFIED)
        return replace(made, versions={"PostgreSQL": release})

    backups = [made_by("18.0", 1), made_by("18.1", 2), made_by("15.4", 50), made_by("15.3", 51)]
    assert gone(backups, Policy(keep=1, days=1)) == [backups[3].id, backups[1].id]


@pytest.mark.parametrize(
    ("days", "tried", "due"),
    [
        (None, None, True),
        (0.9, None, False),
        (1.0, None, True),
        (30, None, True),
        (-5, None, False),
        (2, RETRY / 2, False),
        (2, RETRY, True),
        (2, -DAY, True),
    ],
)
def test_what_is_due(days: float | None, tried: timedelta | None, due: bool) -> None:
    newest = None if days is None else backup(days)
    at = None if tried is None else NOW - tried
    assert is_due(Policy(every=DAY), newest, NOW, at) is due
    assert not is_due(Policy(), newest, NOW, at)


def test_only_what_was_asked_for_and_holds_counts() -> None:
    good = backup(3, Reason.SCHEDULED)
    others = [backup(1, verified=Verified.FAILED), backup(2, Reason.SAFETY)]
    assert newest_taken([*others, good, backup(4)]) is good
    assert newest_taken(others) is None


def test_a_warning_when_changes_are_in_no_backup_for_too_long() -> None:
    policy = Policy(warn_after=7 * DAY)

    def told(newest: Backup | None, changed: datetime | None, since: datetime = NOW) -> bool:
        found = warning("thing", "Thing", policy, newest, changed, since)
        assert found is None or found.code == "backup-old"
        return found is not None

    assert told(backup(8), NOW)
    assert not told(backup(8), NOW - 2 * DAY)
    assert not told(backup(6), NOW)
    assert not told(backup(8), None)
    assert told(None, NOW, NOW - 8 * DAY)
    assert not told(None, NOW)
    assert warning("thing", "Thing", Policy(), backup(99), NOW, NOW) is None

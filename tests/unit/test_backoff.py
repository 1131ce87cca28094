"""When a service that died is started again."""

from __future__ import annotations

import random

import pytest

from ou_vce_ext.services.backoff import LONGEST_DELAY, RestartPolicy

from .fakes import FakeClock


def test_the_first_restart_is_at_once_then_the_waits_double() -> None:
    clock = FakeClock()
    policy = RestartPolicy(clock, random.Random(1))
    assert policy.died(0.0) == 0.0
    for expected in (0.1, 0.2, 0.4):
        delay = policy.died(0.0)
        assert delay is not None
        assert delay == pytest.approx(expected, rel=0.101)


def test_five_deaths_within_a_minute_are_enough() -> None:
    clock = FakeClock()
    policy = RestartPolicy(clock)
    delays = [policy.died(0.0) for _ in range(5)]
    assert delays[:4].count(None) == 0
    assert delays[4] is None


def test_slow_deaths_wait_longer_and_longer_up_to_the_cap() -> None:
    clock = FakeClock()
    policy = RestartPolicy(clock)
    delays = []
    for _ in range(14):
        clock.time += 20
        delays.append(policy.died(0.0))
    assert None not in delays
    assert max(delay or 0 for delay in delays) <= LONGEST_DELAY * 1.1
    assert (delays[-1] or 0) >= LONGEST_DELAY * 0.9


def test_a_minute_of_being_ready_wipes_the_slate() -> None:
    clock = FakeClock()
    policy = RestartPolicy(clock)
    for _ in range(4):
        policy.died(0.0)
    assert policy.died(60.0) == 0.0


def test_a_person_who_starts_it_wipes_the_slate_too() -> None:
    clock = FakeClock()
    policy = RestartPolicy(clock)
    for _ in range(4):
        policy.died(0.0)
    policy.reset()
    assert policy.died(0.0) == 0.0

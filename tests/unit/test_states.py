"""The table of moves, whole and closed."""

from __future__ import annotations

import itertools

import pytest

from ou_vce_ext.states import (
    AT_REST,
    RUNNING,
    TRANSITIONAL,
    TRANSITIONS,
    IllegalTransitionError,
    ServiceState,
    check_transition,
)


def test_every_state_has_its_row_and_a_way_out() -> None:
    assert set(TRANSITIONS) == set(ServiceState)
    assert all(TRANSITIONS[state] for state in ServiceState)


def test_every_state_leads_to_stopped_and_to_ready() -> None:
    for goal in (ServiceState.STOPPED, ServiceState.READY):
        for start in ServiceState:
            reached = {start}
            while True:
                further = reached | {new for old in reached for new in TRANSITIONS[old]}
                if further == reached:
                    break
                reached = further
            assert goal in reached


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pair
        for pair in itertools.product(ServiceState, ServiceState)
        if pair[1] not in TRANSITIONS[pair[0]]
    ],
)
def test_what_is_not_in_the_table_is_impossible(old: ServiceState, new: ServiceState) -> None:
    with pytest.raises(IllegalTransitionError):
        check_transition(old, new)


def test_only_a_start_makes_it_ready() -> None:
    before = {old for old in ServiceState if ServiceState.READY in TRANSITIONS[old]}
    assert before == {ServiceState.STARTING, ServiceState.UNRESPONSIVE}


def test_the_named_sets_fit_together() -> None:
    assert not AT_REST & RUNNING
    assert not AT_REST & TRANSITIONAL
    assert set(ServiceState) == AT_REST | RUNNING | TRANSITIONAL

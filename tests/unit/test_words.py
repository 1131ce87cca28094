"""Figures and times in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ou_vce_ext.routes import words
from ou_vce_ext.sizes import in_words

NOW = datetime(2026, 11, 1, 9, 5, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (0.9, "0 s"),
        (45, "45 s"),
        (60, "1 min"),
        (719, "11 min"),
        (3600, "1 h"),
        (3605, "1 h"),
        (12_000, "3 h 20 min"),
        (86_400, "1 day"),
        (86_460, "1 day"),
        (2 * 86_400 + 4 * 3600 + 59, "2 days 4 h"),
    ],
)
def test_spans(seconds: float, said: str) -> None:
    assert words.span(seconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-300, "in 5 min"), (-0.5, "just now"), (4, "just now"), (20, "20 s ago"), (200, "3 min ago")],
)
def test_moments(seconds: float, said: str) -> None:
    assert words.ago(NOW - timedelta(seconds=seconds), NOW) == said


def test_a_moment_exactly() -> None:
    elsewhere = NOW.astimezone().replace()
    assert words.absolute(elsewhere) == "1 November 2026, 09:05:07 UTC"


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1_000, "1 kB"),
        (999_400, "999 kB"),
        (999_600, "1.0 MB"),
        (1_400_000, "1.4 MB"),
        (230_000_000, "230 MB"),
        (9_876_543_210, "9.9 GB"),
        (79_000_000_000, "79 GB"),
        (5_000_000_000_000, "5.0 TB"),
        (12_345_000_000_000_000, "12345 TB"),
    ],
)
def test_sizes(count: int, said: str) -> None:
    assert in_words(count) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("The disk is full. Your data is safe.", "the disk is full"),
        ("It ended", "it ended"),
        ("Java ended with exit code 1.", "Java ended with exit code 1"),
        ("Port 5432 is used by postgres 15.2 here.", "Port 5432 is used by postgres 15.2 here"),
        ("  ", ""),
    ],
)
def test_a_sentence_goes_on_after_a_colon(text: str, said: str) -> None:
    assert words.continued(text) == said

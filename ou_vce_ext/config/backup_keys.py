"""The keys of ``backup``: how many backups are kept, and when they are taken by themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from ..drivers.base import Option
from ..sentences import say
from .values import parse_memory

_PERIOD: Final = re.compile(r"\s*(\d{1,4})\s*(m|min|h|d|w)\s*")
_SECONDS: Final = {"m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
NEVER: Final = "never"
"""What ``every`` says where none is to be taken by itself."""
SHORTEST: Final = 600.0
"""Seconds: what is due more often would be at it all the time."""
MOST: Final = 1000


def parse_period(value: object) -> float | None:
    """Seconds of a text such as ``1d`` or ``12h``; None where it is none."""
    match = _PERIOD.fullmatch(value) if isinstance(value, str) else None
    return float(int(match[1]) * _SECONDS[match[2]]) if match else None


def _check_period(value: object) -> str | None:
    seconds = parse_period(value)
    if seconds is None:
        return say('must be like "1d", "12h" or "30m"')
    return None if seconds >= SHORTEST else say('must be at least "10m"')


def _check_every(value: object) -> str | None:
    return None if value == NEVER else _check_period(value)


def _check_count(value: object) -> str | None:
    if not isinstance(value, int) or not 1 <= value <= MOST:
        return say("must be from 1 to {most}", most=MOST)
    return None


def _check_size(value: object) -> str | None:
    found = parse_memory(value)
    if found is None or found < 1:
        return say('must be like "500M", "2G" or a whole number of bytes')
    return None


BACKUP_KEYS: Final[Mapping[str, Option]] = {
    "keep": Option((int,), "how many are kept", check=_check_count),
    "keep_days": Option((int,), "how many days they are kept", check=_check_count),
    "keep_size": Option((str, int), "what they may take together", check=_check_size),
    "every": Option((str,), "how often one is taken", check=_check_every),
    "on_stop": Option((bool,), "whether one is taken before a stop"),
    "warn_after": Option((str,), "when a missing one is told", check=_check_period),
    "verify": Option((bool,), "whether each is proven by itself"),
}

"""Figures and times in words, as people say them. British English."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

_UNITS: Final = (("day", 86_400), ("h", 3_600), ("min", 60), ("s", 1))

_SMALL: Final = frozenset(
    ("A", "An", "Another", "It", "Its", "No", "Nothing", "The", "There", "This")
)


def span(seconds: float) -> str:
    """Say how long: ``45 s``, ``12 min``, ``3 h 20 min``, ``2 days 4 h``."""
    left = max(0, int(seconds))
    parts: list[str] = []
    for name, length in _UNITS:
        count, left = divmod(left, length)
        if parts and name == "s":
            break
        if count:
            parts.append(f"{count} days" if name == "day" and count != 1 else f"{count} {name}")
        elif parts:
            break
        if len(parts) == 2 or (parts and name == "min"):
            break
    return " ".join(parts) or "0 s"


def ago(moment: datetime, now: datetime) -> str:
    """Say when: ``just now``, ``3 min ago``, ``in 5 s``."""
    seconds = (now - moment).total_seconds()
    if seconds <= -1:
        return f"in {span(-seconds)}"
    return "just now" if seconds < 5 else f"{span(seconds)} ago"


def absolute(moment: datetime) -> str:
    """Say when exactly: ``21 November 2026, 20:15:04 UTC``."""
    at = moment.astimezone(UTC)
    return f"{at.day} {at:%B %Y, %H:%M:%S} UTC"


def size(count: float) -> str:
    """Say how much: ``512 bytes``, ``230 MB``, ``9.9 GB``."""
    if count < 1_000:
        return f"{count:.0f} bytes"
    for unit in ("kB", "MB", "GB", "TB"):
        count /= 1_000
        if count < 999.5 or unit == "TB":
            return f"{count:.1f} {unit}" if count < 10 and unit != "kB" else f"{count:.0f} {unit}"
    raise AssertionError


def continued(text: str) -> str:
    """Give the first sentence of ``text`` as it stands after a colon. Names keep their capital."""
    first = sentence(text)
    start = first.partition(" ")[0]
    return first[:1].lower() + first[1:] if start in _SMALL else first


def sentence(text: str) -> str:
    """Give the first sentence of ``text``, without its full stop."""
    first = text.strip().partition(". ")[0].partition("\n")[0]
    return first.removesuffix(".")

"""Times in words, as people say them, and the first words of a longer text. British English."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from ..sentences import Sentence, in_turn, say, say_many

_DAY: Final = 86_400
_SMALL: Final = frozenset(
    (
        *("A", "An", "Another", "It", "Its", "No", "Nothing", "The", "There", "This"),
        *("Aucun", "Aucune", "Ce", "Cet", "Cette", "Il", "La", "Le", "Les", "Rien", "Un", "Une"),
    )
)
"""Words that begin a sentence and are no names, in the languages there are."""
_MONTHS: Final = (
    say("January"),
    say("February"),
    say("March"),
    say("April"),
    say("May"),
    say("June"),
    say("July"),
    say("August"),
    say("September"),
    say("October"),
    say("November"),
    say("December"),
)


def span(seconds: float) -> Sentence:
    """Say how long: ``45 s``, ``12 min``, ``3 h 20 min``, ``2 days 4 h``."""
    left = max(0, int(seconds))
    if left < 60:
        return say("{count} s", count=left)
    if left < 3_600:
        return say("{count} min", count=left // 60)
    if left < _DAY:
        return _two(say("{count} h", count=left // 3_600), left % 3_600 // 60, "{count} min")
    days = say_many("{count} day", "{count} days", left // _DAY)
    return _two(days, left % _DAY // 3_600, "{count} h")


def _two(long: Sentence, count: int, unit: str) -> Sentence:
    """``long``, and how many of a smaller ``unit`` where there are any."""
    if not count:
        return long
    return say("{long} {short}", long=long, short=Sentence(unit, {"count": count}))


def ago(moment: datetime, now: datetime) -> Sentence:
    """Say when: ``just now``, ``3 min ago``, ``in 5 s``."""
    seconds = (now - moment).total_seconds()
    if seconds <= -1:
        return say("in {span}", span=span(-seconds))
    return say("just now") if seconds < 5 else say("{span} ago", span=span(seconds))


def absolute(moment: datetime) -> Sentence:
    """Say when exactly: ``21 November 2026, 20:15:04 UTC``."""
    at = moment.astimezone(UTC)
    return say(
        "{day} {month} {year}, {time} UTC",
        day=at.day,
        month=_MONTHS[at.month - 1],
        year=at.year,
        time=f"{at:%H:%M:%S}",
    )


def continued(text: str) -> str:
    """Give the first sentence of ``text`` as it stands after a colon. Names keep their capital."""
    return in_turn(_continued, text)


def sentence(text: str) -> str:
    """Give the first sentence of ``text``, without its full stop."""
    return in_turn(_first, text)


def _continued(text: str) -> str:
    first = _first(text)
    start = first.partition(" ")[0]
    return first[:1].lower() + first[1:] if start in _SMALL else first


def _first(text: str) -> str:
    return text.strip().partition(". ")[0].partition("\n")[0].removesuffix(".")

"""Several words in one sentence, as a person lists them."""

from __future__ import annotations

from collections.abc import Iterable

from ..sentences import say


def listed(words: Iterable[str]) -> str:
    """``words`` with `and` between them; nothing where there are none."""
    told = ""
    for word in words:
        told = say("{some} and {another}", some=told, another=word) if told else word
    return told

"""Sizes as people read them."""

from __future__ import annotations

from typing import Final

from .sentences import Figure, Sentence, say, say_many

_UNITS: Final = (
    say("{number} kB"),
    say("{number} MB"),
    say("{number} GB"),
    say("{number} TB"),
)


def in_words(count: float) -> Sentence:
    """``count`` bytes, such as ``512 bytes``, ``1.5 MB`` or ``230 MB`` (powers of a thousand)."""
    if count < 1_000:
        return say_many("{count} byte", "{count} bytes", round(count))
    size, unit = float(count), _UNITS[0]
    for unit in _UNITS:  # noqa: B007 - the one it ends with is used
        size /= 1_000
        if size < 999.5:
            break
    small = size < 9.95 and unit is not _UNITS[0]
    number = Figure(f"{size:.1f}" if small else f"{size:.0f}")
    return Sentence(unit.pattern, {"number": number})

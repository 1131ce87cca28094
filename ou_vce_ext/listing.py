"""Several names in a sentence, in any language."""

from __future__ import annotations

from collections.abc import Iterable

from .sentences import in_a_row, say


def listed(names: Iterable[str]) -> str:
    """``a``, ``a and b`` or ``a, b and c``; nothing where there are none."""
    several = list(names)
    if len(several) < 2:
        return several[0] if several else ""
    return say("{several} and {last}", several=in_a_row(several[:-1], ", "), last=several[-1])

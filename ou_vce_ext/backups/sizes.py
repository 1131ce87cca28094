"""Sizes as people read them."""

from __future__ import annotations

from typing import Final

_UNITS: Final = ("kB", "MB", "GB", "TB")


def in_words(count: int) -> str:
    """``count`` bytes, such as ``1.5 MB`` (powers of a thousand)."""
    if count < 1000:
        return f"{count} bytes"
    size, unit = float(count), ""
    for unit in _UNITS:  # noqa: B007 - the one it ends with is used
        size /= 1000
        if size < 999.5:
            break
    return f"{size:.1f} {unit}" if size < 9.95 else f"{size:.0f} {unit}"

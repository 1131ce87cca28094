"""Whether a module's colour can be seen on our pages, and the nearest one that can."""

from __future__ import annotations

import re
from typing import Final

LIGHT_PAGE: Final = "#ffffff"
DARK_PAGE: Final = "#212121"
"""The lightest of the dark pages it is shown on (JupyterLab's): seen there, it is seen on all."""
ENOUGH: Final = 3.0
"""The contrast that WCAG 2.2 (1.4.11) asks of lines and areas that mean something."""
_COLOUR: Final = re.compile(r"#[0-9A-Fa-f]{6}")
_STEPS: Final = 100


def is_colour(text: str) -> bool:
    """Whether ``text`` is a colour as we take it: ``#`` and six hexadecimal digits."""
    return bool(_COLOUR.fullmatch(text))


def contrast(one: str, other: str) -> float:
    """The contrast of two colours as WCAG reckons it, from 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def text_on(colour: str) -> str:
    """Black or white, whichever is read more easily on ``colour``; at least 4.5 to 1."""
    return max("#ffffff", "#000000", key=lambda text: contrast(text, colour))


def nearest(colour: str, page: str) -> str:
    """``colour``, or the nearest of its tints and shades that is seen on ``page``."""
    target = text_on(page)
    for step in range(_STEPS + 1):
        mixed = _mix(colour, target, step / _STEPS)
        if contrast(mixed, page) >= ENOUGH:
            return mixed
    return target


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(part / 255) for part in _parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return float(part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4)


def _mix(colour: str, target: str, share: float) -> str:
    pairs = zip(_parts(colour), _parts(target), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)

"""The keys of a desktop program's declaration."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from ...models import ServiceError, ServiceSpec
from ...sentences import say
from ..base import Option
from ..web.placeholders import used

FIT: Final = "fit"
SMALLEST, LARGEST = 100, 8192
"""Pixels, of each side of a screen."""
PLACEHOLDERS: Final = ("data_dir", "root_dir", "name")
_SIZE: Final = re.compile(r"(\d{3,4})x(\d{3,4})")


def parse_size(value: object) -> tuple[int, int] | None:
    """Width and height in pixels of ``1280x800``; None for anything else."""
    found = _SIZE.fullmatch(str(value))
    if not found:
        return None
    sides = (int(found[1]), int(found[2]))
    return sides if all(SMALLEST <= side <= LARGEST for side in sides) else None


def _check_size(value: object) -> str | None:
    if value == FIT or parse_size(value):
        return None
    return say(
        'must be "{fit}", or width and height in pixels ({smallest} to {largest}), such as '
        '"1280x800"',
        fit=FIT,
        smallest=SMALLEST,
        largest=LARGEST,
    )


def _check_scale(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 4:
        return None
    return say("must be a whole number from 1 to 4")


OPTIONS: Mapping[str, Option] = {
    "window": Option(
        (str,),
        say("`full`: its window fills the screen; `desktop`: windows have frames"),
        choices=("full", "desktop"),
    ),
    "size": Option(
        (str,), say('`fit`: as large as its tab; or such as "1280x800"'), check=_check_size
    ),
    "scale": Option(
        (int,), say("2: drawn twice as large, for screens of high density"), check=_check_scale
    ),
}


def check_declaration(spec: ServiceSpec) -> ServiceError | None:
    """What is wrong with a declaration as a whole, or None."""
    if not spec.command:
        return ServiceError(
            "config-invalid",
            say("{title} is declared without a `command`.", title=spec.title),
            say('For instance command = ["java", "-jar", "daisyworld/daisyworld.jar"].'),
        )
    texts: Iterable[str] = (*spec.command, *spec.env.values())
    for word in sorted(used(texts) - set(PLACEHOLDERS)):
        known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        return ServiceError(
            "config-invalid",
            say("There is no placeholder {{{word}}} for a desktop program.", word=word),
            say(
                "There are: {names}; for braces as such, write {{{{{word}}}}}.",
                names=known,
                word=word,
            ),
        )
    return None

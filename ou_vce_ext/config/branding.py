"""How a module's environment is called and what it looks like: ``[branding]``, judged.

As with services, nothing here raises: a key with a mistake is told and left out, the others count.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from ..drivers.base import Option
from ..sentences import Figure, in_a_row, say
from .branding_colour import DARK_PAGE, ENOUGH, LIGHT_PAGE, contrast, is_colour, nearest
from .files import ConfigProblem, Layer, read_files
from .keys import ICON_SUFFIXES
from .values import did_you_mean, judge

OVERRIDES: Final = say("Jupyter's configuration (VCE.branding)")
LARGEST_LOGO: Final = 200_000
"""Bytes. The logo stands in pages, so that it costs no question of its own."""
_PAGES: Final = {"colour": LIGHT_PAGE, "colour_dark": DARK_PAGE}


class Branding(NamedTuple):
    """The module's own look.

    ``colour`` is for lines and areas on light pages, ``colour_dark`` on dark ones; ``logo`` is the
    path of an svg or png file.
    """

    title: str = say("Virtual computing environment")
    logo: str | None = None
    colour: str | None = None
    colour_dark: str | None = None
    help_url: str | None = None
    help_text: str | None = None


def _check_line(longest: int) -> Callable[[object], str | None]:
    def check(value: object) -> str | None:
        text = str(value)
        if not text.strip() or not text.isprintable() or len(text) > longest:
            return say("must be one line of 1 to {longest} characters", longest=longest)
        return None

    return check


def _check_logo(value: object) -> str | None:
    if not str(value).lower().endswith(ICON_SUFFIXES):
        return say("must be the name of a .svg or .png file")
    return None


def _check_colour(value: object) -> str | None:
    if not is_colour(str(value)):
        return say('must be "#" and six hexadecimal digits, such as "#0b6623"')
    return None


def _check_url(value: object) -> str | None:
    text = str(value)
    parts = urlsplit(text)
    if not text.isprintable() or " " in text or len(text) > 500:
        return say("must be an address without spaces")
    if parts.scheme in ("http", "https") and parts.hostname and not parts.username:
        return None
    if parts.scheme == "mailto" and "@" in parts.path:
        return None
    return say('must begin with "https://", "http://" or "mailto:"')


BRANDING_KEYS: Final[Mapping[str, Option]] = {
    "title": Option((str,), say("what the environment is called"), check=_check_line(60)),
    "logo": Option((str,), say("a .svg or .png file, 200 kB at most"), check=_check_logo),
    "colour": Option((str,), say("of lines and areas on light pages"), check=_check_colour),
    "colour_dark": Option((str,), say("the same on dark pages"), check=_check_colour),
    "help_url": Option((str,), say("where help is found"), check=_check_url),
    "help_text": Option((str,), say("what that link says"), check=_check_line(120)),
}
_ALLOWED: Final = say("[branding] may have: {names}.", names=", ".join(BRANDING_KEYS))


def load_branding(
    folders: Sequence[Path], config_file: Path | None, overrides: Mapping[str, object]
) -> tuple[Branding, list[ConfigProblem]]:
    """Read and judge ``[branding]`` of all files, later ones over earlier, key by key.

    What is wrong with a file itself is told by whoever reads its services.
    """
    layers, _ = read_files(folders, config_file)
    problems: list[ConfigProblem] = []
    good: dict[str, str] = {}
    places: dict[str, Layer] = {}
    for layer in [*layers, Layer(OVERRIDES, {}, branding=overrides)]:
        if not isinstance(layer.branding, Mapping):
            problems.append(_mistake(layer, "", say("Must be a table."), _ALLOWED))
            continue
        for key, value in layer.branding.items():
            if told := _wrong(key, value):
                problems.append(_mistake(layer, key, *told))
            else:
                good[key], places[key] = str(value), layer
    _find_logo(good, places, problems)
    _see_colours(good, places, problems)
    return Branding(**good), problems


def _mistake(layer: Layer, key: str, message: str, hint: str) -> ConfigProblem:
    place = f"branding.{str(key)[:40]}" if key else "branding"
    return ConfigProblem(layer.source, place, message, hint)


def _wrong(key: str, value: object) -> tuple[str, str] | None:
    """What is wrong with one key by itself, and what is allowed."""
    if key not in BRANDING_KEYS:
        close = did_you_mean(str(key), BRANDING_KEYS)
        return say("There is no such key."), in_a_row((close, _ALLOWED))
    option = BRANDING_KEYS[key]
    message = judge(key, value, option)
    return (message, say("It is {doc}.", doc=option.doc)) if message else None


def _find_logo(
    good: dict[str, str], places: Mapping[str, Layer], problems: list[ConfigProblem]
) -> None:
    if "logo" not in good:
        return
    layer = places["logo"]
    path = Path(good.pop("logo")).expanduser()
    path = layer.folder / path if layer.folder else path
    try:
        size = path.stat().st_size if path.is_absolute() and path.is_file() else -1
    except OSError:
        size = -1
    if size < 0:
        message = say("There is no file '{path}'.", path=path)
        hint = say("A relative name starts from the folder of the file it is declared in.")
        problems.append(_mistake(layer, "logo", message, hint))
    elif size > LARGEST_LOGO:
        message = say(
            "The file has {size} bytes, and at most {largest} are allowed.",
            size=size,
            largest=LARGEST_LOGO,
        )
        problems.append(_mistake(layer, "logo", message, say("Save it smaller, or as an .svg.")))
    else:
        good["logo"] = str(path)


def _see_colours(
    good: dict[str, str], places: Mapping[str, Layer], problems: list[ConfigProblem]
) -> None:
    """Leave out a colour that could not be seen; find one for dark pages where none is declared."""
    for key, page in _PAGES.items():
        colour = good.get(key)
        if colour is None or (seen := contrast(colour, page)) >= ENOUGH:
            continue
        del good[key]
        of = {"colour": colour, "seen": Figure(f"{seen:.1f}"), "enough": ENOUGH}
        message = (
            say(
                "{colour} can hardly be seen on a light page: its contrast is {seen} to 1, and "
                "{enough:.0f} to 1 are needed. It is left out.",
                **of,
            )
            if page == LIGHT_PAGE
            else say(
                "{colour} can hardly be seen on a dark page: its contrast is {seen} to 1, and "
                "{enough:.0f} to 1 are needed. It is left out.",
                **of,
            )
        )
        hint = say('For instance {key} = "{nearest}".', key=key, nearest=nearest(colour, page))
        problems.append(_mistake(places[key], key, message, hint))
    if "colour" in good and "colour_dark" not in places:
        good["colour_dark"] = nearest(good["colour"], DARK_PAGE)

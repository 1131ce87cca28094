"""Sentences in the reader's language: catalogues, and which of them a request asks for.

A catalogue is a folder ``locale/<language>_<COUNTRY>/server`` of JSON files, each an object from
patterns (see :mod:`.sentences`) to their translation, or to a list of its forms where a number
decides. ``_language.json`` among them says what is true of the language as a whole: its
``plural_forms`` as in gettext, and ``decimal``, its decimal sign.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from gettext import c2py
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from .models import Json
from .sentences import Figure, Sentence, put_together

_FOLDER: Final = Path(__file__).parent / "locale"
_PLURAL: Final = re.compile(r"plural\s*=\s*([^;]+)")
LANGUAGE_COOKIE: Final = "vce-lang"
"""What JupyterLab leaves for the pages it opens: its own language, not the browser's."""
_MUCH: Final = 1_000
"""Characters of ``Accept-Language`` that are looked at."""


class Language(NamedTuple):
    """One language's words. English, which everything is written in, needs none."""

    tag: str = "en-GB"
    """As in HTML's ``lang`` and in ``Content-Language``."""
    words: Mapping[str, str | list[str]] = MappingProxyType({})
    plural: str = "n != 1"
    """Which of the forms a number takes, as an expression of gettext's over ``n``."""
    decimal: str = "."

    def text(self, words: str) -> str:
        """Say ``words`` in this language, where it knows how; else they stay as they are."""
        if isinstance(words, Figure):
            return words.replace(".", self.decimal)
        if not isinstance(words, Sentence) or not self.words:
            return str(words)
        values = {
            name: self.text(value) if isinstance(value, str) else value
            for name, value in words.values.items()
        }
        said = put_together(self._pattern(words), values)
        return words.finish(said) if words.finish else said

    def body(self, value: Json) -> Json:
        """Say every sentence in ``value``, a JSON document, in this language."""
        if not self.words:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {name: self.body(held) for name, held in value.items()}
        if isinstance(value, list):
            return [self.body(held) for held in value]
        return value

    def _pattern(self, words: Sentence) -> str:
        found = self.words.get(words.pattern)
        if found is None:
            return words.pattern if words.plural is None or words.number == 1 else words.plural
        if isinstance(found, str):
            return found
        return found[min(_form(self.plural)(words.number), len(found) - 1)]


ENGLISH: Final = Language()


def language(accepted: str) -> Language:
    """The best language there is for ``accepted``, a header ``Accept-Language``, else English.

    ``fr-CA`` is answered in ``fr-FR`` where that is all there is. Whatever the header holds, some
    language is given.
    """
    for tag in _wanted(accepted[:_MUCH]):
        primary = tag.partition("-")[0]
        if primary in ("en", "*"):
            return ENGLISH
        known = languages()
        for candidate in (tag, *(one for one in known if one.partition("-")[0] == primary)):
            if candidate in known:
                return _read(known[candidate])
    return ENGLISH


@cache
def languages() -> Mapping[str, Path]:
    """The languages there are beside English: lower-case tags, and the folder of each."""
    folders = sorted(_FOLDER.glob("*/server"))
    return {folder.parent.name.lower().replace("_", "-"): folder for folder in folders}


def _wanted(accepted: str) -> list[str]:
    """The tags of an ``Accept-Language``, lower case, the most wanted first."""
    found: list[tuple[float, str]] = []
    for part in accepted.lower().split(","):
        tag, _, quality = part.partition(";")
        try:
            weight = float(quality.partition("q=")[2]) if quality.strip() else 1.0
        except ValueError:
            continue
        if tag.strip() and weight > 0:
            found.append((weight, tag.strip()))
    return [tag for _, tag in sorted(found, key=lambda one: -one[0])]


@cache
def _read(folder: Path) -> Language:
    parts = {path.stem: json.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))}
    whole = parts.pop("_language")
    words: dict[str, str | list[str]] = {}
    for part in parts.values():
        words.update(part)
    plural = _PLURAL.search(whole["plural_forms"])
    return Language(
        tag=folder.parent.name.replace("_", "-"),
        words=words,
        plural=plural[1].strip() if plural else "n != 1",
        decimal=whole["decimal"],
    )


@cache
def _form(plural: str) -> Callable[[int], int]:
    return c2py(plural)

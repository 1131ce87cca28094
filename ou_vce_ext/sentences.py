"""What people are told, in English, remembering how it was put together: so it can be translated.

A sentence is made where something happens, long before anybody knows who will read it in which
language. So it is a ``str`` (English) that keeps its pattern and its values; :mod:`.translation`
says it again in the reader's language where it leaves the server.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Self

_NONE: Final[Mapping[str, object]] = {}
_BEFORE_FULL_STOP: Final = re.compile(r"\{(\w+)\}(?=\.(?:\s|$))")


class Sentence(str):
    """English words for a person, with what a translation needs.

    ``pattern`` is what a catalogue lists, with ``{names}`` as :meth:`str.format` has them;
    ``values`` are what stands for these names (a Sentence among them is translated too). Where it
    depends on a number, ``plural`` is the pattern for many and ``number`` that number. ``finish``,
    where there is one, was applied to the words and is applied to a translation too.
    """

    __slots__ = ("finish", "number", "pattern", "plural", "values")

    pattern: str
    plural: str | None
    number: int
    values: Mapping[str, object]
    finish: Callable[[str], str] | None

    def __new__(
        cls,
        pattern: str,
        values: Mapping[str, object] = _NONE,
        plural: str | None = None,
        number: int = 1,
        finish: Callable[[str], str] | None = None,
    ) -> Self:
        """Put the English words together."""
        words = put_together(pattern if plural is None or number == 1 else plural, values)
        sentence = super().__new__(cls, finish(words) if finish else words)
        sentence.pattern = pattern
        sentence.plural = plural
        sentence.number = number
        sentence.values = values
        sentence.finish = finish
        return sentence

    def __reduce__(self) -> tuple[object, ...]:
        """Copy and pickle it whole."""
        return type(self), (self.pattern, self.values, self.plural, self.number, self.finish)


def put_together(pattern: str, values: Mapping[str, object]) -> str:
    """``pattern`` with ``values`` in the place of its ``{names}``; without any, as it stands.

    A value may be a sentence of its own, or what a program printed: the full stop at its end gives
    way to one that follows in ``pattern``.
    """
    if not values:
        return pattern
    told = {
        name: value[:-1]
        for name in _BEFORE_FULL_STOP.findall(pattern)
        if isinstance(value := values[name], str)
        and value.endswith(".")
        and not value.endswith("..")
    }
    return pattern.format_map({**values, **told} if told else values)


class Figure(str):
    """A number as English writes it, such as ``4.2``; a translation has its own decimal sign."""

    __slots__ = ()


def say(pattern: str, /, **values: object) -> Sentence:
    """Say ``pattern`` with ``values`` in the place of its ``{names}``; without any, as it stands.

    ``pattern`` is a literal, so that those who translate find it.
    """
    return Sentence(pattern, values)


def say_many(one: str, many: str, count: int, /, **values: object) -> Sentence:
    """Say ``one`` where ``count`` is 1, else ``many``; ``{count}`` in them is the number."""
    return Sentence(one, {"count": count, **values}, many, count)


def in_turn(function: Callable[[str], str], words: str) -> str:
    """Apply ``function`` to ``words``, and to what they become in another language."""
    if not isinstance(words, Sentence):
        return function(words)
    first = words.finish
    both = (lambda text: function(first(text))) if first else function
    return Sentence(words.pattern, words.values, words.plural, words.number, both)


def in_a_row(parts: Iterable[str], between: str = " ") -> Sentence:
    """Say ``parts`` one after the other, each translated by itself; empty ones are left out."""
    values = {f"part_{place}": part for place, part in enumerate(filter(None, parts))}
    return Sentence(between.join(f"{{{name}}}" for name in values), values)

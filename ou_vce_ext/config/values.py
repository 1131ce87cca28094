"""Judging one value: its type, what it may be, and what to say when it is something else."""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Iterable, Mapping

from ..drivers.base import Option
from ..sentences import in_turn, say

_TYPE_WORDS: Mapping[type, str] = {
    str: say("a text in quotes"),
    bool: say("true or false"),
    int: say("a whole number"),
    float: say("a number"),
    list: say("a list"),
    tuple: say("a list"),
    dict: say("a table"),
}
_SECRET = re.compile(r"pass|secret|token|credential", re.IGNORECASE)
_MEMORY = re.compile(r"\s*(\d{1,15}(?:\.\d{1,6})?)\s*([kmgt]?)(?:i?b)?\s*", re.IGNORECASE)
_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
SMALLEST_MEMORY = 16 * 1024**2
_SHOWN = 60


def type_words(types: Iterable[type]) -> str:
    """Which types are accepted, in words: ``a text in quotes or a whole number``."""
    words = [*dict.fromkeys(_TYPE_WORDS.get(item, item.__name__) for item in types)]
    told = words.pop(0)
    for word in words:
        told = say("{one} or {other}", one=told, other=word)
    return told


def is_of(value: object, types: Iterable[type]) -> bool:
    """Whether ``value`` is of one of ``types``, as a person sees it: true is no number."""
    if isinstance(value, bool):
        return bool in types
    if isinstance(value, float) and not math.isfinite(value):
        return False
    # A whole number is good enough wherever a number is.
    wanted = tuple(int | float if item is float else item for item in types)
    return any(isinstance(value, item) for item in wanted)


def may_be_secret(text: str) -> bool:
    """Whether ``text`` speaks of a password or the like, so that no message may repeat it."""
    return bool(_SECRET.search(text))


def shown(key: str, value: object) -> str:
    """``value`` as a message may quote it: short, on one line, never a secret."""
    if may_be_secret(key) or key.startswith("env."):
        return say("something else")
    if isinstance(value, Mapping):
        return say("a table")
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        # A date, or whatever Python object a configuration file of Jupyter's put here.
        return say("a {kind}", kind=type(value).__name__)
    if may_be_secret(text):
        return say("something else")
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``Did you mean `open`?``, or nothing."""
    close = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return say("Did you mean `{name}`?", name=close[0]) if close else ""


def judge(key: str, value: object, option: Option) -> str | None:
    """What is wrong with a value, as a sentence, or None."""
    if not is_of(value, option.types):
        return say(
            "Must be {types}, and is {value}.",
            types=type_words(option.types),
            value=shown(key, value),
        )
    if option.choices and value not in option.choices:
        allowed = ", ".join(json.dumps(item) for item in option.choices)
        return say(
            "Must be one of {allowed}, and is {value}.", allowed=allowed, value=shown(key, value)
        )
    if has_nul(value):
        return say("Holds a NUL character.")
    if option.check is None:
        return None
    try:
        trouble = option.check(value)
    except Exception:  # a check that trips over nonsense must not stop the server
        return say("Cannot be understood.")
    return sentence(trouble) if trouble else None


def sentence(text: str) -> str:
    """``text`` with a capital letter and a full stop."""
    return in_turn(_as_sentence, text)


def _as_sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "?", "!")) else text + "."


def has_nul(value: object, depth: int = 0) -> bool:
    """Whether a NUL, which no program can be given, stands anywhere in ``value``."""
    if isinstance(value, str):
        return "\0" in value
    if depth > 8:
        return False
    if isinstance(value, Mapping):
        return any(has_nul(item, depth + 1) for pair in value.items() for item in pair)
    if isinstance(value, list | tuple):
        return any(has_nul(item, depth + 1) for item in value)
    return False


def parse_memory(value: object) -> int | None:
    """Bytes of ``"1500M"``, ``"1.5G"`` or a whole number of bytes; None where it is neither.

    Units are powers of 1024, as the JVM and PostgreSQL count them.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if 0 < value < 2**60 else None
    if isinstance(value, str) and (found := _MEMORY.fullmatch(value)):
        return int(float(found[1]) * _UNITS[found[2].lower()])
    return None

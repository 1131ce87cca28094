"""Reading what a mongod wrote: lines of JSON, turned into lines for people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

_SEVERITIES: Final = {"F": "Fatal: ", "E": "Error: ", "W": "Warning: "}
_STARTING: Final = 4615611
_TELLING: Final = ("error", "reason", "message", "errmsg", "msg", "error_str")
_NOISE: Final = ("BACKTRACE", "  Frame", "Failed to symbolize")


def last_run(lines: Sequence[str]) -> list[str]:
    """Those of ``lines`` that the last run wrote, as far as one can see where it began."""
    for place in range(len(lines) - 1, -1, -1):
        if f'"id":{_STARTING},' in lines[place]:
            return list(lines[place:])
    return list(lines)


def readable(lines: Iterable[str]) -> list[str]:
    """The lines as sentences: severity, message, and what the error says; no traces of the stack.

    What is no JSON (or was cut) stays as it is.
    """
    told: list[str] = []
    for line in lines:
        text = _sentence(line)
        if text and (not told or told[-1] != text):
            told.append(text)
    return told


def complaints(lines: Iterable[str]) -> list[str]:
    """The readable form of those lines that tell of something wrong."""
    wrong = tuple(_SEVERITIES.values())
    return [
        text
        for line, text in ((line, _sentence(line)) for line in lines)
        if text and (not line.startswith("{") or text.startswith(wrong) or '"s":"F"' in line)
    ]


def _sentence(line: str) -> str:
    try:
        entry = json.loads(line)
        message, severity = str(entry["msg"]), str(entry["s"])
    except (ValueError, TypeError, KeyError):
        return "" if _is_noise(line) else _cut_line(line)
    if _is_noise(message):
        return ""
    text = " ".join(message.split()).strip("* ")
    details = _details(entry.get("attr"))
    return _SEVERITIES.get(severity, "") + (f"{text}: {details}" if details else text)


def _is_noise(text: str) -> bool:
    return text.lstrip().startswith(tuple(noise.strip() for noise in _NOISE))


def _cut_line(line: str) -> str:
    """A line too long for whoever read it is JSON no more; its severity can still be seen."""
    for letter, word in _SEVERITIES.items():
        if line.startswith('{"t"') and f'"s":"{letter}"' in line[:120]:
            return word + line.partition('"msg":')[2][:500]
    return line.strip()


def _details(attr: Any) -> str:
    if isinstance(attr, Mapping):
        # A bare number of an error stands beside its words.
        told = [_details(attr.get(key)) for key in _TELLING if not isinstance(attr.get(key), int)]
        return ", ".join(text for text in told if text)
    if attr is None:
        return ""
    return " ".join(str(attr).split())

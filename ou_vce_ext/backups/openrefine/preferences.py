"""OpenRefine's settings, and a student's starred and recent expressions: workspace.json.

Its values may name classes of Java, which OpenRefine then loads; only the one it writes itself is
let through.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

_LIST: Final = "com.google.refine.preference.TopList"


@dataclass(frozen=True, slots=True)
class Preferences:
    """Settings by name, plain JSON."""

    entries: dict[str, Any]


def preferences_in(content: bytes) -> Preferences | None:
    """The settings in a ``workspace.json``, or None where there are none that can be read."""
    try:
        entries = json.loads(content)["preferences"]["entries"]
        return Preferences(
            {str(key): value for key, value in entries.items() if _is_harmless(value)}
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def workspace(ids: Iterable[str], preferences: Preferences | None) -> bytes:
    """A ``workspace.json`` that lists projects and has these settings."""
    body: dict[str, Any] = {"projectIDs": [int(each) for each in ids]}
    if preferences is not None:
        body["preferences"] = {"entries": preferences.entries}
    return json.dumps(body, ensure_ascii=False).encode()


def _is_harmless(value: Any) -> bool:
    if isinstance(value, dict) and value.get("class") == _LIST:
        rest = {key: each for key, each in value.items() if key != "class"}
        return all(_is_plain(each) for each in rest.values())
    return _is_plain(value)


def _is_plain(value: Any) -> bool:
    """Whether no class can be named in it."""
    if isinstance(value, list):
        return all(_is_plain(each) for each in value)
    if isinstance(value, dict):
        return "class" not in value and all(_is_plain(each) for each in value.values())
    return value is None or isinstance(value, str | int | float | bool)

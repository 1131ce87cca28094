"""What OpenRefine says of a project: its name, its tags, and when it was changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

LARGEST: Final = 16_000_000


@dataclass(frozen=True, slots=True)
class Metadata:
    """The part of ``metadata.json`` that a person knows."""

    name: str
    tags: tuple[str, ...] = ()
    modified: datetime | None = None

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Metadata:
        """From OpenRefine's own JSON; what is missing or odd is left out."""
        name, tags = told.get("name"), told.get("tags")
        return cls(
            name if isinstance(name, str) else "",
            tuple(str(tag) for tag in tags) if isinstance(tags, list) else (),
            moment(told.get("modified")),
        )


def moment(text: object) -> datetime | None:
    """A time as OpenRefine writes it, in whole seconds; None where it is none."""
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def read(path: Path) -> Metadata | None:
    """The metadata in a file, or None where there is none that can be read."""
    told = read_json(path)
    return Metadata.of(told) if told is not None else None


def read_json(path: Path) -> dict[str, Any] | None:
    """A small file of JSON that is an object, or None."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        told = json.loads(content) if len(content) <= LARGEST else None
    except (OSError, ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None

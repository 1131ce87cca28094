"""What a backup says of itself: ``manifest.json``, the last member of its file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ..errors import UnsuitableError
from ..models import Json, iso
from ..models_backup import Consistency, DataItem, ItemKind, Reason
from ..sentences import say

NAME: Final = "manifest.json"
FORMAT: Final = 1
"""Raised when an older reader would misunderstand; what is merely new is ignored."""
LARGEST: Final = 32 * 1024 * 1024
"""Bytes a manifest may have: a hundred thousand members and items fit."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file in a backup, its size in bytes and its SHA-256 in hexadecimal."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds and where it comes from.

    ``service`` is None, and ``kind`` ``everything``, for a file of all services. ``versions`` names
    programs; ``details`` is the strategy's own (an encoding, a cluster time), plain JSON.
    """

    service: str | None
    kind: str
    title: str
    created: datetime
    reason: Reason
    consistency: Consistency
    versions: Mapping[str, str]
    contents: tuple[DataItem, ...]
    members: tuple[Member, ...]
    details: Mapping[str, Json]

    def to_bytes(self) -> bytes:
        """The member's content, for people to read as well."""
        body: dict[str, Json] = {
            "format": FORMAT,
            "service": self.service,
            "kind": self.kind,
            "title": self.title,
            "created": iso(self.created),
            "reason": self.reason.value,
            "consistency": self.consistency.value,
            "versions": dict(self.versions),
            "details": dict(self.details),
            "contents": [item.to_json() for item in self.contents],
            "members": [
                {"name": member.name, "bytes": member.bytes, "sha256": member.sha256}
                for member in self.members
            ],
        }
        return (json.dumps(body, ensure_ascii=False, indent=1) + "\n").encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Manifest:
        """Read one. Raises UnsuitableError for what is none, or is of a later format."""
        try:
            body = json.loads(content)
            version = body["format"]
            if not isinstance(version, int):
                raise TypeError
            if version > FORMAT:
                raise UnsuitableError(
                    say("This backup was made by a newer version of this software."),
                    say("Ask for an update of this environment, or restore it where it was made."),
                )
            return cls(
                service=_optional_text(body["service"]),
                kind=_text(body["kind"]),
                title=_text(body["title"]),
                created=datetime.fromisoformat(_text(body["created"])),
                reason=Reason(body["reason"]),
                consistency=Consistency(body["consistency"]),
                versions={_text(key): _text(value) for key, value in body["versions"].items()},
                contents=tuple(_item(each) for each in body["contents"]),
                members=tuple(
                    Member(_text(each["name"]), _count(each["bytes"]), _text(each["sha256"]))
                    for each in body["members"]
                ),
                details=dict(body["details"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise UnsuitableError(
                say(
                    "This file is not a backup of this software, or is broken: its description "
                    "cannot be read. Nothing was changed."
                ),
                say("Use another backup."),
            ) from error


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _optional_text(value: Any) -> str | None:
    return None if value is None else _text(value)


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError
    return value


def _item(body: Any) -> DataItem:
    changed = _optional_text(body["changed"])
    return DataItem(
        key=_text(body["key"]),
        service=_optional_text(body["service"]),
        kind=ItemKind(body["kind"]),
        name=_text(body["name"]),
        within=_optional_text(body["within"]),
        count=None if body["count"] is None else _count(body["count"]),
        bytes=None if body["bytes"] is None else _count(body["bytes"]),
        changed=datetime.fromisoformat(changed) if changed else None,
        # Earlier ones do not say.
        damaged=body.get("damaged") is True,
    )

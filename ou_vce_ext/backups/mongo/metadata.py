"""A collection's options and indexes, as mongodump writes them beside its documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from ...errors import UnsuitableError
from ...sentences import say

Kind = Literal["collection", "view", "timeseries"]
KINDS: Final[tuple[Kind, ...]] = ("collection", "view", "timeseries")
LARGEST: Final = 64 * 1024 * 1024
"""Bytes of metadata that are read: a collection's options and 64 indexes, each of 16 MB at most."""

_OF_OLD: Final = ("autoIndexId", "flags", "temp", "safe", "force")
"""Options of servers before 4.4 that no later one takes, and that change no data."""
_OF_OLD_INDEXES: Final = ("ns", "background", "safe")


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a collection or view is, apart from its documents; names and values as MongoDB's own."""

    kind: Kind = "collection"
    options: Mapping[str, Any] = field(default_factory=dict)
    indexes: Sequence[Mapping[str, Any]] = ()
    uuid: str = ""

    @property
    def capped(self) -> bool:
        """Whether it forgets its oldest documents, and keeps them as they came."""
        return bool(self.options.get("capped"))

    @property
    def ordered_by_server(self) -> bool:
        """Whether the server lays documents out by their key, not as they came."""
        return self.kind == "timeseries" or bool(self.options.get("clusteredIndex"))

    def to_json(self, name: str) -> bytes:
        """The content of ``<name>.metadata.json``: canonical Extended JSON v2, on one line."""
        from bson import json_util

        body: dict[str, Any] = {"options": self.options} if self.options else {}
        body["indexes"] = list(self.indexes)
        if self.uuid and self.kind != "timeseries":
            body["uuid"] = self.uuid
        body["collectionName"] = name
        body["type"] = self.kind
        return json_util.dumps(
            body,
            json_options=json_util.CANONICAL_JSON_OPTIONS,
            ensure_ascii=False,
            separators=(",", ":"),
        ).encode()


def read_metadata(content: bytes) -> tuple[str | None, Metadata]:
    """The name it is of, where it says so, and what it says. Raises UnsuitableError."""
    from bson import json_util
    from bson.errors import BSONError

    try:
        body = json_util.loads(content, json_options=json_util.CANONICAL_JSON_OPTIONS)
        options, indexes = body.get("options") or {}, body.get("indexes") or []
        name, kind = body.get("collectionName"), body.get("type")
        if kind is None:
            kind = "view" if "viewOn" in options else "collection"
        if kind == "collection" and "timeseries" in options:
            kind = "timeseries"
        if (
            not isinstance(options, dict)
            or kind not in KINDS
            or not isinstance(name, str | None)
            or not all(isinstance(index, dict) and "key" in index for index in indexes)
        ):
            raise TypeError
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError, BSONError) as error:
        raise UnsuitableError(
            say(
                "This file is no backup of MongoDB, or is damaged: what it says of a "
                "collection's options and indexes cannot be read. Nothing was changed."
            ),
            say("Use another backup."),
        ) from error
    kept = {key: value for key, value in options.items() if key not in _OF_OLD}
    cleaned = tuple(
        {key: value for key, value in index.items() if key not in _OF_OLD_INDEXES}
        for index in indexes
    )
    return name, Metadata(kind, kept, cleaned, str(body.get("uuid") or ""))

"""A dump that can be poured into a server: what it holds, and its documents as a stream."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ...models_backup import Consistency, DataItem
from ..watch import Watch
from .contents import NOTHING, Counted, describe
from .metadata import Metadata
from .names import Namespace


@dataclass(frozen=True, slots=True)
class Stored:
    """One collection or view of a dump, with its documents' number and size (bytes)."""

    what: Metadata
    counted: Counted = NOTHING


class Dump(ABC):
    """A source of MongoDB data. What it holds is known; its documents are read when wanted."""

    path: Path
    stored: Mapping[Namespace, Stored]

    @property
    def contents(self) -> tuple[DataItem, ...]:
        """What is in it, in parts a person knows."""
        counted = {at: one.counted for at, one in self.stored.items() if one.what.kind != "view"}
        return describe({at: one.what for at, one in self.stored.items()}, counted)

    @property
    def versions(self) -> Mapping[str, str]:
        """Which programs made it, where it says so."""
        return {}

    @property
    def compatibility(self) -> str | None:
        """The release whose data these are (``6.0``), where that can be told."""
        release = self.versions.get("MongoDB")
        return ".".join(release.split(".")[:2]) if release else None

    @property
    def consistency(self) -> Consistency:
        """What in it is of one moment."""
        return Consistency.PER_COLLECTION

    @property
    def whole(self) -> bool:
        """Whether it holds all that a service had."""
        return False

    @abstractmethod
    def stream(
        self, wanted: Collection[Namespace], watch: Watch
    ) -> Iterator[tuple[Namespace, list[bytes]]]:
        """The documents of the ``wanted`` collections, some at a time, each one's in their order.

        Those of several collections may come in turns. A time-series collection's are its buckets.
        Blocks; raises UnsuitableError, OSError or WorkCancelledError.
        """

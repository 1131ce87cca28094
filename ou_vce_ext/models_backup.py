"""Backups as the REST API speaks of them, as frozen dataclasses, and their JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from .models import Json, iso


class Verified(StrEnum):
    """Whether a backup was restored into a scratch instance and compared, and how that went."""

    UNVERIFIED = "unverified"
    VERIFIED = "verified"
    FAILED = "failed"


class Consistency(StrEnum):
    """What in a backup is of one moment, the strongest promise first."""

    SNAPSHOT = "snapshot"
    QUIESCED = "quiesced"
    PER_DATABASE = "per-database"
    PER_COLLECTION = "per-collection"


class Reason(StrEnum):
    """Why a backup is there."""

    MANUAL = "manual"
    SAFETY = "safety"
    SCHEDULED = "scheduled"
    UPLOAD = "upload"


class ItemKind(StrEnum):
    """What a service may hold."""

    DATABASE = "database"
    TABLE = "table"
    COLLECTION = "collection"
    VIEW = "view"
    PROJECT = "project"
    ROLES = "roles"
    FOLDER = "folder"


@dataclass(frozen=True, slots=True)
class DataItem:
    """One thing a service holds.

    ``key`` names it in a restore's ``items``; ``count`` is rows, documents, files or parts, and
    ``bytes`` its size, each None where nobody has counted. What is ``damaged`` its service cannot
    open: a backup has its files as they are, and proves them by their checksum alone.
    """

    key: str
    service: str | None
    kind: ItemKind
    name: str
    within: str | None = None
    count: int | None = None
    bytes: int | None = None
    changed: datetime | None = None
    damaged: bool = False

    def to_json(self) -> dict[str, Json]:
        """The contract's ``DataItem`` object."""
        return {
            "key": self.key,
            "service": self.service,
            "kind": self.kind.value,
            "name": self.name,
            "within": self.within,
            "count": self.count,
            "bytes": self.bytes,
            "changed": iso(self.changed),
            "damaged": self.damaged,
        }


@dataclass(frozen=True, slots=True)
class BackupSummary:
    """A backup in brief, as a service shows its newest one."""

    id: str
    created: datetime
    bytes: int
    verified: Verified
    reason: Reason

    def to_json(self) -> dict[str, Json]:
        """The contract's ``BackupSummary`` object."""
        return {
            "id": self.id,
            "created": iso(self.created),
            "bytes": self.bytes,
            "verified": self.verified.value,
            "reason": self.reason.value,
        }


@dataclass(frozen=True, slots=True)
class Backup:
    """One portable file with a service's data; ``service`` is None where it is of all of them.

    ``path`` is relative to the folder Jupyter serves, ``bytes`` the file's size, ``sha256`` its
    checksum in hexadecimal.
    """

    id: str
    service: str | None
    created: datetime
    bytes: int
    sha256: str
    verified: Verified
    consistency: Consistency
    reason: Reason
    pinned: bool
    path: str
    versions: Mapping[str, str] = field(default_factory=dict)
    contents: tuple[DataItem, ...] = ()

    @property
    def summary(self) -> BackupSummary:
        """It in brief."""
        return BackupSummary(self.id, self.created, self.bytes, self.verified, self.reason)

    def to_json(self) -> dict[str, Json]:
        """The contract's ``Backup`` object."""
        return {
            "id": self.id,
            "service": self.service,
            "created": iso(self.created),
            "bytes": self.bytes,
            "sha256": self.sha256,
            "verified": self.verified.value,
            "consistency": self.consistency.value,
            "reason": self.reason.value,
            "pinned": self.pinned,
            "path": self.path,
            "versions": dict(self.versions),
            "contents": [item.to_json() for item in self.contents],
        }


@dataclass(frozen=True, slots=True)
class ResetPreview:
    """What a reset would do. Sizes in bytes; ``safety_copy_bytes`` None where nobody can say."""

    service: str
    goes: tuple[DataItem, ...]
    goes_bytes: int
    stays: tuple[str, ...]
    becomes: str
    safety_copy_bytes: int | None
    free_bytes: int

    def to_json(self) -> dict[str, Json]:
        """The contract's ``ResetPreview`` object."""
        return {
            "service": self.service,
            "goes": [item.to_json() for item in self.goes],
            "goes_bytes": self.goes_bytes,
            "stays": list(self.stays),
            "becomes": self.becomes,
            "safety_copy_bytes": self.safety_copy_bytes,
            "free_bytes": self.free_bytes,
        }

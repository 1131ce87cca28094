"""A backup of a real PostgreSQL, taken as a manager takes it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from ou_vce_ext.backups.manifest import Manifest
from ou_vce_ext.backups.postgres.strategy import PostgresStrategy
from ou_vce_ext.backups.strategy import Source, Taken
from ou_vce_ext.backups.watch import Watch
from ou_vce_ext.backups.writer import ArchiveWriter
from ou_vce_ext.models_backup import Reason


async def take(
    strategy: PostgresStrategy, path: Path, watch: Watch | None = None
) -> tuple[Source, Taken]:
    """A backup at ``path``, opened again; nothing where it fails."""
    archive = ArchiveWriter(path, watch or Watch())
    try:
        taken = await strategy.take(archive, archive.watch)
    except BaseException:
        archive.abandon()
        raise
    archive.finish(
        Manifest(
            "postgres",
            "postgres",
            "PostgreSQL",
            datetime.now(UTC),
            Reason.MANUAL,
            taken.consistency,
            taken.versions,
            taken.contents,
            tuple(archive.members),
            taken.details,
        )
    )
    return await strategy.open(path, path.name), taken

"""A backup's file, written as the core writes it: for tests that have no core."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from ou_vce_ext.backups.manifest import Manifest
from ou_vce_ext.backups.strategy import Strategy, Taken
from ou_vce_ext.backups.watch import Watch
from ou_vce_ext.backups.writer import ArchiveWriter
from ou_vce_ext.models import ServiceSpec
from ou_vce_ext.models_backup import Consistency, Reason

NOW = datetime(2026, 11, 26, tzinfo=UTC)
THING = ServiceSpec("thing", "fake", "Thing")
NOTHING = Taken((), Consistency.SNAPSHOT)


def manifest_of(
    archive: ArchiveWriter, taken: Taken = NOTHING, spec: ServiceSpec = THING
) -> Manifest:
    """What a backup of the service that ``spec`` declares says of itself."""
    return Manifest(
        service=spec.name,
        kind=spec.kind,
        title=spec.title,
        created=NOW,
        reason=Reason.MANUAL,
        consistency=taken.consistency,
        versions=taken.versions,
        contents=taken.contents,
        members=tuple(archive.members),
        details=taken.details,
    )


async def back_up(strategy: Strategy, path: Path, watch: Watch | None = None) -> Taken:
    """A file that is whole at ``path``, or nothing."""
    archive = ArchiveWriter(path, watch or Watch())
    try:
        taken = await strategy.take(archive, archive.watch)
        archive.finish(manifest_of(archive, taken, strategy.driver.spec))
    except BaseException:
        archive.abandon()
        raise
    return taken

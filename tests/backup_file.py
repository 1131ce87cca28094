"""A backup's file, written as the core writes it: for tests that have no core."""

from __future__ import annotations

import random
from collections.abc import Iterator
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


def spoilt(whole: bytes, seed: int, count: int) -> Iterator[tuple[bytes, bool]]:
    """``count`` spoilt copies of a backup, and whether each was cut; the others have a bit changed.

    What comes after the manifest is nothing but the end's zeros, so that no cut is there.
    """
    chance = random.Random(seed)
    for number in range(count):
        changed = bytearray(whole)
        cut = number % 2 == 0
        if cut:
            del changed[chance.randrange(len(whole) - 1024) :]
        else:
            changed[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        yield bytes(changed), cut


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

"""A backup of a real PostgreSQL, taken as a manager takes it."""

from __future__ import annotations

from pathlib import Path

from ou_vce_ext.backups.postgres.strategy import PostgresStrategy
from ou_vce_ext.backups.strategy import Source, Taken
from ou_vce_ext.backups.watch import Watch
from tests.backup_file import back_up


async def take(
    strategy: PostgresStrategy, path: Path, watch: Watch | None = None
) -> tuple[Source, Taken]:
    """A backup at ``path``, opened again; nothing where it fails."""
    taken = await back_up(strategy, path, watch)
    return await strategy.open(path, path.name), taken

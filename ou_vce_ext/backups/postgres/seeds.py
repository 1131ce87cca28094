"""What a fresh PostgreSQL begins with: ``seed = { databases = { NAME = [FILE, ...] } }``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ...drivers.postgres.driver import PostgresDriver
from ...errors import VceError
from ...models import ServiceSpec
from ...sentences import say


def files(spec: ServiceSpec) -> Mapping[str, Sequence[Path]]:
    """The declared files of each database, in their order."""
    declared = spec.seed.get("databases", {})
    if not isinstance(declared, Mapping):
        return {}
    return {
        str(name): [Path(str(each)) for each in ([paths] if isinstance(paths, str) else paths)]
        for name, paths in declared.items()
    }


def unusable(path: Path, error: Exception | None) -> VceError:
    """What to tell where a declared file cannot be had: that is not the student's fault."""
    why = error.message if isinstance(error, VceError) else str(error or "")
    if error is None:
        why = "it is a whole backup of this software, not a dump of one database."
    return VceError(
        "config-invalid",
        say(
            "What a fresh PostgreSQL begins with cannot be had from {name}: {why} Your "
            "databases are as they were.",
            name=path.name,
            why=why,
        ),
        say("Show this to your tutor: `seed` in this service's declaration names that file."),
    )


def in_words(driver: PostgresDriver) -> str:
    """What is there after a reset, in a sentence."""
    seeded = files(driver.spec)
    empty = [name for name in driver.declared.databases if name not in seeded]
    parts = []
    if seeded:
        parts.append(f"{', '.join(seeded)} as your module provides, as on the first day")
    if empty:
        parts.append(f"{', '.join(empty)} empty, as on the first day")
    sentence = "; ".join(parts)
    return f"{'Databases' if len(seeded) + len(empty) > 1 else 'The database'} {sentence}."

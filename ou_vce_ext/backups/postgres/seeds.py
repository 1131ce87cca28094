"""What a fresh PostgreSQL begins with: ``seed = { databases = { NAME = [FILE, ...] } }``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ...drivers.postgres.driver import PostgresDriver
from ...errors import VceError
from ...listing import listed
from ...models import ServiceSpec
from ...oserrors import why
from ...sentences import in_a_row, say, say_many


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
    if error is None:
        told: str = say("it is a whole backup of this software, not a dump of one database.")
    elif isinstance(error, VceError):
        told = error.message
    else:
        told = say("{reason}.", reason=why(error))
    return VceError(
        "config-invalid",
        say(
            "What a fresh PostgreSQL begins with cannot be had from {name}: {why} Your "
            "databases are as they were.",
            name=path.name,
            why=told,
        ),
        say("Show this to your tutor: `seed` in this service's declaration names that file."),
    )


def in_words(driver: PostgresDriver) -> str:
    """What is there after a reset, in a sentence."""
    seeded = files(driver.spec)
    empty = [name for name in driver.declared.databases if name not in seeded]
    parts = []
    if seeded:
        parts.append(
            say_many(
                "The database {names} as your module provides it, as on the first day.",
                "The databases {names} as your module provides them, as on the first day.",
                len(seeded),
                names=listed(seeded),
            )
        )
    if empty:
        parts.append(
            say_many(
                "The database {names} empty, as on the first day.",
                "The databases {names} empty, as on the first day.",
                len(empty),
                names=listed(empty),
            )
        )
    return in_a_row(parts)

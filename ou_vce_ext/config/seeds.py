"""What a fresh service is to hold: the keys of ``seed`` for each kind, and the files they name."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from ..drivers.base import Option
from ..sentences import say


def _check_files(value: object) -> str | None:
    names = (value,) if isinstance(value, str) else value
    if not isinstance(names, Sequence) or not names:
        return say("must name at least one file")
    if not all(isinstance(name, str) and name.strip() for name in names):
        return say('must hold names of files, such as ["seed/first.tar.gz"]')
    return None


def _check_collections(value: object) -> str | None:
    """Databases, in each its collections, for each the name of a file."""
    for db, files in value.items() if isinstance(value, Mapping) else ():
        if not isinstance(files, Mapping) or not files:
            return say(
                "must have a table of collections for each database: {database} = "
                '{{ people = "seed/people.csv" }}',
                database=db,
            )
        for name, file in files.items():
            if not isinstance(file, str) or not file.lower().removesuffix(".gz").endswith(EXPORTS):
                return say(
                    "must name a file of {endings} for {collection} (.gz may follow)",
                    endings=", ".join(EXPORTS),
                    collection=f"{db}.{name}",
                )
    return None


def _check_databases(value: object) -> str | None:
    if not isinstance(value, Mapping) or not value:
        return say('must be a table such as { tm351 = "seed/tm351.dump" }')
    for name, files in value.items():
        if not 0 < len(str(name).encode()) <= 63 or str(name) in ("template0", "template1"):
            return say("has '{name}', which cannot be the name of a database", name=str(name)[:70])
        if trouble := _check_files(files):
            return trouble
    return None


EXPORTS: Final = (".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".bson")
"""How the name of a file ends that can become one collection."""
FILES: Final = (str, list, tuple)
"""The types of a key that names one file or several."""
_FOLDER: Final = {"folder": Option((str,), "a folder to begin with", check=_check_files)}
SEED_KEYS: Final[Mapping[str, Mapping[str, Option]]] = {
    "openrefine": {"projects": Option(FILES, "project archives", check=_check_files)},
    "mongo": {
        "dump": Option(FILES, "dumps or backups", check=_check_files),
        "collections": Option(
            (dict,), "a file for each collection of a database", check=_check_collections
        ),
    },
    "postgres": {
        "databases": Option((dict,), "dumps or scripts for each database", check=_check_databases)
    },
    "web": _FOLDER,
    "desktop": _FOLDER,
}
"""By kind. A kind that is not here judges its seed itself."""
NAMES_FILES: Final = frozenset({"projects", "folder", "dump"})
"""The keys whose texts are names of files or folders."""

LISTS_FILES: Final = frozenset({"databases"})
"""The keys that are tables, with names of files for each name."""


def located(value: object, folder: Path | None) -> tuple[Path, ...]:
    """The files that ``value`` names, from ``folder`` on, which holds the declaration."""
    names = [value] if isinstance(value, str) else value
    start = folder or Path()
    return tuple(
        start / os.path.expanduser(str(name))
        for name in (names if isinstance(names, Sequence) else ())
    )


def located_lists(value: object, folder: Path | None) -> dict[str, tuple[Path, ...]]:
    """The same for a table of lists of names."""
    tables = value.items() if isinstance(value, Mapping) else ()
    return {str(key): located(names, folder) for key, names in tables}


def located_tables(value: object, folder: Path | None) -> dict[str, dict[str, Path]]:
    """The same for tables of names of files within a table."""
    start = folder or Path()
    return {
        str(key): {str(name): start / os.path.expanduser(str(file)) for name, file in inner.items()}
        for key, inner in (value.items() if isinstance(value, Mapping) else ())
        if isinstance(inner, Mapping)
    }

"""What backups are called: as files, so that a student knows them, and as ids in addresses."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from pathlib import Path
from typing import Final

from ..models_backup import Reason
from .writer import PARTIAL

FOLDER: Final = "backups"
"""In the folder Jupyter serves; each service has ``NAME-backup`` in it."""
_SUFFIX: Final = "-backup"
EVERYTHING: Final = "everything"
"""The kind of a backup of all services, and what its file is called."""
_WORDS: Final = {
    Reason.MANUAL: "",
    Reason.SAFETY: "safety-copy-",
    Reason.SCHEDULED: "automatic-",
    Reason.UPLOAD: "",
}
_ALL: Final = "ALL"
"""Stands for a service's name in the id of a backup of all: no service can be called that."""
_LONGEST_ID: Final = 128
_IN_IDS: Final = re.compile(r"[A-Za-z0-9._-]+")
_LONGEST_NAME: Final = 255


def folder_of(service: str | None) -> str:
    """The folder of a service's backups, below :data:`FOLDER`; of those of all: that itself."""
    return f"{service}{_SUFFIX}" if service else ""


def service_of(folder: str) -> str | None:
    """The service whose folder this is called after, or None where it is nobody's."""
    name = folder.removesuffix(_SUFFIX)
    known = folder.endswith(_SUFFIX) and re.fullmatch(r"[a-z][a-z0-9-]{0,30}", name)
    return name if known else None


def file_name(service: str | None, reason: Reason, moment: datetime, folder: Path) -> str:
    """A name nobody has in ``folder`` yet: the service, why, and when by the clock on the wall."""
    when = moment.astimezone().strftime("%Y-%m-%d-%H%M%S")
    stem = f"{service or EVERYTHING}-{_WORDS[reason]}{when}"
    name, count = f"{stem}.tar", 1
    while (folder / name).exists() or (folder / (name + PARTIAL)).exists():
        count += 1
        name = f"{stem}-{count}.tar"
    return name


def identifier(service: str | None, filename: str) -> str:
    """What a backup is called in addresses: the same for as long as its file has its name."""
    plain = f"{service or _ALL}.{filename}"
    if len(plain) <= _LONGEST_ID and _IN_IDS.fullmatch(filename):
        return plain
    slug = re.sub(r"[^A-Za-z0-9.-]+", "_", filename)[:60]
    mark = hashlib.sha256(filename.encode("utf-8", "surrogateescape")).hexdigest()[:12]
    return f"{service or _ALL}.{slug}_{mark}"


def mark_of(reason: Reason) -> str:
    """What the names of files taken for ``reason`` have in them."""
    return _WORDS[reason]


def uploaded_name(filename: str, folder: Path) -> str:
    """A name nobody has in ``folder`` for a file its owner calls ``filename``."""
    given = filename.lstrip(".") or "backup"
    while given.endswith(PARTIAL):
        # What ends so is not whole, and goes at the next start.
        given = given.removesuffix(PARTIAL) or "backup"
    stem, dot, suffix = given.partition(".")
    budget = _LONGEST_NAME - len(PARTIAL) - 8
    while len(f"{stem}{dot}{suffix}".encode("utf-8", "surrogateescape")) > budget:
        stem, suffix = (stem[:-1], suffix) if len(stem) > 1 else (stem, suffix[1:])
    name, count = f"{stem}{dot}{suffix}", 1
    while (folder / name).exists() or (folder / (name + PARTIAL)).exists():
        count += 1
        name = f"{stem}-{count}{dot}{suffix}"
    return name

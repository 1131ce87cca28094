"""Which files are backups of ours, seen from how they begin."""

from __future__ import annotations

from pathlib import Path

from ...errors import UnsuitableError
from ...sentences import say
from ..manifest import NAME as MANIFEST
from ..reader import Archive
from . import as_files
from .packing import SUFFIX
from .source import KIND, PROJECTS, SETTINGS


def own(path: Path, offset: int, length: int) -> Archive | None:
    """The backup of ours in a file; None where it is none of ours.

    Raises UnsuitableError where it is of another service, or is ours and broken.
    """
    with path.open("rb") as file:
        file.seek(offset)
        head = file.read(512)
    if not looks_like_ours(head):
        return None
    archive = Archive(path, offset=offset, length=length)
    if archive.manifest.kind != KIND:
        raise UnsuitableError(
            say(
                "This is a backup of {title}, not of OpenRefine. Nothing was changed.",
                title=archive.manifest.title,
            ),
            say("Restore it from the list of that service's backups."),
        )
    return archive


def looks_like_ours(head: bytes) -> bool:
    """Whether a tar's first header is one that our backups of OpenRefine begin with."""
    name = head[:100].split(b"\0")[0].decode("utf-8", "replace")
    ours = name.startswith(f"{PROJECTS}/") and name.endswith((SUFFIX, as_files.SUFFIX))
    return head[257:262] == b"ustar" and (ours or name in (SETTINGS, MANIFEST))

"""Recognising a file: a backup of ours, or a dump that was made by hand or elsewhere."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from ...errors import UnsuitableError
from ...sentences import say
from ..reader import Archive
from ..threads import in_thread
from ..watch import Watch
from .blame import not_the_files
from .foreign import ForeignDump, from_listing, read_script
from .packed import Format, Packed, discard, find_dump, unpack
from .sources import OwnBackup
from .tool import ToolFailedError, Tools


async def open_source(
    tools: Tools, path: Path, filename: str, offset: int, length: int | None
) -> OwnBackup | ForeignDump:
    """See what ``path`` is, and that it is whole. Raises UnsuitableError.

    ``tools`` have no door.
    """
    watch = Watch()
    own = await in_thread(watch, _own, path, offset, length, watch)
    if isinstance(own, OwnBackup):
        return own
    if offset or length is not None:
        raise own
    packed, kind = await in_thread(watch, find_dump, path)
    if kind == "sql":
        return await in_thread(watch, read_script, packed, filename, watch)
    return await _archive(tools, packed, kind, filename, watch)


def _own(path: Path, offset: int, length: int | None, watch: Watch) -> OwnBackup | UnsuitableError:
    """It, or why it is none of ours; a damaged one of ours is refused at once."""
    try:
        archive = Archive(path, offset=offset, length=length)
    except UnsuitableError as refusal:
        return refusal
    source = OwnBackup(archive)
    archive.check(watch)
    return source


async def _archive(
    tools: Tools, packed: Packed, kind: Format, filename: str, watch: Watch
) -> ForeignDump:
    """Read an archive to its end, every value of it."""
    plain = await in_thread(watch, unpack, packed, tools.folder, watch)
    try:
        shape = f"--format={kind}"
        listing = await tools.run("pg_restore", "--list", shape, str(plain.path))
        found = from_listing(packed, kind, listing, filename)
        await tools.run("pg_restore", shape, "--file=/dev/null", str(plain.path))
    except ToolFailedError as error:
        if other := not_the_files(error, tools.folder):
            raise other from error
        newer = "unsupported version" in error.said
        raise UnsuitableError(
            say(
                "This dump was made by a newer PostgreSQL than this machine has ({major}). Nothing "
                "was changed.",
                major=tools.server.major,
            )
            if newer
            else say(
                "This dump is damaged, or not whole: {reason}. Nothing was changed.",
                reason=error.reason,
            ),
            say("Restore it where a newer PostgreSQL is installed.")
            if newer
            else say("Use another file."),
        ) from error
    finally:
        discard(plain, packed)
    return dataclasses.replace(found, path=packed.path)

"""Putting one database of any source into an empty one, as a user without special rights."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import BinaryIO, Final

from ...drivers.postgres.door import Door
from ..threads import in_thread
from ..watch import Watch
from .foreign import ForeignDump
from .loading import Loader
from .packed import discard, understood, unpack
from .pipes import PipeWriter
from .sources import OwnBackup
from .tool import Tools

_AS_SCRIPT: Final = (
    "--no-owner",
    "--no-privileges",
    "--no-tablespaces",
    "--no-subscriptions",
    "--file={pipe}",
)


async def pour(
    tools: Tools, door: Door, source: OwnBackup | ForeignDump, name: str | None, watch: Watch
) -> None:
    """Fill the database of ``door`` with the one that ``source`` calls ``name`` (None: with all).

    ``tools`` have no door: archives are made scripts of, which a connection of ours runs. Raises
    UnsuitableError, ToolFailedError.
    """
    several = isinstance(source, ForeignDump) and len(source.databases) > 1
    begins = source.begins_in if isinstance(source, ForeignDump) else None
    loader = Loader(door, watch, name if several else None, begins)
    minding = asyncio.ensure_future(loader.mind_cancelling())
    try:
        await _run(tools, loader, source, name, watch)
    finally:
        minding.cancel()
        with suppress(asyncio.CancelledError):
            await minding


async def _run(
    tools: Tools, loader: Loader, source: OwnBackup | ForeignDump, name: str | None, watch: Watch
) -> None:
    if isinstance(source, OwnBackup):
        [member] = [each.dump for each in source.databases if each.database.name == name]

        def give(writer: PipeWriter) -> None:
            with source.archive.open(member) as file:
                writer.copy(file)

        arguments = (*_AS_SCRIPT, "--format=custom", "{from}")
        await tools.converting(watch, give, loader.run, "pg_restore", *arguments)
    elif source.format == "sql":

        def read() -> None:
            with understood(), source.packed.open() as file:
                loader.run(Counted(file, watch))  # type: ignore[arg-type]

        await in_thread(watch, read)
    else:
        plain = await in_thread(watch, unpack, source.packed, tools.folder, watch)
        try:
            arguments = (*_AS_SCRIPT, f"--format={source.format}", str(plain.path))
            await tools.reading(watch, loader.run, "pg_restore", *arguments)
        finally:
            discard(plain, source.packed)


class Counted:
    """A file whose bytes are counted as work done."""

    def __init__(self, file: BinaryIO, watch: Watch) -> None:
        self._file = file
        self._watch = watch

    def read(self, size: int) -> bytes:
        """As files do. Raises WorkCancelledError."""
        block = self._file.read(size)
        self._watch.did(len(block))
        return block

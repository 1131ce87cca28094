"""One file to take away, with every service's backup in it and folders beside them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ..listing import listed
from ..models_backup import Consistency, DataItem, Reason
from ..sentences import in_a_row, say, say_many
from . import folders as files
from .job import House, Job, guarded
from .manifest import Manifest
from .names import EVERYTHING
from .parts import SERVICES, prefixed
from .store import Stored
from .taking import write
from .threads import in_thread, made, to_its_end
from .watch import Watch
from .writer import PARTIAL, ArchiveWriter, MemberWriter, Written


async def take_everything(
    house: House, jobs: Sequence[Job], folders: Sequence[str], reason: Reason, watch: Watch
) -> tuple[Stored, int]:
    """Back up ``jobs``' services and ``folders``; tells how many files could not be read.

    Raises VceError, with nothing of it left.
    """

    async def work() -> tuple[Stored, int]:
        now = house.clock.now()
        path = await asyncio.to_thread(house.store.place_for, None, reason, now)
        archive = await made(lambda: ArchiveWriter(path, watch), ArchiveWriter.abandon)
        try:
            written, manifest, left_out = await _fill(house, jobs, folders, reason, archive, watch)
        except BaseException:
            watch.cancel()
            await to_its_end(archive.abandon)
            raise
        return await house.store.add(written, manifest), left_out

    return await guarded(say("the backup"), work)


def all_there(name: str, missing: Sequence[str], left_out: int) -> str:
    """What a backup of everything came to; ``missing`` are the titles of what does not run."""
    told = say("Everything is backed up: {name}", name=name)
    if missing:
        told = say_many(
            "Everything is backed up, but {titles}, which does not run: {name}",
            "Everything is backed up, but {titles}, which do not run: {name}",
            len(missing),
            titles=listed(missing),
            name=name,
        )
    if not left_out:
        return told
    unread = say_many(
        "{count} file could not be read and is not in it",
        "{count} files could not be read and are not in it",
        left_out,
    )
    return in_a_row((told, unread), ". ")


async def _fill(
    house: House,
    jobs: Sequence[Job],
    folders: Sequence[str],
    reason: Reason,
    archive: ArchiveWriter,
    watch: Watch,
) -> tuple[Written, Manifest, int]:
    contents: list[DataItem] = []
    consistency = Consistency.SNAPSHOT
    versions: dict[str, str] = {}
    low, high = watch.range
    share = (high - low) / max(1, len(jobs) + len(folders))
    for number, job in enumerate(jobs):
        watch.part(low + number * share, low + (number + 1) * share)
        inner = await _add_service(job, reason, archive, watch)
        contents += [prefixed(item, job.item.spec.name) for item in inner.contents]
        consistency = _weaker(consistency, inner.consistency)
        versions |= inner.versions
    left_out = 0
    root = house.store.root_dir
    for number, folder in enumerate(folders, len(jobs)):
        watch.part(low + number * share, low + (number + 1) * share)
        watch.step(
            say("Copying {folder}", folder=folder),
            await asyncio.to_thread(files.size_of, root, [folder]),
        )
        item, missed = await in_thread(watch, files.pack, archive, root, folder)
        contents.append(item)
        left_out += missed
        # Files are copied one by one, while anybody may change them.
        consistency = Consistency.PER_COLLECTION
    manifest = Manifest(
        service=None,
        kind=EVERYTHING,
        title="Everything",
        created=house.clock.now(),
        reason=reason,
        consistency=consistency,
        versions=versions,
        contents=tuple(contents),
        members=tuple(archive.members),
        details={"services": [job.item.spec.name for job in jobs], "folders": list(folders)},
    )
    watch.part(low, high)
    watch.step(say("Writing it to disk"))
    return await in_thread(watch, archive.finish, manifest), manifest, left_out


async def _add_service(job: Job, reason: Reason, archive: ArchiveWriter, watch: Watch) -> Manifest:
    """A service's own backup as a member, by way of a file: sizes are written last."""
    name = job.item.spec.name
    passing = archive.path.with_name(f"{archive.path.name}.{name}{PARTIAL}")
    try:
        written, manifest = await write(job, reason, passing)
        watch.step(say("Adding {title}", title=job.title), written.bytes)
        with archive.member(f"{SERVICES}{name}.tar", written.bytes) as member:
            await in_thread(watch, _copy, passing, member)
    finally:
        await to_its_end(lambda: _unlink(passing))
    return manifest


def _copy(path: Path, member: MemberWriter) -> None:
    with path.open("rb") as file:
        member.copy(file)


def _unlink(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _weaker(one: Consistency, other: Consistency) -> Consistency:
    """The weaker of two promises; they are declared from strong to weak."""
    order = list(Consistency)
    return max(one, other, key=order.index)

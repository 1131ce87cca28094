"""Backups of a service whose data are the files in its declared ``data_dir``."""

from __future__ import annotations

import asyncio
import io
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, ClassVar, Final, cast

from ...drivers.lock_file import lock_is_free
from ...errors import BadRequestError, ConflictError, UnsuitableError, VceError
from ...models import Json
from ...models_backup import Consistency, DataItem, ItemKind
from ...sentences import say
from ...services.private_files import sync_folder
from .. import places
from ..manifest import NAME as MANIFEST
from ..names import FOLDER as BACKUPS
from ..reader import Archive, View
from ..strategy import Built, Layer, Source, Strategy, Taken
from ..threads import in_thread, to_its_end
from ..watch import Watch
from ..writer import ArchiveWriter
from .packing import damaged, pack, unpack
from .source import FolderSource, copy_seed
from .tree import Sum, moment_of, quick_sum

KINDS: Final = ("web", "desktop")
MEMBER: Final = "files.tar"
KEY: Final = "files"
_SHOWN: Final = 20
_NAME: Final = re.compile(r"[^/\0.][^/\0]{0,99}")
_MOVING: Final = "The program was running: files that it wrote to meanwhile may be of two moments."


class FolderStrategy(Strategy):
    """One folder, whole: its files belong together, so it is brought back as one."""

    kind: ClassVar[str] = "folder"
    needs_running: ClassVar[bool] = False
    _seen: object = None

    @property
    def _folder(self) -> Path:
        return self.driver.data_dir

    def _runs(self) -> bool:
        lock = getattr(self.driver, "lock_file", None)
        return isinstance(lock, Path) and not lock_is_free(lock)

    def _refuse_too_much(self) -> None:
        """Raise ConflictError where the folder is one in which other things live as well."""
        site, folder = self.driver.site, self._folder
        for inside in (site.root_dir / BACKUPS, site.private_dir):
            if os.path.realpath(inside).startswith(os.path.join(os.path.realpath(folder), "")):
                raise ConflictError(
                    say(
                        "{folder} holds much more than the data of {title}, so it is neither "
                        "backed up nor replaced as its own. Nothing was changed.",
                        folder=folder,
                        title=self.driver.spec.title,
                    ),
                    say("Have a folder of its own declared as its `data_dir`."),
                )

    # -- looking ---------------------------------------------------------------------------------

    async def look(self) -> tuple[DataItem, ...]:
        """The folder, with the number of its files."""
        self._refuse_too_much()
        found = await asyncio.to_thread(self._quick)
        return (self._item(found),) if found.files else ()

    def _quick(self) -> Sum:
        try:
            return quick_sum(self._folder)
        except FileNotFoundError:
            return Sum()

    def _item(self, found: Sum) -> DataItem:
        return DataItem(
            key=KEY,
            service=self.driver.spec.name,
            kind=ItemKind.FOLDER,
            name=self._folder.name,
            count=found.files,
            bytes=found.bytes,
            changed=found.moment,
        )

    async def estimate(self) -> int | None:
        """The bytes of its files."""
        try:
            return (await asyncio.to_thread(self._quick)).bytes
        except OSError:
            return None

    def becomes(self) -> str:
        """What a reset leads to."""
        seed = self._seed()
        if seed is None:
            return say("An empty folder, as on the first day.")
        return say("The files of your module, as on the first day ({name}).", name=seed.name)

    def _seed(self) -> Path | None:
        declared = self.driver.spec.seed.get("folder")
        if isinstance(declared, Sequence) and declared:
            return Path(declared if isinstance(declared, str) else str(declared[0]))
        return None

    async def changed(self) -> bool | None:
        """Whether a file was changed, made or deleted since this was asked before."""
        try:
            now: object = (await asyncio.to_thread(self._quick)).to_json()
        except OSError:
            return None
        before, self._seen = self._seen, now
        return None if before is None else before != now

    # -- backing up ------------------------------------------------------------------------------

    async def take(self, archive: ArchiveWriter, watch: Watch) -> Taken:
        """All files, as one tar."""
        self._refuse_too_much()
        self.moment = await self._moment()
        ran = await asyncio.to_thread(self._runs)
        watch.step(say("Packing files"), await self.estimate())
        found = await in_thread(watch, self._take, archive, watch)
        moving = ran or await asyncio.to_thread(self._runs)
        details: dict[str, Json] = {KEY: found.to_json()}
        if moving:
            details["note"] = _MOVING
        if found.left_out:
            details["left_out"] = list(found.left_out[:_SHOWN])
            details["left_out_count"] = len(found.left_out)
        consistency = Consistency.PER_COLLECTION if moving else Consistency.QUIESCED
        return Taken((self._item(found),), consistency, details=details)

    async def moved_on(self, moment: object) -> bool:
        """By names, sizes and times of its files."""
        return moment is None or await self._moment() != moment

    async def _moment(self) -> object:
        try:
            return await asyncio.to_thread(moment_of, self._folder)
        except FileNotFoundError:
            return ""
        except OSError:
            return None

    def _take(self, archive: ArchiveWriter, watch: Watch) -> Sum:
        with archive.member(MEMBER) as member:
            if not self._folder.exists():
                member.write(bytes(1024))
                return Sum()
            return pack(self._folder, member, watch)

    # -- reading ---------------------------------------------------------------------------------

    async def open(
        self, path: Path, filename: str, *, offset: int = 0, length: int | None = None
    ) -> Source:
        """A backup of ours, or a zip or tar of a folder."""
        watch = Watch()
        return await in_thread(watch, self._open, path, offset, length, watch)

    def _open(self, path: Path, offset: int, length: int | None, watch: Watch) -> Source:
        size = path.stat().st_size - offset if length is None else length
        with path.open("rb") as file:
            head = View(file, offset, size).read(512) or b""
            if head[257:262] != b"ustar" or head[:100].split(b"\0")[0].decode(
                "utf-8", "replace"
            ) not in (MEMBER, MANIFEST):
                view = cast("BinaryIO", io.BufferedReader(View(file, offset, size), 65_536))
                found = unpack(view, size, None, "", watch)
                items = (self._item(found),)
                return FolderSource(path, offset, size, items, Consistency.QUIESCED, whole=False)
        archive = Archive(path, offset=offset, length=size)
        manifest = archive.manifest
        if manifest.kind not in KINDS or manifest.service != self.driver.spec.name:
            raise UnsuitableError(
                say(
                    "This is a backup of {theirs}, not of {ours}. Nothing was changed.",
                    theirs=manifest.title,
                    ours=self.driver.spec.title,
                ),
                say("Restore it from the list of that service's backups."),
            )
        archive.check(watch)
        told = manifest.details.get(KEY)
        if archive.names != [MEMBER] or not isinstance(told, dict):
            raise damaged(say("its contents are not those it describes"))
        start, bytes_ = archive.place_of(MEMBER)
        return FolderSource(
            path,
            start,
            bytes_,
            manifest.contents,
            manifest.consistency,
            whole=True,
            versions=manifest.versions,
            told=told,
        )

    # -- building --------------------------------------------------------------------------------

    async def build(self, layers: Sequence[Layer], watch: Watch, *, keep: bool) -> Built | None:
        """A new folder of the last layer's files, or the seed's; compared with what is told."""
        if keep:
            self._refuse_too_much()
        place = places.new_place(self._folder)
        watch.step(say("Unpacking files"), sum(each.bytes or 0 for each in _contents(layers)))
        try:
            await in_thread(watch, self._build, layers, place, watch)
        except BaseException:
            await to_its_end(lambda: places.remove(place))
            raise
        if not keep:
            await to_its_end(lambda: places.remove(place))
            return None
        return Built(place, self._folder)

    def _build(self, layers: Sequence[Layer], place: Path, watch: Watch) -> None:
        places.make(place)
        if layers:
            _ours(layers[-1].source).unpack(place, self._folder.name, watch)
        elif (seed := self._seed()) is not None:
            self._sow(seed, place, watch)
        places.take_after(place, self._folder)
        sync_folder(place)

    def _sow(self, seed: Path, place: Path, watch: Watch) -> None:
        try:
            if seed.is_dir():
                copy_seed(seed, place, watch)
            else:
                with seed.open("rb") as file:
                    unpack(file, seed.stat().st_size, place, self._folder.name, watch)
        except (OSError, UnsuitableError) as error:
            raise VceError(
                "config-invalid",
                say(
                    "The files that a fresh {title} begins with cannot be had from {name}. Your "
                    "files are as they were.",
                    title=self.driver.spec.title,
                    name=seed.name,
                ),
                say("Show this to your tutor: `seed` in this service's declaration names it."),
            ) from error

    async def load_beside(
        self, source: Source, items: frozenset[str] | None, name: str, watch: Watch
    ) -> None:
        """A new folder called ``name``, beside the live one."""
        tidy = name.strip()
        if not _NAME.fullmatch(tidy) or not tidy.isprintable():
            raise BadRequestError(
                say("This cannot be the name of a folder. Nothing was done."),
                say("Use up to 100 letters and digits, no / and no dot at its beginning."),
            )
        target = self._folder.with_name(tidy)
        if os.path.lexists(target):
            raise ConflictError(
                say(
                    "There is a {name} already beside {folder}. Nothing was changed.",
                    name=tidy,
                    folder=self._folder.name,
                ),
                say("Choose another name for it."),
            )
        built = await self.build([Layer(source)], watch, keep=True)
        try:
            if built:
                await to_its_end(lambda: built.folder.rename(target))
        finally:
            await to_its_end(lambda: places.remove(built.folder) if built else None)

    async def clean(self) -> None:
        """Remove the folders that calls that were cut off have left."""
        for place in await asyncio.to_thread(places.left_behind, self._folder):
            await asyncio.to_thread(places.remove, place)


def _ours(source: Source) -> FolderSource:
    if isinstance(source, FolderSource):
        return source
    raise TypeError("a source of another strategy")


def _contents(layers: Sequence[Layer]) -> tuple[DataItem, ...]:
    return layers[-1].source.contents if layers else ()

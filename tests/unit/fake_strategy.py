"""A strategy for a service whose data are plain files in its folder, and that does as told."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ou_vce_ext.backups.reader import Archive
from ou_vce_ext.backups.scratch import MARK
from ou_vce_ext.backups.strategy import Built, Layer, Source, Strategy, Taken
from ou_vce_ext.backups.swap import MARKER
from ou_vce_ext.backups.threads import in_thread
from ou_vce_ext.backups.watch import Watch
from ou_vce_ext.backups.writer import ArchiveWriter
from ou_vce_ext.drivers.base import Driver
from ou_vce_ext.errors import ConflictError, UnsuitableError, VceError
from ou_vce_ext.models_backup import Consistency, DataItem, ItemKind

FOREIGN = b"PLAIN\n"
"""How a file begins that the service's own tools made: the rest is one file's content."""


def item(name: str, size: int) -> DataItem:
    """One file of the service."""
    return DataItem(name, "thing", ItemKind.PROJECT, name, count=1, bytes=size)


class FileSource:
    """A backup of ours, or a foreign file that holds one item called like itself."""

    def __init__(self, path: Path, filename: str, offset: int, length: int | None) -> None:
        self.path = path
        self.consistency = Consistency.QUIESCED
        self.versions: Mapping[str, str] = {}
        with path.open("rb") as file:
            file.seek(offset)
            foreign = file.read(len(FOREIGN)) == FOREIGN
        self.whole = not foreign
        if foreign:
            content = path.read_bytes()[offset : None if length is None else offset + length]
            self.files = {Path(filename).stem: content.removeprefix(FOREIGN)}
        else:
            archive = Archive(path, offset=offset, length=length)
            archive.check(Watch())
            self.files = {}
            for name in archive.names:
                with archive.open(name) as member:
                    self.files[name] = member.read()
        self.contents = tuple(item(name, len(held)) for name, held in self.files.items())


class FileStrategy(Strategy):
    """``gates`` hold a step up until they are set; ``failures`` are raised by the step named.

    ``meanwhile`` has what others do in the service while a step is done.
    """

    kind = "fake"
    needs_running = True
    seed: Mapping[str, bytes] = {"first": b"the module's"}

    def __init__(self, driver: Driver) -> None:
        super().__init__(driver)
        self.gates: dict[str, asyncio.Event] = {}
        self.failures: dict[str, Exception] = {}
        self.meanwhile: dict[str, Callable[[], None]] = {}
        self.calls: list[str] = []
        self.size: int | None = None

    async def _step(self, name: str) -> None:
        self.calls.append(name)
        if name in self.meanwhile:
            self.meanwhile[name]()
        if name in self.gates:
            await self.gates[name].wait()
        if name in self.failures:
            raise self.failures[name]

    @property
    def folder(self) -> Path:
        """Where the live data are."""
        return self.driver.site.data_dir

    def live(self) -> dict[str, bytes]:
        """What the service holds now."""
        if not self.folder.is_dir():
            return {}
        there = sorted(path for path in self.folder.iterdir() if path.is_file())
        return {path.name: path.read_bytes() for path in there if path.name != MARKER}

    async def look(self) -> tuple[DataItem, ...]:
        await self._step("look")
        return tuple(item(name, len(content)) for name, content in self.live().items())

    async def estimate(self) -> int | None:
        return self.size

    async def take(self, archive: ArchiveWriter, watch: Watch) -> Taken:
        self.moment = self.live()
        await self._step("take")
        files = self.live()
        watch.step("Copying files", sum(map(len, files.values())))

        def write() -> None:
            for name, content in files.items():
                archive.add(name, content)

        await in_thread(watch, write)
        contents = tuple(item(name, len(content)) for name, content in files.items())
        return Taken(contents, Consistency.QUIESCED, {"Thing": "1.0"})

    async def hold(self) -> None:
        await self._step("hold")

    async def moved_on(self, moment: object) -> bool:
        await self._step("moved_on")
        return moment != self.live()

    async def open(
        self, path: Path, filename: str, *, offset: int = 0, length: int | None = None
    ) -> Source:
        await self._step("open")
        return await asyncio.to_thread(FileSource, path, filename, offset, length)

    async def build(self, layers: Sequence[Layer], watch: Watch, *, keep: bool) -> Built | None:
        await self._step("build")
        files = dict(self.seed) if not layers else {}
        for layer in layers:
            assert isinstance(layer.source, FileSource)
            for name, content in layer.source.files.items():
                if layer.items is None or name in layer.items:
                    files[name] = content
        if any(content == b"broken" for content in files.values()):
            raise UnsuitableError("This backup cannot be restored.")
        if not keep:
            return None
        tag = secrets.token_hex(3)
        folder = self.folder.with_name(f"{self.folder.name}{MARK}{tag}")
        folder.mkdir(parents=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        return Built(folder, self.folder)

    async def load_beside(
        self, source: Source, items: frozenset[str] | None, name: str, watch: Watch
    ) -> None:
        await self._step("load_beside")
        assert isinstance(source, FileSource)
        if (self.folder / name).exists():
            raise ConflictError(f"There is a {name} already.")
        chosen = [held for key, held in source.files.items() if items is None or key in items]
        (self.folder / name).write_bytes(chosen[0])

    async def check_live(self) -> None:
        await self._step("check_live")
        if any(content == b"does not come up" for content in self.live().values()):
            raise VceError("data-corrupt", "It does not serve.", "Use another.")

    async def clean(self) -> None:
        self.calls.append("clean")

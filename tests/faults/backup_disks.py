"""Fault 19 on each kind of service: a disk that a whole home is on, and that becomes full."""

from __future__ import annotations

import asyncio
import gzip
import io
import shutil
import tarfile
from collections.abc import Mapping
from typing import Any, ClassVar

from ou_vce_ext.backups.reader import Archive

from .app_commands import app
from .backup_mongo import OnMongo
from .backup_openrefine import OnOpenRefine
from .backup_postgres import OnPostgres
from .backup_stages import DiskFull
from .fault import Fault


class PostgresDiskFull(OnPostgres, DiskFull):
    """A dump of pg_dump's, packed, is unpacked to be read."""

    title = "The disk becomes full at any stage of PostgreSQL's backups, proofs and restores"
    disk = 600_000_000
    rows = 20_000

    def dump_of_others(self, archive: Archive) -> tuple[str, bytes]:
        with archive.open("databases/student.dump") as member:
            return "theirs.dump.gz", gzip.compress(member.read())

    async def forget_second(self) -> None:
        await self.ask("DROP DATABASE IF EXISTS second", "postgres")


class MongoDiskFull(OnMongo, DiskFull):
    """A folder of mongodump's, packed."""

    title = "The disk becomes full at any stage of MongoDB's backups, proofs and restores"
    disk = 1_500_000_000
    documents = 2_000

    def dump_of_others(self, archive: Archive) -> tuple[str, bytes]:
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w:gz") as packed:
            for name in archive.names:
                with archive.open(name) as member:
                    info = tarfile.TarInfo(name)
                    info.size = archive.bytes_of(name)
                    packed.addfile(info, member)
        return "theirs.tar.gz", made.getvalue()

    async def forget_second(self) -> None:
        await self.on_live(lambda client: client.drop_database("second"))


class OpenRefineDiskFull(OnOpenRefine, DiskFull):
    """A project archive of OpenRefine's own."""

    title = "The disk becomes full at any stage of OpenRefine's backups, proofs and restores"
    disk = 200_000_000
    projects = 2
    rows = 4_000

    def dump_of_others(self, archive: Archive) -> tuple[str, bytes]:
        name = next(each for each in archive.names if each.endswith(".openrefine.tar.gz"))
        with archive.open(name) as member:
            return "theirs.openrefine.tar.gz", member.read()

    async def forget_second(self) -> None:
        for project, name in (await self.client.names()).items():
            if name == "second":
                await self.client.delete(project)


class FolderDiskFull(DiskFull):
    """A web app's; a tar of its folder."""

    kind = "web"
    title = "The disk becomes full at any stage of a web app's backups, proofs and restores"
    disk = 30_000_000
    declared: ClassVar[Mapping[str, Any]] = {"command": app("serves"), "data_dir": "data/web"}

    async def make(self) -> None:
        for number in range(40):
            path = self.live.driver.data_dir / f"{number % 7}" / f"Łódź {number}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bytes([number]) * 20_000)

    async def described(self) -> Any:
        folder = self.live.driver.data_dir
        return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def dump_of_others(self, archive: Archive) -> tuple[str, bytes]:
        with archive.open("files.tar") as member:
            return "theirs.tar.gz", gzip.compress(member.read())

    async def forget_second(self) -> None:
        second = self.live.driver.data_dir.with_name("second")
        if second.exists():
            await asyncio.to_thread(shutil.rmtree, second)


FAULTS: tuple[type[Fault], ...] = (
    PostgresDiskFull,
    MongoDiskFull,
    OpenRefineDiskFull,
    FolderDiskFull,
)

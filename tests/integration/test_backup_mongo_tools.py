"""MongoDB's own mongodump and mongorestore: they read what we write, and we what they write."""

from __future__ import annotations

import asyncio
import platform
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ou_vce_ext.backups.strategy import Layer
from ou_vce_ext.backups.watch import Watch
from ou_vce_ext.errors import UnsuitableError
from ou_vce_ext.services.keepers import KeeperLauncher

from .backup_mongo_rig import BackupRig, running
from .mongo_rich import describe_server, make_rich
from .test_backup_mongo import in_server, leftovers, of_database

TOOLS = Path(sys.prefix) / "mongo-tools"

# There is no other machine they were found for, as their installer says.
pytestmark = pytest.mark.skipif(
    not (TOOLS / "mongodump").exists(), reason="run `make build` for mongodump and mongorestore"
)
if platform.machine() != "x86_64" or not sys.platform.startswith("linux"):
    pytest.skip("mongodump and mongorestore are there for x86-64 only", allow_module_level=True)


def run_tool(rig: BackupRig, name: str, *arguments: str) -> None:
    """Run one on a service's server, with all rights."""
    server = rig.driver.server()
    done = subprocess.run(
        [
            str(TOOLS / name),
            *("--host", "127.0.0.1", "--port", str(rig.port)),
            *("--username", "__system", "--password", str(server.key)),
            *("--authenticationDatabase", "local"),
            *("--authenticationMechanism", "SCRAM-SHA-256"),
            *arguments,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


async def test_mongorestore_reads_ours_and_we_read_mongodumps(
    short_dir: Path, launcher: KeeperLauncher
) -> None:
    """Ours through mongorestore into an empty server; theirs in each form, loaded and built."""
    theirs, ours = short_dir / "theirs", short_dir / "ours"
    theirs.mkdir()
    async with running(short_dir, launcher) as rig:
        await asyncio.to_thread(in_server, rig, make_rich)
        before = await asyncio.to_thread(in_server, rig, describe_server)
        with tarfile.open(await rig.back_up(short_dir / "one.tar")) as archive:
            archive.extractall(ours, filter="data")
        tool = _in_thread(rig)
        await tool("mongodump", f"--out={theirs / 'all'}")
        assert _data(ours / "dump") == _data(theirs / "all")
        await tool("mongodump", f"--archive={theirs / 'all.archive'}")
        await tool("mongodump", "--gzip", f"--archive={theirs / 'packed.archive'}")
        await tool("mongodump", "--db=shop", "--gzip", f"--out={theirs / 'one'}")
        shutil.make_archive(str(theirs / "all"), "gztar", theirs, "all")
        shutil.make_archive(str(theirs / "shop"), "zip", theirs / "one" / "shop")

        # Short names: together with a collection's, a server takes 255 bytes.
        for file, name in (
            ("all.archive", "two"),
            ("packed.archive", "three"),
            ("all.tar.gz", "four"),
            ("shop.zip", "five"),
        ):
            source = await rig.open(theirs / file)
            await rig.strategy.load_beside(source, frozenset({"shop"}), name, Watch())
            after = await asyncio.to_thread(in_server, rig, describe_server)
            assert of_database(after, name) == of_database(before, "shop"), file
        source = await rig.open(theirs / "packed.archive")
        assert await rig.strategy.build([Layer(source)], Watch(), keep=False) is None
        assert leftovers(rig) == []
        for file in ("all.archive", "packed.archive", "all.tar.gz", "shop.zip"):
            _break(theirs / file, theirs / f"broken-{file}")
            with pytest.raises(UnsuitableError):
                await rig.open(theirs / f"broken-{file}")

    async with running(short_dir / "other", launcher) as other:
        restored = _in_thread(other)
        await restored("mongorestore", "--bypassDocumentValidation", f"--dir={ours / 'dump'}")
        after = await asyncio.to_thread(in_server, other, describe_server)
    # It has the server fill in empty timestamps, whatever is restored.
    for told in (before, after):
        told["shop.every_type"]["documents"] = len(told["shop.every_type"]["documents"])
    assert after == before


def _in_thread(rig: BackupRig) -> Callable[..., Any]:
    async def run(*arguments: str) -> None:
        await asyncio.to_thread(run_tool, rig, *arguments)

    return run


def _data(folder: Path) -> dict[str, bytes]:
    """All documents, file by file, but for what is the server's own or our account's."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*.bson")
        if path.parent.name != "config" and path.name != "system.users.bson"
    }


def _break(whole: Path, broken: Path) -> None:
    """One bit in the middle of the large document."""
    content = bytearray(whole.read_bytes())
    content[len(content) // 2] ^= 1
    broken.write_bytes(content)

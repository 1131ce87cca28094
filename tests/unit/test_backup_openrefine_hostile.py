"""OpenRefine's files cut short, changed or made to do harm: refused, or the same as they were."""

from __future__ import annotations

import gzip
import io
import random
import struct
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ou_vce_ext.backups.openrefine.strategy import OpenRefineStrategy
from ou_vce_ext.errors import UnsuitableError
from tests.backup_file import spoilt
from tests.openrefine_files import Made, packed, tar
from tests.unit.openrefine_backup_rig import backed_up, strategy_in, unpacked

FIRST = Made()


@pytest.fixture
def strategy(tmp_path: Path) -> OpenRefineStrategy:
    return strategy_in(tmp_path)


@pytest.fixture
def folder(strategy: OpenRefineStrategy) -> Path:
    return strategy.driver.site.data_dir


@pytest.mark.parametrize("seed", range(3))
async def test_our_own_backup_cut_or_changed_is_refused_or_the_same(
    strategy: OpenRefineStrategy, folder: Path, tmp_path: Path, seed: int
) -> None:
    FIRST.write(folder)
    path = await backed_up(strategy, tmp_path / "backup.tar")
    for count, (changed, cut) in enumerate(spoilt(path.read_bytes(), seed, 40)):
        path.write_bytes(changed)
        try:
            source = await strategy.open(path, path.name)
            found = unpacked(source, tmp_path / f"out{count}")
        except UnsuitableError:
            continue
        assert not cut
        assert found == {FIRST.id: FIRST.files()}


async def test_a_project_archive_cut_or_changed_is_refused_or_the_same(
    strategy: OpenRefineStrategy, tmp_path: Path
) -> None:
    path = tmp_path / "p.openrefine.tar.gz"
    whole = FIRST.archive()
    chance = random.Random(20)
    for count in range(120):
        changed = bytearray(whole)
        if count % 2:
            changed[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        else:
            del changed[chance.randrange(len(whole)) :]
        path.write_bytes(changed)
        try:
            source = await strategy.open(path, path.name)
        except UnsuitableError:
            continue
        assert count % 2, "it was cut"
        assert list(unpacked(source, tmp_path / f"out{count}").values()) == [FIRST.files()]


def _linked(kind: bytes) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as archive:
        info = tarfile.TarInfo("history")
        info.type, info.linkname = kind, "/etc"
        archive.addfile(info)
    return whole.getvalue()


def _claims(size: int) -> bytes:
    info = tarfile.TarInfo("data.zip")
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


def _pax(length: int) -> bytes:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, length
    return info.tobuf(tarfile.GNU_FORMAT)


def _million_members() -> bytes:
    """A zip whose table says so; there need not be as many."""
    return (
        b"PK\x03\x04"
        + bytes(64)
        + b"PK\x05\x06"
        + struct.pack("<HHHHIIH", 0, 0, 65_535, 65_535, 400_000_000, 0, 0)
    )


def _swelling_data() -> bytes:
    """A ``data.zip`` that promises more than anybody would have."""
    content = bytearray(packed({"data.txt": "3.6.2\n" + "0" * 100_000}))
    at = content.rindex(b"PK\x01\x02")
    content[at + 24 : at + 28] = struct.pack("<I", 4_000_000_000)
    return tar({"data.zip": bytes(content)}, "gz")


HOSTILE: dict[str, Callable[[], bytes]] = {
    "above": lambda: tar({"../../data.zip": FIRST.data()}),
    "absolute": lambda: tar({"/tmp/data.zip": FIRST.data()}),
    "above-in-zip": lambda: packed({"../data.zip": "x"}),
    "above-in-a-packed-one": lambda: (
        packed({"a.tar": "x"}) and tar({"a.tar.gz": tar({"../data.zip": b"x"}, "gz")})
    ),
    "symlink": lambda: _linked(tarfile.SYMTYPE),
    "hard-link": lambda: _linked(tarfile.LNKTYPE),
    "device": lambda: _linked(tarfile.CHRTYPE),
    "pipe": lambda: _linked(tarfile.FIFOTYPE),
    "twice": lambda: (
        FIRST.archive()[:0]
        + gzip.compress(tar({"data.zip": b"x"})[:1024] + tar({"data.zip": b"y"}))
    ),
    "bomb": lambda: gzip.compress(_claims(1 << 40) + bytes(1_000_000), 9),
    "long-name": lambda: gzip.compress(_pax(1 << 33) + bytes(1_000_000), 9),
    "swelling-data": _swelling_data,
    "million": _million_members,
    "nothing": lambda: b"",
    "noise": lambda: random.Random(1).randbytes(5_000),
    "no-project": lambda: tar({"readme.txt": b"hello"}, "gz"),
    "no-rows": lambda: tar({"data.zip": packed({"data.txt": "3.6.2\nrowCount=x\n"})}, "gz"),
}


@pytest.mark.parametrize("what", HOSTILE)
async def test_hostile_files_are_refused_and_leave_nothing(
    strategy: OpenRefineStrategy, folder: Path, tmp_path: Path, what: str
) -> None:
    path = tmp_path / "upload"
    path.write_bytes(HOSTILE[what]())
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UnsuitableError) as caught:
        await strategy.open(path, "upload.tar.gz")
    assert "Nothing was changed" in caught.value.message
    assert sorted(tmp_path.rglob("*")) == before

"""How a backup's file is written: its checksums are its own whatever came how, and it lasts."""

from __future__ import annotations

import errno
import hashlib
import os
import tarfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from ou_vce_ext.backups import lasting, writer
from ou_vce_ext.backups.lasting import Lasting
from ou_vce_ext.backups.reader import Archive
from ou_vce_ext.backups.summing import Summing
from ou_vce_ext.backups.watch import Watch
from ou_vce_ext.backups.writer import ArchiveWriter, Written
from tests.backup_file import manifest_of

MEGABYTE = 1024 * 1024
SECONDS = 60


def finished(archive: ArchiveWriter) -> Written:
    """The file, with a manifest of its members."""
    return archive.finish(manifest_of(archive))


def check(written: Written, content: dict[str, bytes]) -> None:
    """It is what it says, to us and to everybody."""
    whole = written.path.read_bytes()
    assert written.sha256 == hashlib.sha256(whole).hexdigest()
    assert written.bytes == len(whole)
    archive = Archive(written.path)
    archive.check(Watch())
    assert {member.name: member.sha256 for member in archive.manifest.members} == {
        name: hashlib.sha256(each).hexdigest() for name, each in content.items()
    }
    with tarfile.open(written.path) as plain:
        for name, each in content.items():
            member = plain.extractfile(name)
            assert member is not None
            assert member.read() == each


def write(archive: ArchiveWriter, content: dict[str, bytes], sizes: Sequence[int | None]) -> None:
    """Each member in pieces of odd sizes, by way of one buffer that is used again and again."""
    buffer = bytearray(100_003)
    for (name, each), size in zip(content.items(), sizes, strict=True):
        with archive.member(name, size) as member:
            for start in range(0, len(each), len(buffer)):
                piece = each[start : start + len(buffer)]
                buffer[: len(piece)] = piece
                member.write(memoryview(buffer)[: len(piece)])
            member.write(b"")


@pytest.mark.parametrize("guess", ["right", "none", "too small", "too large"])
@pytest.mark.parametrize("begun", ["once", "again"])
def test_checksums_are_those_of_the_file(
    tmp_path: Path, guess: str, begun: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever knows a member's size before it came, and whoever does not."""
    content = {
        "nothing": b"",
        "small": b"x" * 1000,
        "large": os.urandom(3 * MEGABYTE + 7),
        "after": b"y" * 70_000,
    }
    off = {"right": 0, "too small": -1, "too large": 70_000}
    sizes = [None if guess == "none" else len(each) + off[guess] for each in content.values()]
    sizes[0] = 0
    archive = ArchiveWriter(tmp_path / "a.tar", Watch())
    if begun == "again":
        write(archive, {"large": os.urandom(2 * MEGABYTE)}, [5])
        with suppress(RuntimeError), archive.member("half", MEGABYTE) as member:
            member.write(os.urandom(MEGABYTE))
            raise RuntimeError
        archive.begin_again()
    write(archive, content, sizes)
    # What is right at once is not read again.
    monkeypatch.setattr(writer, "BLOCK", 0 if guess == "right" else MEGABYTE)
    check(finished(archive), content)
    assert os.listdir(tmp_path) == ["a.tar"]


def test_small_members_need_no_guess(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are kept until their size is known."""
    archive = ArchiveWriter(tmp_path / "a.tar", Watch())
    content = {str(n): os.urandom(n * 11_000) for n in range(5)}
    write(archive, content, [None, 7, None, 0, 50_000])
    monkeypatch.setattr(writer, "BLOCK", 0)
    check(finished(archive), content)


def test_a_disk_that_failed_meanwhile_makes_no_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though a disk tells of it only once."""
    told, sync = threading.Event(), os.fsync

    def fail_once(file: int) -> None:
        if told.is_set():
            return sync(file)
        told.set()
        raise OSError(errno.EIO, "the disk")

    monkeypatch.setattr(os, "fsync", fail_once)
    monkeypatch.setattr(lasting, "_EVERY", MEGABYTE)
    archive = ArchiveWriter(tmp_path / "a.tar", Watch())
    archive.add("large", bytes(MEGABYTE))
    assert told.wait(SECONDS)
    with pytest.raises(OSError, match="the disk"):
        finished(archive)
    assert os.listdir(tmp_path) == []


def test_a_disk_that_hangs_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written goes on, and is given up, while it is told to go on."""
    answered = threading.Event()
    monkeypatch.setattr(os, "fsync", lambda _: answered.wait(SECONDS))
    with (tmp_path / "a").open("wb") as file:
        disk = Lasting(file.fileno())
        for _ in range(8):
            disk.wrote(32 * MEGABYTE)
        disk.close()
        disk.close()
    answered.set()


def test_blocks_are_summed_up_in_their_order() -> None:
    """Large and small ones, each in the sums it is for."""
    summing, whole, own = Summing(), hashlib.sha256(), hashlib.sha256()
    blocks = [os.urandom(size) for size in (10, 300_000, 10, 0, 70_000, 2_000_000, 1, 500_000)]
    for block in blocks:
        summing.add(block, [whole, own])
        summing.add(block, [whole])
    summing.settle()
    assert own.digest() == hashlib.sha256(b"".join(blocks)).digest()
    assert whole.digest() == hashlib.sha256(b"".join(2 * one for one in blocks)).digest()
    summing.close()


class Stuck:
    """A sum that takes nothing until it may."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.may = threading.Event()
        self.failure = failure

    def update(self, block: bytes, /) -> None:
        """Add nothing."""
        assert self.may.wait(SECONDS), block[:1]
        if self.failure:
            raise self.failure

    def hexdigest(self) -> str:
        """Of nothing."""
        return ""


def test_who_waits_for_a_sum_is_let_go() -> None:
    """When its file is given up, and when it fails."""
    stuck, summing = Stuck(), Summing()
    for _ in range(2):
        summing.add(bytes(MEGABYTE // 2), [stuck])
    waiting = threading.Thread(target=summing.add, args=(bytes(MEGABYTE), [stuck]))
    waiting.start()
    summing.close()
    waiting.join(SECONDS)
    assert not waiting.is_alive()
    summing.settle()
    stuck.may.set()

    failing, summing = Stuck(ValueError("no sum")), Summing()
    failing.may.set()
    summing.add(bytes(MEGABYTE), [failing])
    with pytest.raises(ValueError, match="no sum"):
        summing.settle()

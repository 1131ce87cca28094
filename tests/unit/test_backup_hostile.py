"""Archives that anybody may have made: refused quickly, with nothing written anywhere."""

from __future__ import annotations

import io
import json
import os
import random
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ou_vce_ext.backups import manifest as manifests
from ou_vce_ext.backups.folders import chosen, pack, unpack
from ou_vce_ext.backups.manifest import Manifest
from ou_vce_ext.backups.reader import Archive
from ou_vce_ext.backups.watch import Watch
from ou_vce_ext.backups.writer import ArchiveWriter
from ou_vce_ext.errors import BadRequestError, UnsuitableError
from ou_vce_ext.models_backup import Consistency, Reason
from tests.backup_file import NOW, manifest_of

Change = Callable[[tarfile.TarInfo], object]


@pytest.fixture
def good(tmp_path: Path) -> Path:
    archive = ArchiveWriter(tmp_path / "good.tar", Watch())
    archive.add("data/one", b"first")
    archive.add("data/other", b"second" * 1000)
    return archive.finish(manifest_of(archive)).path


def read(path: Path) -> dict[str, bytes]:
    """All of it, with every check there is."""
    archive = Archive(path)
    archive.check(Watch())
    found = {}
    for name in archive.names:
        with archive.open(name) as member:
            found[name] = member.read()
    return found


def test_what_was_written_is_read(good: Path) -> None:
    assert read(good) == {"data/one": b"first", "data/other": b"second" * 1000}
    with tarfile.open(good) as plain:
        assert plain.getnames() == ["data/one", "data/other", "manifest.json"]


def test_cut_short_anywhere_it_is_refused(good: Path, tmp_path: Path) -> None:
    content = good.read_bytes()
    # What comes after the last member are zeros that nobody needs.
    needed = len(content) - 1024
    rng = random.Random(25)
    for length in [0, 1, 511, 512, *(rng.randrange(needed) for _ in range(200))]:
        path = tmp_path / "cut.tar"
        path.write_bytes(content[:length])
        with pytest.raises(UnsuitableError):
            read(path)


def test_a_changed_bit_is_seen_or_is_in_what_nobody_reads(good: Path, tmp_path: Path) -> None:
    content = good.read_bytes()
    expected = read(good)
    told = Archive(good).manifest
    rng = random.Random(26)
    refused = 0
    for _ in range(600):
        changed = bytearray(content)
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
        path = tmp_path / "changed.tar"
        path.write_bytes(changed)
        try:
            assert read(path) == expected
            now = Archive(path).manifest
            assert (now.members, now.kind) == (told.members, told.kind) or now != told
        except UnsuitableError:
            refused += 1
    assert refused > 300


def tar(*members: tuple[str, Change | None], content: bytes = b"") -> bytes:
    """A tar whose members are changed in their headers, and a manifest that lists nothing."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, change in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            if change:
                change(info)
            archive.addfile(info, io.BytesIO(content))
    return made.getvalue()


def of_type(kind: bytes) -> Change:
    def change(info: tarfile.TarInfo) -> None:
        info.type = kind
        info.linkname = "/etc/passwd"

    return change


HOSTILE: dict[str, bytes] = {
    "empty": b"",
    "zeros": bytes(10_240),
    "text": b"-- PostgreSQL database dump\n" * 100,
    "zip": b"PK\x03\x04" + bytes(1000),
    "above": tar(("../x", None)),
    "above in the middle": tar(("a/../../x", None)),
    "absolute": tar(("/etc/cron.d/x", None)),
    "backslash": tar(("..\\x", None)),
    "newline": tar(("a\nb", None)),
    "escape": tar(("a\x1b[2Jb", None)),
    "very long": tar(("a/" * 2000 + "x", None)),
    "twice": tar(("a", None), ("a", None)),
    "no manifest": tar(("a", None)),
    **{
        name: tar(("a", of_type(kind)))
        for name, kind in {
            "symlink": tarfile.SYMTYPE,
            "hard link": tarfile.LNKTYPE,
            "character device": tarfile.CHRTYPE,
            "block device": tarfile.BLKTYPE,
            "pipe": tarfile.FIFOTYPE,
            "folder": tarfile.DIRTYPE,
        }.items()
    },
}


@pytest.mark.parametrize("what", HOSTILE)
def test_it_is_refused(tmp_path: Path, what: str) -> None:
    path = tmp_path / "in" / "hostile.tar"
    path.parent.mkdir()
    path.write_bytes(HOSTILE[what])
    with pytest.raises(UnsuitableError) as refused:
        read(path)
    assert "Nothing was changed" in refused.value.message
    assert refused.value.hint
    assert [each.name for each in tmp_path.rglob("*")] == ["in", "hostile.tar"]


def with_manifest(body: Any) -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return tar((manifests.NAME, None), content=content)


def manifests_of_strangers() -> Iterator[bytes]:
    whole = json.loads(
        Manifest("s", "k", "t", NOW, Reason.MANUAL, Consistency.SNAPSHOT, {}, (), (), {}).to_bytes()
    )
    yield with_manifest(b"")
    yield with_manifest(b"{" * 100_000)
    yield with_manifest(b"[" * 100_000)
    yield with_manifest([])
    yield with_manifest({**whole, "format": 99})
    yield with_manifest({**whole, "members": [{"name": "x", "bytes": 1, "sha256": ""}]})
    yield with_manifest({**whole, "members": [{"name": "x", "bytes": -1, "sha256": ""}]})
    yield with_manifest({**whole, "created": "yesterday"})
    yield with_manifest({**whole, "contents": [{}]})
    for key in whole:
        yield with_manifest({name: value for name, value in whole.items() if name != key})
        yield with_manifest({**whole, key: [1]}) if key != "contents" else with_manifest(b"x")


@pytest.mark.parametrize("content", list(manifests_of_strangers()))
def test_a_description_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.tar"
    path.write_bytes(content)
    with pytest.raises(UnsuitableError):
        read(path)


def test_a_size_beyond_the_file_is_refused(tmp_path: Path) -> None:
    """A file of a few bytes that says that it holds terabytes."""
    info = tarfile.TarInfo("bomb")
    info.size = 1 << 45
    path = tmp_path / "bomb.tar"
    path.write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    with pytest.raises(UnsuitableError):
        Archive(path)


def test_folders_take_no_links_and_go_over_nothing(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "notebooks" / "deep").mkdir(parents=True)
    (root / "notebooks" / "deep" / "é.ipynb").write_text("{}")
    (root / "notebooks" / "link").symlink_to("/etc")
    (root / "notebooks" / "file link").symlink_to("/etc/passwd")
    os.mkfifo(root / "notebooks" / "pipe")
    (root / "outside").symlink_to(tmp_path)
    for wrong in ("..", "/etc", "notebooks/../..", "notebooks/link", "outside", "backups", ""):
        with pytest.raises(BadRequestError):
            chosen(root, [wrong])
    with pytest.raises(BadRequestError):
        chosen(root, ["notebooks", "notebooks/deep"])
    assert chosen(root, ["notebooks/"]) == ("notebooks",)
    archive = ArchiveWriter(tmp_path / "all.tar", Watch())
    item, left_out = pack(archive, root, "notebooks")
    archive.finish(manifest_of(archive))
    assert (item.key, item.count, left_out) == (":notebooks", 1, 0)
    opened = Archive(tmp_path / "all.tar")
    into = unpack(opened, root, None, NOW, Watch())
    assert into is not None
    assert (into / "notebooks" / "deep" / "é.ipynb").read_text() == "{}"
    with pytest.raises(FileExistsError):
        unpack(opened, root, None, NOW, Watch())
    assert unpack(opened, root, frozenset({"other"}), NOW, Watch()) is None

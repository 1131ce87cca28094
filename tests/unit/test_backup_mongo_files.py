"""Files that hold MongoDB data, and files that only pretend to: read, or refused at once."""

from __future__ import annotations

import datetime
import gzip
import io
import struct
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import bson
import pytest
from bson import Decimal128, Int64, ObjectId
from hypothesis import given
from hypothesis import strategies as st

from ou_vce_ext.backups.mongo.crc64 import Crc64Check
from ou_vce_ext.backups.mongo.documents import empty_timestamps, read_documents, split
from ou_vce_ext.backups.mongo.dump import Dump
from ou_vce_ext.backups.mongo.metadata import read_metadata
from ou_vce_ext.backups.mongo.names import Namespace, check_database, collection_name, file_name
from ou_vce_ext.backups.mongo.opening import open_dump
from ou_vce_ext.backups.watch import Watch
from ou_vce_ext.errors import BadRequestError, UnsuitableError

DOCUMENTS = [bson.encode({"_id": n, "text": "x" * n}) for n in range(50)]
END = b"\xff\xff\xff\xff"
METADATA = b'{"indexes":[],"collectionName":"a","type":"collection"}'


def crc64(data: bytes) -> int:
    """The checksum by its definition: slow, and sure."""
    value = 2**64 - 1
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (0xC96C5795D7870F42 if value & 1 else 0)
    return value ^ (2**64 - 1)


def archive(*, crc: int | None = None, end: bool = True, db: str = "shop") -> bytes:
    """What ``mongodump --archive`` writes of one collection, in two parts."""
    data = b"".join(DOCUMENTS)
    checksum = crc64(data) if crc is None else crc
    at = {"db": db, "collection": "a"}
    parts = [
        b"\x6d\xe2\x99\x81",
        bson.encode({"concurrent_collections": 4, "version": "0.1", "server_version": "6.0.5"}),
        bson.encode({**at, "metadata": METADATA.decode(), "size": len(data), "type": ""}),
        END,
        bson.encode({**at, "EOF": False, "CRC": Int64(0)}),
        *DOCUMENTS[:20],
        END,
        bson.encode({**at, "EOF": False, "CRC": Int64(0)}),
        *DOCUMENTS[20:],
        END,
    ]
    if end:
        signed = struct.unpack("<q", struct.pack("<Q", checksum))[0]
        parts += [bson.encode({**at, "EOF": True, "CRC": Int64(signed)}), END]
    return b"".join(parts)


def tarred(*members: tuple[str, bytes], kind: bytes = tarfile.REGTYPE, mode: str = "w") -> bytes:
    """A tar of these files."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as made:  # type: ignore[call-overload]
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size, info.type = len(content), kind
            info.linkname = "/etc/passwd" if kind != tarfile.REGTYPE else ""
            made.addfile(info, io.BytesIO(content))
    return file.getvalue()


def zipped(*members: tuple[str, bytes]) -> bytes:
    """A zip of these files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members:
            made.writestr(name, content)
    return file.getvalue()


def opened(folder: Path, name: str, content: bytes) -> Dump:
    """The file as whoever brings it would have it opened."""
    path = folder / "file"
    path.write_bytes(content)
    return open_dump(path, name, 0, None, "student", Watch())


def documents_of(dump: Dump) -> dict[str, list[dict[str, Any]]]:
    """All that is in it, understood."""
    found: dict[str, list[dict[str, Any]]] = {str(at): [] for at in dump.stored}
    for at, documents in dump.stream(set(dump.stored), Watch()):
        found[str(at)] += [bson.decode(document) for document in documents]
    return found


WHOLE = b"".join(DOCUMENTS)
FOLDER = (("dump/shop/a.bson", WHOLE), ("dump/shop/a.metadata.json", METADATA))


@pytest.mark.parametrize(
    ("name", "content", "key"),
    [
        ("x.archive", archive(), "shop.a"),
        ("x.archive.gz", gzip.compress(archive()), "shop.a"),
        ("x.tar", tarred(*FOLDER), "shop.a"),
        ("x.tar.gz", tarred(*FOLDER, mode="w:gz"), "shop.a"),
        ("x.zip", zipped(*FOLDER), "shop.a"),
        ("accidents.zip", zipped(("a.bson", WHOLE)), "accidents.a"),
        ("x.zip", zipped(("d/a.bson.gz", gzip.compress(WHOLE)), ("d/oplog.bson", b"x")), "d.a"),
        ("a.bson", WHOLE, "student.a"),
        ("a.bson.gz", gzip.compress(WHOLE), "student.a"),
    ],
)
def test_what_others_make_is_read(tmp_path: Path, name: str, content: bytes, key: str) -> None:
    dump = opened(tmp_path, name, content)
    assert not dump.whole
    assert documents_of(dump) == {key: [bson.decode(one) for one in DOCUMENTS]}
    assert [(item.key, item.count) for item in dump.contents if item.within is None] == [
        (key.split(".")[0], 50)
    ]


@pytest.mark.parametrize(
    ("name", "content", "documents"),
    [
        ("a.json", b'{"_id": 1}\n{"_id": {"$numberLong": "2"}}\n', [{"_id": 1}, {"_id": 2}]),
        ("a.json", b'\xef\xbb\xbf [ {"_id": 1} , {"_id": 2, "x": [] } ] ', None),
        ("a.json", b'{"_id": {"$date": "2026-01-01T00:00:00Z"}}', None),
        ("a.csv", b'_id,b.c,d\r\n1,"x, y\nz",2.5\r\n2,,007\r\n', None),
        ("a.tsv", b"_id\tb\n1\tx\n", [{"_id": 1, "b": "x"}]),
    ],
)
def test_exported_files_are_read(
    tmp_path: Path, name: str, content: bytes, documents: list[dict[str, Any]] | None
) -> None:
    found = documents_of(opened(tmp_path, name, content))["student.a"]
    expected = {
        b"\xef": [{"_id": 1}, {"_id": 2, "x": []}],
        b"{": [{"_id": datetime.datetime(2026, 1, 1)}],
        b"_": [
            {"_id": 1, "b": {"c": "x, y\nz"}, "d": 2.5},
            {"_id": 2, "b": {"c": ""}, "d": "007"},
        ],
    }
    assert found == (documents or expected[content[:1]])


def test_documents_without_an_id_are_given_one(tmp_path: Path) -> None:
    content = bson.encode({"a": 1}) + bson.encode({"a": 2, "_id": 3})
    first, second = documents_of(opened(tmp_path, "a.bson", content))["student.a"]
    assert isinstance(first["_id"], ObjectId)
    assert list(second) == ["_id", "a"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x", b""),
        ("x.bin", b"nothing of ours"),
        ("a.bson", WHOLE[:-1]),
        ("a.bson", b"\xff\xff\xff\x7f" + WHOLE),
        ("a.bson", WHOLE.replace(b"_id\0", b"_id\1", 1)),
        ("a.bson.gz", gzip.compress(WHOLE)[:-9]),
        ("x.archive", archive(crc=1)),
        ("x.archive", archive(end=False)),
        ("x.archive", archive()[:300]),
        ("x.archive", archive()[:8]),
        ("x.archive", archive(db="config")),
        ("x.tar", tarred(("../shop/a.bson", WHOLE))),
        ("x.tar", tarred(("/shop/a.bson", WHOLE))),
        ("x.tar", tarred(("shop/a.bson", b""), kind=tarfile.SYMTYPE)),
        ("x.tar", tarred(("shop/a.bson", b""), kind=tarfile.LNKTYPE)),
        ("x.tar", tarred(("shop/a.bson", b""), kind=tarfile.CHRTYPE)),
        ("x.tar", tarred(*FOLDER)[:1500]),
        ("x.tar.gz", tarred(*FOLDER, mode="w:gz")[:-20]),
        ("x.tar", tarred(("shop/a.metadata.json", METADATA))),
        ("x.tar", tarred(FOLDER[0], ("dump/shop/a.metadata.json", b"{"))),
        ("x.tar", tarred(FOLDER[0], FOLDER[0])),
        ("x.zip", zipped(("../shop/a.bson", WHOLE))),
        ("x.zip", zipped(*FOLDER)[:-30]),
        ("x.zip", zipped(*FOLDER).replace(b"x" * 20, b"y" * 20, 1)[:100]),
        ("x.zip", zipped(("readme.txt", b"hello"))),
        ("a.json", b'[{"_id": 1}'),
        ("a.json", b'{"_id": 1} 2'),
        ("a.json", b'{"_id": '),
        ("a.json", b"[" * 100_000),
        ("a.json", b"\xff\xfe"),
        ("a.csv", b"a,b\n1,2,3\n"),
        ("a.csv", b"a,,\n1,2,3\n"),
    ],
)
def test_what_is_broken_or_hostile_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    with pytest.raises(UnsuitableError) as refused:
        opened(tmp_path, name, content)
    assert "Nothing was changed" in refused.value.message
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_bombs_do_not_go_off(tmp_path: Path) -> None:
    """Far more than could be data, in little: refused before much of it is unpacked."""
    path = tmp_path / "bomb"
    part = gzip.compress(bson.encode({"_id": 1, "x": bytes(10_000_000)}) * 6)
    path.write_bytes(part * 10)
    with pytest.raises(UnsuitableError, match="unpacks to far more"):
        open_dump(path, "a.bson.gz", 0, None, "student", Watch())


def test_a_million_members_are_refused(tmp_path: Path) -> None:
    """By the size of their table, before it is read."""
    content = zipped(*FOLDER)
    at = content.rindex(b"PK\x05\x06")
    huge = bytearray(content)
    struct.pack_into("<I", huge, at + 12, 60_000_000)
    with pytest.raises(UnsuitableError, match="too many"):
        opened(tmp_path, "x.zip", bytes(huge))
    empty = tarfile.TarInfo("a.txt").tobuf(tarfile.USTAR_FORMAT)
    with pytest.raises(UnsuitableError, match="too many"):
        opened(tmp_path, "x.tar", empty * 20_001)


@given(st.binary(max_size=3000))
def test_any_bytes_are_refused_in_words(tmp_path_factory: Any, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("any")
    for start in (b"", b"\x6d\xe2\x99\x81", b"PK\x03\x04", b"\x1f\x8b"):
        for name in ("x", "a.bson", "a.csv"):
            try:
                opened(folder, name, start + content)
            except UnsuitableError:
                continue


@given(st.binary(max_size=300), st.integers(1, 1000), st.integers(0, 300))
def test_the_checksum_of_archives(content: bytes, times: int, at: int) -> None:
    """Right and wrong, however the data come, and in more than one of the library's chunks."""
    expected = crc64(content)
    for checksum in (expected, expected ^ 1):
        check = Crc64Check()
        check.add(content[:at])
        check.add(content[at:])
        assert check.matches(checksum) is (checksum == expected)
    assert not Crc64Check().matches(times)


def test_the_checksum_of_much() -> None:
    content = bytes(range(256)) * 600
    check = Crc64Check()
    check.add(content)
    assert check.matches(crc64(content))


@given(st.lists(st.binary(max_size=40)), st.integers(1, 50))
def test_documents_are_found_however_they_come(texts: list[bytes], block: int) -> None:
    documents = [bson.encode({"x": text}) for text in texts]
    stream = io.BytesIO(b"".join(documents))
    found = [one for some in read_documents(lambda _: stream.read(block)) for one in some]
    assert found == documents
    assert split(b"".join(documents)) == (documents, b"")


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("plain", "plain"),
        ("with space", "with+space"),
        ("a/b", "a%2Fb"),
        ("ä~_.-", "%C3%A4~_.-"),
        ("n" * 239, "n" * 208 + "%24"),
    ],
)
def test_names_are_those_of_mongodump(name: str, file: str) -> None:
    assert file_name(name).startswith(file)
    assert len(file_name(name)) <= 238
    if len(name) < 238:
        assert file_name(name) == file
        assert collection_name(file) == name


@pytest.mark.parametrize("name", ["", "a b", "a.b", "a/b", "$x", "x" * 64, "admin", "local", "a\0"])
def test_names_that_no_database_can_have(name: str) -> None:
    with pytest.raises(BadRequestError):
        check_database(name)


def test_metadata_of_old_tools() -> None:
    """Before release 4.2 they wrote neither name nor kind, and options no server takes now."""
    content = (
        b'{"options":{"capped":true,"size":{"$numberInt":"4096"},"autoIndexId":true},"indexes":'
        b'[{"v":{"$numberInt":"2"},"key":{"_id":{"$numberInt":"1"}},"name":"_id_","ns":"d.c"}]}'
    )
    name, what = read_metadata(content)
    assert name is None
    assert what.capped
    assert what.options == {"capped": True, "size": 4096}
    assert [dict(index) for index in what.indexes] == [{"v": 2, "key": {"_id": 1}, "name": "_id_"}]


def test_only_first_timestamps_are_filled_in() -> None:
    empty = bson.Timestamp(0, 0)
    told = {"_id": empty, "a": empty, "b": {"c": empty}, "d": 0.0, "e": Decimal128("0")}
    assert empty_timestamps(bson.encode(told)) == ["a"]
    assert empty_timestamps(bson.encode({"_id": 1, "a": Int64(0)})) == []


def test_a_namespace_in_words() -> None:
    assert (str(Namespace("a", "b.c")), Namespace("a", "b.c").key) == ("a.b.c", "a/b.c")

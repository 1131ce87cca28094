"""Headers of tar archives: read as others read them, and no more of them than have to be."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from ou_vce_ext.backups import headers, reader, tars
from ou_vce_ext.backups.reader import Archive
from ou_vce_ext.errors import UnsuitableError
from tests.unit.backup_world import Home


def many(path: Path, count: int, name: str = "{}") -> Path:
    """A tar of ``count`` empty files, made as quickly as it can be."""
    with path.open("wb") as file:
        for number in range(count):
            file.write(tarfile.TarInfo(name.format(number)).tobuf(tarfile.USTAR_FORMAT))
        file.write(bytes(1024))
    return path


@pytest.fixture
def headers_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one for each header that is read."""
    read_so_far: list[int] = []
    parse = headers.parse

    def counted(block: bytes, start: int) -> headers.Header:
        read_so_far.append(start)
        return parse(block, start)

    monkeypatch.setattr(headers, "parse", counted)
    return read_so_far


def test_far_too_many_members_are_refused_before_they_are_counted(
    tmp_path: Path, headers_read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    # No database has as many tables, so it is no matter what follows.
    assert reader.MOST_OF_SERVICES <= 50_000
    monkeypatch.setattr(reader, "MOST_OF_SERVICES", 300)
    with pytest.raises(UnsuitableError, match="far too many"):
        Archive(many(tmp_path / "many.tar", 1000))
    assert len(headers_read) == 301


def test_folders_may_hold_many_files_but_not_any_number(
    tmp_path: Path, headers_read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "MOST_MEMBERS", 300)
    with pytest.raises(UnsuitableError, match="far too many"):
        Archive(many(tmp_path / "many.tar", 1000, "folders/{}"))
    assert len(headers_read) <= 302


def test_a_strangers_archive_is_read_up_to_a_limit_only(
    tmp_path: Path, headers_read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(headers, "MOST_MEMBERS", 300)
    path = many(tmp_path / "many.tar", 1000)
    with path.open("rb") as file, pytest.raises(tars.BrokenTarError, match="far too many"):
        list(tars.entries(file))
    assert len(headers_read) == 300


async def test_an_upload_of_far_too_many_files_is_read_no_further_than_each_reader_may(
    tmp_path: Path, headers_read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "MOST_OF_SERVICES", 300)
    content = many(tmp_path / "many", 1000).read_bytes()
    async with Home(tmp_path) as home:
        upload = await home.backups.upload("thing", "many.tar", None)
        await upload.write(content)
        with pytest.raises(UnsuitableError):
            await home.backups.take_in(upload)
        assert await home.listed() == []
        assert not list(home.backups.store.folder("thing").iterdir())
    # Whether it is of everything, and whether the service knows it.
    assert len(headers_read) == 2 * 301


def test_a_name_is_refused_at_its_own_header(tmp_path: Path, headers_read: list[int]) -> None:
    with pytest.raises(UnsuitableError, match="leads outside"):
        Archive(many(tmp_path / "many.tar", 1000, "../{}"))
    assert len(headers_read) == 1


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
def test_headers_are_read_as_the_standard_library_reads_them(form: int) -> None:
    names = ["a", "é/ü", "d/" * 60 + "f", "x" * 99, "y" * 100, "n/" * 40 + "z" * 90]
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=form) as archive:
        for number, name in enumerate(names):
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.mtime = number * 300, 0o700 + number, 1.5
            archive.addfile(info, io.BytesIO(bytes(info.size)))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "t/" * 45
        archive.addfile(link)
        folder = tarfile.TarInfo("folder/")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
    made.seek(0)
    found = []
    for header in headers.headers(made):
        found.append(
            (header.name, header.bytes, header.start, header.kind, header.mode, header.link)
        )
        if header.plain:
            made.seek(header.end)
    made.seek(0)
    with tarfile.open(fileobj=made) as archive:
        told = [
            (info.name, info.size, info.offset_data, info.type, info.mode, info.linkname)
            for info in archive
        ]
    assert found == told
    large = tarfile.TarInfo("large")
    large.size = 1 << 40
    assert headers.parse(large.tobuf(tarfile.GNU_FORMAT), 512).bytes == 1 << 40

"""A folder of files: backed up as it is, brought back as it was, and nothing hostile let in."""

from __future__ import annotations

import io
import os
import random
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from ou_vce_ext.backups import scratch
from ou_vce_ext.backups.folder.strategy import FolderStrategy
from ou_vce_ext.backups.kinds import strategy_for
from ou_vce_ext.backups.strategy import Layer
from ou_vce_ext.backups.watch import Watch
from ou_vce_ext.drivers.web.driver import WebDriver
from ou_vce_ext.errors import BadRequestError, ConflictError, UnsuitableError
from ou_vce_ext.models import Capability, ServiceSpec, Site
from ou_vce_ext.models_backup import Consistency
from ou_vce_ext.services.description import capabilities
from ou_vce_ext.services.lifecycle import Lifecycle
from tests.backup_file import back_up, spoilt
from tests.openrefine_files import packed, tar
from tests.unit.fakes import FakeLauncher


def strategy_at(root: Path, data_dir: str = "genie", **declared: object) -> FolderStrategy:
    home = root / "home"
    home.mkdir(exist_ok=True)
    site = Site(
        name="genie",
        root_dir=home,
        data_dir=home / data_dir,
        private_dir=root / "private",
        runtime_dir=root / "run",
        log_file=root / "log",
        base_url="/",
    )
    spec = ServiceSpec("genie", "web", "Genie", data_dir=data_dir, **declared)  # type: ignore[arg-type]
    return FolderStrategy(WebDriver(spec, site, FakeLauncher()))


@pytest.fixture
def strategy(tmp_path: Path) -> FolderStrategy:
    return strategy_at(tmp_path)


@pytest.fixture
def folder(tmp_path: Path, strategy: FolderStrategy) -> Path:
    folder = tmp_path / "home" / "genie"
    (folder / "runs" / "empty").mkdir(parents=True)
    (folder / "Łódź.csv").write_text("town\nŁódź\n")
    (folder / "runs" / "large.bin").write_bytes(random.Random(1).randbytes(3_000_000))
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "latest").symlink_to("runs/large.bin")
    (folder / ("long-" * 40)).write_text("x")
    folder.chmod(0o750)
    return folder


def seen(folder: Path) -> dict[str, object]:
    """Each thing in a folder."""
    return {
        str(path.relative_to(folder)): (
            os.readlink(path)
            if path.is_symlink()
            else None
            if path.is_dir()
            else (path.read_bytes(), bool(path.stat().st_mode & 0o100))
        )
        for path in sorted(folder.rglob("*"))
    }


async def backed_up(strategy: FolderStrategy, path: Path) -> Path:
    await back_up(strategy, path)
    return path


async def test_a_folder_goes_away_and_comes_back(
    strategy: FolderStrategy, folder: Path, tmp_path: Path
) -> None:
    [item] = await strategy.look()
    assert (item.name, item.count) == ("genie", 4)
    path = await backed_up(strategy, tmp_path / "backup.tar")
    assert not await strategy.moved_on(strategy.moment)
    source = await strategy.open(path, path.name)
    assert source.whole
    assert source.consistency is Consistency.QUIESCED
    assert source.contents[0].count == 4
    before = seen(folder)
    built = await strategy.build([Layer(source)], Watch(), keep=True)
    assert built
    assert seen(built.folder) == before
    assert built.folder.stat().st_mode == folder.stat().st_mode
    assert await strategy.build([Layer(source)], Watch(), keep=False) is None
    assert await strategy.changed() is None
    (folder / "new").write_text("x")
    assert await strategy.changed() is True
    assert await strategy.moved_on(strategy.moment)

    with pytest.raises(ConflictError, match="genie"):
        await strategy.load_beside(source, None, "genie", Watch())
    for name in ("../x", "", ".hidden", "a/b", "a\nb"):
        with pytest.raises(BadRequestError):
            await strategy.load_beside(source, None, name, Watch())
    await strategy.load_beside(source, None, "genie week 2", Watch())
    assert seen(folder.with_name("genie week 2")) == before
    await strategy.clean()
    assert sorted(os.listdir(folder.parent)) == ["genie", "genie week 2"]


async def test_an_empty_folder_is_proven_as_any_other(
    strategy: FolderStrategy, tmp_path: Path
) -> None:
    """Else what was reset to nothing could not be reset once more."""
    strategy.driver.data_dir.mkdir()
    path = await backed_up(strategy, tmp_path / "backup.tar")
    source = await strategy.open(path, path.name)
    assert await strategy.build([Layer(source)], Watch(), keep=False) is None


async def test_what_is_no_file_is_left_out_and_told(
    strategy: FolderStrategy, folder: Path, tmp_path: Path
) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "outside").symlink_to("../../private")
    (folder / "absolute").symlink_to("/etc/passwd")
    path = await backed_up(strategy, tmp_path / "backup.tar")
    source = await strategy.open(path, path.name)
    await strategy.build([Layer(source)], Watch(), keep=False)
    with tarfile.open(path) as archive:
        member = archive.extractfile("manifest.json")
        assert member
        told = member.read().decode()
    assert all(name in told for name in ("pipe", "outside", "absolute"))


async def test_while_it_runs_no_more_is_promised_than_can_be_kept(
    strategy: FolderStrategy, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strategy, "_runs", lambda: True)
    path = await backed_up(strategy, tmp_path / "backup.tar")
    source = await strategy.open(path, path.name)
    assert source.consistency is Consistency.PER_COLLECTION


async def test_a_backup_cut_or_changed_is_refused_or_the_same(
    strategy: FolderStrategy, folder: Path, tmp_path: Path
) -> None:
    (folder / "runs" / "large.bin").write_bytes(b"small now")
    before = seen(folder)
    path = await backed_up(strategy, tmp_path / "backup.tar")
    for changed, cut in spoilt(path.read_bytes(), 20, 80):
        path.write_bytes(changed)
        try:
            source = await strategy.open(path, path.name)
            built = await strategy.build([Layer(source)], Watch(), keep=True)
        except UnsuitableError:
            continue
        assert not cut
        assert built
        assert seen(built.folder) == before
        await strategy.clean()
    assert not [name for name in os.listdir(folder.parent) if scratch.MARK in name]


async def test_a_reset_leads_to_the_seed_or_to_nothing(tmp_path: Path) -> None:
    empty = strategy_at(tmp_path)
    built = await empty.build([], Watch(), keep=True)
    assert built
    assert os.listdir(built.folder) == []
    seed = tmp_path / "seed"
    (seed / "deep").mkdir(parents=True)
    (seed / "deep" / "start.csv").write_text("a\n")
    for place in (seed, tmp_path / "seed.zip"):
        if place != seed:
            place.write_bytes(packed({"genie/deep/start.csv": "a\n"}))
        seeded = strategy_at(tmp_path, seed={"folder": (str(place),)})
        built = await seeded.build([], Watch(), keep=True)
        assert built
        assert seen(built.folder) == {"deep": None, "deep/start.csv": (b"a\n", False)}


async def test_a_folder_that_is_everybodys_is_left_alone(tmp_path: Path) -> None:
    shared = strategy_at(tmp_path, ".")
    for work in (shared.look(), shared.build([], Watch(), keep=True)):
        with pytest.raises(ConflictError, match="much more than"):
            await work


def _link(name: str, target: str) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = tarfile.SYMTYPE, target
        archive.addfile(info)
        through = tarfile.TarInfo(f"{name}/through")
        archive.addfile(through)
    return whole.getvalue()


def _bomb() -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"{number}", bytes(6_000_000))
    return whole.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        tar({"../x": b"x"}),
        tar({"/tmp/x": b"x"}),
        tar({"a": b"x", "a/b": b"y"}),
        tar({"a": b"x"})[:700],
        packed({"../x": "x"}),
        _link("out", "/etc"),
        _link("out", "../../etc"),
        _link("in", "genie"),
        b"no archive",
        b"",
    ],
)
async def test_hostile_files_are_refused(
    strategy: FolderStrategy, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "upload.zip"
    path.write_bytes(content)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UnsuitableError):
        await _restored(strategy, path)
    assert sorted(tmp_path.rglob("*")) == before


async def _restored(strategy: FolderStrategy, path: Path) -> None:
    source = await strategy.open(path, path.name)
    await strategy.build([Layer(source)], Watch(), keep=True)


async def test_a_bomb_is_refused_by_its_table(strategy: FolderStrategy, tmp_path: Path) -> None:
    path = tmp_path / "upload.zip"
    content = bytearray(_bomb())
    at = content.index(b"PK\x01\x02")
    content[at + 24 : at + 28] = b"\xff\xff\xff\x7f"
    path.write_bytes(content)
    with pytest.raises(UnsuitableError, match="absurd"):
        await strategy.open(path, path.name)


@pytest.mark.parametrize("declared", [True, False])
def test_only_a_declared_folder_has_backups(tmp_path: Path, declared: bool) -> None:
    strategy = strategy_at(tmp_path)
    driver = strategy.driver
    assert isinstance(strategy_for(driver), FolderStrategy)
    spec = replace(driver.spec, data_dir="genie" if declared else None)
    item = cast("Lifecycle", SimpleNamespace(spec=spec, driver=driver))
    able = capabilities(item)
    assert (Capability.BACKUP in able) is (Capability.RESET in able) is declared
    assert Capability.START in able

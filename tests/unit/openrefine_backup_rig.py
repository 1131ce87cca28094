"""An OpenRefine's strategy with no OpenRefine: only its files, and what becomes of them."""

from __future__ import annotations

from pathlib import Path

from ou_vce_ext.backups.openrefine.source import ForeignProjects, OwnBackup
from ou_vce_ext.backups.openrefine.strategy import OpenRefineStrategy
from ou_vce_ext.backups.strategy import Source
from ou_vce_ext.backups.watch import Watch
from ou_vce_ext.drivers.openrefine.driver import OpenRefineDriver
from ou_vce_ext.models import ServiceSpec, Site
from tests.backup_file import back_up
from tests.unit.fakes import FakeLauncher


def strategy_in(root: Path) -> OpenRefineStrategy:
    """Its projects are to lie in ``home/openrefine_projects``, which is not made."""
    home = root / "home"
    home.mkdir()
    site = Site(
        name="openrefine",
        root_dir=home,
        data_dir=home / "openrefine_projects",
        private_dir=root / "private",
        runtime_dir=root / "run",
        log_file=root / "log",
        base_url="/",
    )
    spec = ServiceSpec("openrefine", "openrefine", "OpenRefine")
    return OpenRefineStrategy(OpenRefineDriver(spec, site, FakeLauncher()))


async def backed_up(strategy: OpenRefineStrategy, path: Path) -> Path:
    """A backup at ``path``."""
    await back_up(strategy, path)
    return path


def unpacked(source: Source, into: Path) -> dict[str, dict[str, bytes]]:
    """Each file of each project in a source."""
    assert isinstance(source, OwnBackup | ForeignProjects)
    into.mkdir()
    projects = source.unpack([item.key for item in source.contents], into, Watch())
    return {
        key: {
            str(path.relative_to(project.data.parent)): path.read_bytes()
            for path in project.data.parent.rglob("*")
            if path.is_file()
        }
        for key, project in projects.items()
    }

"""What the tests of real services share: a launcher of real keepers, and a short private folder."""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ou_vce_ext.services.keepers import KeeperLauncher


@pytest.fixture
def short_dir() -> Iterator[Path]:
    """A private folder with a path short enough for sockets, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="vce-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def launcher(
    jp_asyncio_loop: asyncio.AbstractEventLoop, short_dir: Path
) -> Iterator[KeeperLauncher]:
    """Real keepers; whatever a test leaves running is stopped at its end."""
    made = KeeperLauncher(log=logging.getLogger("keepers"), errors=short_dir / "keepers.err")
    yield made
    jp_asyncio_loop.run_until_complete(made.aclose())
    said = (short_dir / "keepers.err").read_text() if (short_dir / "keepers.err").exists() else ""
    assert not said, said

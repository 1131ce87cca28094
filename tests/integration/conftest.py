"""What the tests of real services share: a launcher of real keepers, and a short private folder."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ou_vce_ext.services.keepers import KeeperLauncher


@pytest.fixture
def short_dir() -> Iterator[Path]:
    """A folder of our own with a path short enough for sockets, gone afterwards.

    Whoever a service of root's runs as may pass through it.
    """
    folder = Path(tempfile.mkdtemp(prefix="vce-"))
    folder.chmod(0o711)
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


@pytest.fixture(scope="session")
def postgres_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a PostgreSQL in which an answer is kept, to copy.

    Made in a process of its own, since each test has its own event loop.
    """
    root = tmp_path_factory.mktemp("template")
    code = (
        "import asyncio, logging, sys\n"
        "from pathlib import Path\n"
        "from ou_vce_ext.services.keepers import KeeperLauncher\n"
        "from tests.integration.postgres_rig import make_template\n"
        "async def main():\n"
        "    launcher = KeeperLauncher(log=logging.getLogger())\n"
        "    print(await make_template(Path(sys.argv[1]), launcher))\n"
        "    await launcher.aclose()\n"
        "asyncio.run(main())\n"
    )
    path = os.pathsep.join(path or os.getcwd() for path in sys.path)
    made = subprocess.run(
        [sys.executable, "-c", code, str(root)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return Path(made.stdout.strip())

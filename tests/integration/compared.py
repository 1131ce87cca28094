"""What we are compared with, from PyPI, in a folder apart: no server has it on by itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from .jupyter_rig import LIGHTER, REPOSITORY

OTHER = "jupyter_server_proxy"
MADE_FOR_IT = "hello_jupyter_proxy.py"
REQUIREMENTS = ("jupyter-server-proxy>=4.6,<5", "simpervisor", "hello-jupyter-proxy>=0.2")


def other_proxy(folder: Path) -> Path:
    """A folder with jupyter-server-proxy and an app made for it, else made below ``folder``."""
    shared = REPOSITORY / ".venv" / "compare"
    if all((shared / package).exists() for package in (OTHER, MADE_FOR_IT)):
        return shared
    target = folder / "compare"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    subprocess.run([*install, "--target", str(target), *REQUIREMENTS], check=True, timeout=120)
    return target


def beside_us(home: Path, packages: Path) -> dict[str, str]:
    """Switch jupyter-server-proxy on for the server of ``home``; the environment it needs."""
    folder = home / ".jupyter" / "jupyter_server_config.d"
    folder.mkdir(parents=True)
    on = {"ServerApp": {"jpserver_extensions": {OTHER: True}}}
    (folder / "jupyter-server-proxy.json").write_text(json.dumps(on))
    folders = [LIGHTER, str(REPOSITORY), str(packages), str(home), os.environ.get("PYTHONPATH", "")]
    return {"PYTHONPATH": os.pathsep.join(filter(None, folders))}

"""How our small apps are started."""

from __future__ import annotations

import sys
from pathlib import Path

PYTHON = sys.executable
APPS = Path(__file__).with_name("apps.py")


def app(name: str, *arguments: object, port: str = "{port}") -> tuple[str, ...]:
    """The command of one of the apps, which is told the port it is given."""
    return (PYTHON, "-I", "-S", str(APPS), name, port, *map(str, arguments))

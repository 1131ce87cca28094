"""What a session tells of itself, in a small file beside its socket. Standard library only."""

from __future__ import annotations

import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Note:
    """The facts of one run, written whole each time one of them changes.

    ``session_start`` when the session itself began, in the kernel's ticks; ``display`` its number;
    ``server`` and ``server_start`` the process that serves it; ``program`` the program's own main
    process; ``window`` whether it has shown one; ``closing`` what came of the last request to
    close: ``{"ask": its number, "stands": …}``; ``end`` what ended the session:
    ``{"what": "program" | "display", "code": …, "signal": …}``.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.facts: dict[str, Any] = {}

    def tell(self, **facts: object) -> None:
        """Add facts."""
        self.facts.update(facts)
        write_whole(self.path, json.dumps(self.facts).encode())


def write_whole(path: str, content: bytes) -> None:
    """Write a file (0600) that need not outlive the machine: whole, or not at all.

    Raises OSError.
    """
    new = f"{path}.new"
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    os.rename(new, path)


def read_note(path: str) -> dict[str, Any]:
    """The facts, as far as they have been told; empty where there are none."""
    try:
        with open(path, "rb") as file:
            told = json.loads(file.read(65_536))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}

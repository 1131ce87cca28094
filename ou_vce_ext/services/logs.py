"""Reading what a service printed."""

from __future__ import annotations

from pathlib import Path
from typing import Final

ERROR_LINES: Final = 20
_BLOCK: Final = 1 << 16
_LONGEST_LINE: Final = 2_000


class ServiceLog:
    """The log file of one service and the older one beside it, as a keeper writes them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def tail(self, lines: int = ERROR_LINES) -> tuple[str, ...]:
        """The last ``lines`` lines, oldest first; empty where nothing was printed.

        Bytes that are no UTF-8 are shown as replacement characters, very long lines are cut.
        """
        found = _last_lines(self.path, lines)
        if len(found) < lines:
            older = self.path.with_name(self.path.name + ".1")
            found = _last_lines(older, lines - len(found)) + found
        return tuple(line[:_LONGEST_LINE] for line in found)

    def text(self, lines: int) -> str:
        """The last ``lines`` lines as text that ends in a newline (or is empty)."""
        return "".join(f"{line}\n" for line in self.tail(lines))


def _last_lines(path: Path, count: int) -> list[str]:
    """Read backwards in blocks until there are enough lines, so that a large file costs little."""
    try:
        with path.open("rb") as file:
            position = file.seek(0, 2)
            data = b""
            while position > 0 and data.count(b"\n") <= count and len(data) < 64 * _BLOCK:
                step = min(_BLOCK, position)
                position -= step
                file.seek(position)
                data = file.read(step) + data
    except OSError:
        return []
    return data.decode("utf-8", "replace").splitlines()[-count:]

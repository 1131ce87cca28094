"""On which TCP ports a process listens, as the system tells."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

_LISTENS: Final = "0A"


def tcp_listeners_of(pid: int) -> list[int]:
    """The TCP ports, of any address, on which process ``pid`` itself listens."""
    inodes = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(link))
        except OSError:
            continue
        if found:
            inodes.add(found[1])
    ports = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTENS and fields[9] in inodes:
                ports.append(int(fields[1].rpartition(":")[2], 16))
    return ports

"""A port for each service that needs one: chosen once, kept for good."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Final

from .ports import port_is_taken
from .private_files import read_private, write_private

LOWEST: Final = 20_000
HIGHEST: Final = 32_000
_EPHEMERAL: Final = "/proc/sys/net/ipv4/ip_local_port_range"


class KeptPorts:
    """The ports of one house, as written in ``ports.json`` of its data folder."""

    def __init__(self, path: Path, log: logging.Logger) -> None:
        self._path = path
        self._log = log
        self._ports: dict[str, int] | None = None
        self._saved: dict[str, int] = {}

    def port_for(self, name: str, declared: Collection[int], *, keep: bool) -> int | None:
        """The port of service ``name``: kept, or chosen now and written down if ``keep``.

        ``declared`` are ports that other services have by declaration. None, and a line in the
        log, where none is free.
        """
        ports = self._load(keep)
        kept = ports.get(name)
        if kept in declared:
            self._log.warning("Port %s of %s is now declared by another service", kept, name)
            kept = None
        if kept is None:
            kept = self._choose(name, {*declared, *ports.values()})
            if kept is None:
                self._log.error("There is no free port from %s to %s", LOWEST, HIGHEST)
                return None
            ports[name] = kept
        if keep:
            self.save()
        return kept

    def save(self) -> None:
        """Write down what was chosen while nothing could be. A failure is told in the log."""
        if self._ports is None or self._ports == self._saved:
            return
        content = json.dumps({"ports": self._ports}, indent=1).encode() + b"\n"
        try:
            write_private(self._path, content)
        except OSError as error:
            self._log.warning("The chosen ports cannot be kept in %s: %s", self._path, error)
            return
        self._saved = dict(self._ports)

    def _load(self, may_write: bool) -> dict[str, int]:
        if self._ports is not None:
            return self._ports
        self._ports = {}
        try:
            content = read_private(self._path)
            if content is not None:
                self._ports = _parse(content)
                self._saved = dict(self._ports)
        except (OSError, ValueError, RecursionError) as error:
            aside = self._path.with_name(f"{self._path.name}.damaged")
            self._log.warning("%s cannot be read (%s): new ports are chosen", self._path, error)
            if may_write:
                try:
                    self._path.rename(aside)
                    self._log.warning("The old file is now %s", aside)
                except OSError as failure:
                    self._log.warning("It cannot be moved aside: %s", failure)
        return self._ports

    def _choose(self, name: str, taken: Collection[int]) -> int | None:
        # The same house asks for the same port again, should the file be lost; two houses on one
        # machine ask for different ones, whichever of them is open.
        seed = hashlib.sha256(f"{self._path}\0{name}".encode(errors="surrogateescape")).digest()
        for port in _candidates(int.from_bytes(seed[:4], "big")):
            if port not in taken and not _is_taken(port):
                return port
        return None


def _parse(content: bytes) -> dict[str, int]:
    """Raise ValueError unless ``content`` names a port of its own for each service."""
    read = json.loads(content)
    ports = read.get("ports") if isinstance(read, Mapping) else None
    if not isinstance(ports, dict):
        raise ValueError("it holds no ports")
    for port in ports.values():
        if isinstance(port, bool) or not isinstance(port, int) or not 1024 <= port <= 65535:
            raise ValueError("it holds something that is no port")
    if len(set(ports.values())) < len(ports):
        raise ValueError("it gives one port to two services")
    return ports


def _candidates(seed: int) -> Iterator[int]:
    """All ports of our range once, from a place that ``seed`` decides; ephemeral ones last."""
    low, high = _ephemeral()
    span = HIGHEST - LOWEST
    every = [LOWEST + (seed + step) % span for step in range(span)]
    yield from (port for port in every if not low <= port <= high)
    yield from (port for port in every if low <= port <= high)


def _ephemeral() -> tuple[int, int]:
    """The ports that the system gives to outgoing connections, which may have them any moment."""
    try:
        low, high = Path(_EPHEMERAL).read_text(encoding="ascii").split()
        return int(low), int(high)
    except (OSError, ValueError):
        return 32_768, 65_535


def _is_taken(port: int) -> bool:
    try:
        return port_is_taken(port)
    except OSError:
        # No loopback address to try: the service itself will tell.
        return False

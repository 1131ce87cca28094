"""The settings a private PostgreSQL server is started with."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from ...models import ServiceSpec
from .options import Declared

_MB = 1_000_000
_SHARED_BUFFERS = 64
_LEAST_BUFFERS = 16
_ENOUGH_SHM = 256 * _MB
_SHM = Path("/dev/shm")  # noqa: S108 - where POSIX shared memory lives on Linux


def server_settings(
    spec: ServiceSpec, declared: Declared, sockets: Path, hba_file: Path | None, major: int
) -> list[str]:
    """The ``-c`` arguments: a small machine's defaults, the declared ones, then what is ours.

    ``major`` is the server's release.
    """
    settings = {**_defaults(spec, major), **declared.settings, **_own(spec, declared, sockets)}
    if hba_file:
        settings["hba_file"] = str(hba_file)
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def _defaults(spec: ServiceSpec, major: int) -> Mapping[str, str]:
    buffers = _SHARED_BUFFERS
    if spec.memory_bytes:
        buffers = max(_LEAST_BUFFERS, min(buffers, spec.memory_bytes // 4 // _MB))
    settings = {
        "shared_buffers": f"{buffers}MB",
        "max_wal_size": "512MB",
        # Huge pages that a container promises and does not have end a server with SIGBUS.
        "huge_pages": "off",
    }
    if _small_shm():
        # Docker's 64 MB are soon used up by parallel queries.
        settings["dynamic_shared_memory_type"] = "sysv"
    if major >= 14 and _syncs_whole_file_systems():
        # After a crash all files are made safe before anything else. One by one, on a busy disk,
        # that takes seconds in which nobody is served.
        settings["recovery_init_sync_method"] = "syncfs"
    return settings


def _syncs_whole_file_systems() -> bool:
    """Whether syncfs() tells of errors, as it does from Linux 5.8 on."""
    if sys.platform != "linux":
        return False
    numbers = re.findall(r"\d+", os.uname().release)[:2]
    return [int(number) for number in numbers] >= [5, 8]


def _small_shm() -> bool:
    try:
        found = os.statvfs(_SHM)
    except OSError:
        return False
    return found.f_blocks * found.f_frsize < _ENOUGH_SHM


def _own(spec: ServiceSpec, declared: Declared, sockets: Path) -> Mapping[str, str]:
    return {
        "listen_addresses": "127.0.0.1",
        "port": str(declared.port),
        "unix_socket_directories": _quoted(str(sockets)),
        "unix_socket_permissions": "0700",
        "password_encryption": "scram-sha-256",
        "cluster_name": spec.name,
        "logging_collector": "off",
        "log_destination": "stderr",
        "log_line_prefix": "%m [%p] ",
        # The log is read by us, to tell the student in their words what it means.
        "lc_messages": "C",
    }


def _quoted(folder: str) -> str:
    """One element of a list of folders, which may hold commas and blanks."""
    return '"' + folder.replace('"', '""') + '"'

"""What a mongod of ours is told: a private server that is small at rest and forgets nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from .provision import REPLICA_SET

ADDRESS: Final = "127.0.0.1"
_OPLOG_MB: Final = 256
_JOURNAL_FILE_MB: Final = 20
_DIRTY_MB: Final = 150
_DIRTY_PERCENT: Final = 20


def server_arguments(
    folder: Path, sockets: Path, port: int, *, cache_mb: int, key_file: Path | None
) -> list[str]:
    """The options of a mongod on ``folder``, in the foreground, for this machine alone."""
    told = [
        *("--dbpath", str(folder)),
        *("--port", str(port)),
        *("--bind_ip", ADDRESS),
        *("--unixSocketPrefix", str(sockets)),
        *("--filePermissions", "0700"),
        *("--replSet", REPLICA_SET),
        *("--wiredTigerCacheSizeGB", f"{cache_mb / 1024:g}"),
        *("--wiredTigerEngineConfigString", _storage(cache_mb)),
        # The default is a twentieth of the disk, kept for members that are not there.
        *("--oplogSize", str(_OPLOG_MB)),
        # Measuring itself once a second is half of what an idle server costs.
        *("--setParameter", "diagnosticDataCollectionEnabled=false"),
        "--quiet",
    ]
    if key_file is not None:
        told += ["--keyFile", str(key_file)]
        # Nobody gets in without a password, not even while there are no users yet.
        told += ["--setParameter", "enableLocalhostAuthBypass=false"]
    return told


def _storage(cache_mb: int) -> str:
    """WiredTiger's own settings.

    It would keep three journal files of 100 MB, and read them from end to end at every start. And
    it lets a fifth of its cache be unwritten: of a small one that is too little for a document of
    16 MB, which stands in the collection and in the oplog, and is then refused.
    """
    dirty = max(_DIRTY_PERCENT, -(-100 * _DIRTY_MB // cache_mb))
    return f"log=(file_max={_JOURNAL_FILE_MB}MB),eviction_dirty_trigger={dirty}"

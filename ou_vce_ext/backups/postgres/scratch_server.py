"""A PostgreSQL server out of everybody's way, whose data can change places with the live ones."""

from __future__ import annotations

import dataclasses
import errno
import os
import secrets
import shutil
import signal
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from ...drivers.postgres.driver import PostgresDriver
from ...drivers.postgres.lock import lock_file_for
from ...drivers.postgres.options import ADMIN
from ...drivers.postgres.programs import Server
from ...errors import UnsuitableError, VceError
from ...listing import listed
from ...models import ServiceSpec
from ...oserrors import why
from ...sentences import say
from ...services.private_files import sync_folder
from .. import scratch
from ..threads import in_thread, to_its_end
from ..watch import Watch

_SETTINGS: Final[Mapping[str, str]] = {
    # Nothing here is worth anything before it is whole: then all of it is synced at once.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    # What is loaded in the transaction that makes the table needs no log.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "max_connections": "20",
    # A restore in one transaction holds a lock on each table, index and large object.
    "max_locks_per_transaction": "4096",
    "archive_mode": "off",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
}


class ScratchServer:
    """A driver like the live one's, with a data folder of its own beside the live one."""

    def __init__(self, live: PostgresDriver, home: Path, server: Server) -> None:
        site = scratch.scratch_site(live.site, _free_port())
        mark = site.data_dir.name.removeprefix(live.site.data_dir.name)
        self.live = live
        self.home = home
        self.server = server
        # Beside where the live databases really are: only there is it sure to be one file system.
        self.site = dataclasses.replace(site, data_dir=home.with_name(home.name + mark))
        self.driver = PostgresDriver(_spec(live, server), self.site, live.launcher)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Have it run on a new, empty data folder. Raises VceError."""
        scratch.make_folders(self.site)
        async with scratch.running(self.driver) as process:
            try:
                yield
            except BaseException:
                # Nobody needs what it has: it is to be gone at once, whatever it is doing.
                with suppress(OSError):
                    os.kill(process.pid, signal.SIGQUIT)
                raise

    async def sync(self, watch: Watch) -> None:
        """Have all of its data on the disk, once it is stopped. Raises VceError."""
        try:
            await in_thread(watch, _sync_all, self.driver.data_dir, watch)
        except OSError as error:
            raise VceError(
                "disk-full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "command-failed",
                say(
                    "The new databases could not be written to the disk: {reason}. Your data are "
                    "as they were.",
                    reason=why(error),
                ),
                say("Check the disk, then try again."),
            ) from error

    async def discard(self, *, keep_data: bool = False) -> None:
        """Remove what is left of it; with ``keep_data`` all but the databases."""

        def remove() -> None:
            with suppress(OSError):
                lock_file_for(self.driver.data_dir).unlink()
            if self.driver.sockets != self.site.runtime_dir:
                shutil.rmtree(self.driver.sockets, ignore_errors=True)
            nowhere = self.site.private_dir / "kept"
            site = dataclasses.replace(self.site, data_dir=nowhere) if keep_data else self.site
            scratch.discard(site)

        await to_its_end(remove)


def _spec(live: PostgresDriver, server: Server) -> ServiceSpec:
    options = {
        "program": str(server.folder),
        # Only the superuser, with a password that nobody has had: all else comes from the backup.
        "user": ADMIN,
        "password": secrets.token_urlsafe(24),
        "databases": (ADMIN,),
        "settings": {**live.declared.settings, **_SETTINGS},
    }
    return dataclasses.replace(
        live.spec,
        external=False,
        autostart=False,
        requires=(),
        data_dir=None,
        options=options,
    )


def _sync_all(folder: Path, watch: Watch) -> None:
    """Sync every file and folder below ``folder``, and its own name."""
    # initdb can do the same, and minds no signal while it does.
    for parent, _, files in os.walk(folder):
        watch.raise_if_cancelled()
        for name in files:
            watch.raise_if_cancelled()
            descriptor = os.open(
                os.path.join(parent, name), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
            )
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        sync_folder(Path(parent))
    sync_folder(folder.parent)


def choose(servers: Sequence[Server], home: Path, oldest: int) -> Server:
    """The server to build with: that of the live data, unless it is older than ``oldest``.

    ``oldest`` is the major release the data come from. Raises UnsuitableError: there is no way to
    an older release.
    """
    fitting = [server for server in servers if server.major >= oldest]
    try:
        version = (home / "PG_VERSION").read_text("ascii").strip()
    except (OSError, ValueError):
        version = ""
    same = [server for server in fitting if str(server.major) == version]
    if same or fitting:
        return (same or fitting)[0]
    here = listed(str(major) for major in sorted({server.major for server in servers}))
    raise UnsuitableError(
        say(
            "This backup was made by PostgreSQL {oldest}, and this machine has PostgreSQL "
            "{here}: databases go from an older release to a newer one, never back. "
            "Nothing was changed.",
            oldest=oldest,
            here=here,
        ),
        say("Restore it where PostgreSQL {oldest} or newer is installed.", oldest=oldest),
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

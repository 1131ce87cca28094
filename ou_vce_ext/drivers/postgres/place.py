"""Where the databases really lie, and as whom their server runs there."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ...errors import DefiniteError
from ...launch import Identity, Launcher
from ...models import Site
from ...oserrors import why
from ...sentences import say
from ..identity import Account, barrier, decide_identity, is_root, may, service_account
from .diagnoses import explain_os_error
from .files import account_of, holds_cluster
from .programs import Server

FALLBACK_DATA = Path("/var/lib/ou-vce-ext")
FALLBACK_SOCKETS = Path("/run/ou-vce-ext")
_ANYBODY = Account(uid=-1, gid=-1)
log = logging.getLogger(__name__)


class Place(NamedTuple):
    """The data folder, and who works in it."""

    folder: Path
    identity: Identity

    @property
    def account(self) -> Account:
        """Whose rights the server has on files."""
        return account_of(self.identity)


def cluster_folder(data_dir: Path) -> Path:
    """The folder of the databases within, or at, a service's ``data_dir``.

    A new folder is made beside its final place and renamed. Where that cannot be (a mounted volume,
    a parent that is not ours) it is the folder ``cluster`` in it.
    """
    # Asked whenever somebody looks at a service: it is to be quick.
    if not data_dir.is_dir() or holds_cluster(data_dir):
        return data_dir
    inner = data_dir / "cluster"
    if holds_cluster(inner):
        return inner
    if data_dir.is_mount() or not os.access(data_dir.parent, os.W_OK):
        return inner
    return data_dir


def fallback_folder(site: Site) -> Path:
    """Where an account without rights keeps the data of a root whose home is closed to it."""
    return FALLBACK_DATA / _tag(site.data_dir)


def socket_folder(site: Site) -> Path:
    """The folder of the socket, fixed before anything starts.

    Root's own folders may be closed to the account the server comes to run as, so that root takes
    one that is not, whoever it will be.
    """
    if is_root() and barrier(_ANYBODY, site.runtime_dir):
        return FALLBACK_SOCKETS / _tag(site.data_dir)
    return site.runtime_dir


def _tag(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


async def find_place(site: Site, launcher: Launcher) -> Place:
    """Decide where the databases lie and as whom to serve them.

    Databases that exist are never passed over for a new, empty folder: where they cannot be
    reached, DefiniteError (``folder-unsuitable``) says why.
    """
    home = cluster_folder(site.data_dir)
    identity = await decide_identity(launcher, home)
    if identity.mode != "user":
        spare = fallback_folder(site)
        if identity.mode == "namespace" and not holds_cluster(home) and holds_cluster(spare):
            return Place(spare, await decide_identity(launcher, spare))
        return Place(home, identity)
    place = Place(home, identity)
    closed = barrier(place.account, home)
    if closed is None:
        return place
    if holds_cluster(home):
        raise DefiniteError(
            "folder-unsuitable",
            say(
                "PostgreSQL refuses to run as root, and {user} cannot reach the databases in "
                "{folder}: {closed} is closed to it. They have not been touched.",
                user=place.account.name,
                folder=home,
                closed=closed,
            ),
            say(
                "Let others pass through (chmod o+x '{closed}'), or declare a `data_dir` "
                "elsewhere.",
                closed=closed,
            ),
        )
    spare = fallback_folder(site)
    log.warning(
        "%s is closed to all but root, whom PostgreSQL refuses: the databases lie in %s",
        closed,
        spare,
    )
    return Place(spare, service_account(spare).identity())


def usable(servers: Sequence[Server], place: Place) -> list[Server]:
    """Those servers whose programs the place's account can reach."""
    if place.identity.mode != "user":
        return list(servers)
    return [server for server in servers if _reaches(place.account, server)]


def _reaches(account: Account, server: Server) -> bool:
    program = Path(server.tool("postgres"))
    return barrier(account, program) is None and may(account, program, os.R_OK | os.X_OK)


def make_parents(place: Place) -> None:
    """Make the folders above the data folder, passable for the account that serves it.

    Raises DefiniteError (``data-unwritable``).
    """
    mode = 0o711 if place.identity.mode == "user" else 0o700
    missing = []
    folder = place.folder.parent
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    try:
        for each in reversed(missing):
            each.mkdir(exist_ok=True)
            each.chmod(mode)
    except OSError as error:
        raise explain_os_error(error, place.folder.parent) from error


def prepare_sockets(folder: Path, place: Place, port: int) -> None:
    """Make ``folder`` private to the server's account, and prove that it takes a socket.

    Raises DefiniteError (``folder-unsuitable``, ``disk-full``).
    """
    try:
        if folder.parent == FALLBACK_SOCKETS:
            FALLBACK_SOCKETS.mkdir(exist_ok=True)
            FALLBACK_SOCKETS.chmod(0o711)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        if folder.stat().st_uid != place.account.uid:
            os.chown(folder, place.account.uid, place.account.gid)
        _try_socket(folder, port)
    except OSError as error:
        raise _no_sockets(folder, error) from error


def _try_socket(folder: Path, port: int) -> None:
    # As long a name as the real one: a path that is too long is refused here, by the same rule.
    trial = folder / f".t.PGSQL.{port}"
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.bind(str(trial))
        finally:
            trial.unlink(missing_ok=True)


def _no_sockets(folder: Path, error: OSError) -> DefiniteError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return explain_os_error(error, folder)
    return DefiniteError(
        "folder-unsuitable",
        say(
            "The folder {folder} cannot hold PostgreSQL's socket: {reason}. Your databases "
            "have not been touched.",
            folder=folder,
            reason=why(error),
        ),
        say("Set VCE_RUNTIME_DIR, or XDG_RUNTIME_DIR, to a short path on this machine's own disk."),
    )

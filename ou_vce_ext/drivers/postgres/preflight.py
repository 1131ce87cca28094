"""All that must be so before a server is launched, and is told plainly where it is not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ...errors import DataInUseError, DefiniteError
from ...launch import Launcher
from ...models import Site
from ...sentences import say
from ...services.ports import port_in_use_error, port_is_taken
from ..base import Progress
from ..made_before import MadeBefore
from .access import admit_for_recovery
from .cluster import create_cluster, remove_leftovers
from .diagnoses import explain_os_error
from .files import (
    check_contents,
    check_owner,
    check_writable,
    close_to_others,
    is_fresh,
)
from .lock import check_postmaster_file, folder_locked
from .place import Place, find_place, make_parents, prepare_sockets, usable
from .programs import Server, choose_server


class Prepared(NamedTuple):
    """What may be launched now.

    ``disregard`` is the pid of a stranger whose number stands in a stale lock file; ``hba_file``
    the rules of access where those in the data folder would not let us in.
    """

    place: Place
    server: Server
    disregard: int | None = None
    hba_file: Path | None = None


async def make_ready(
    site: Site,
    launcher: Launcher,
    servers: Sequence[Server],
    sockets: Path,
    port: int,
    port_declared: bool,
    progress: Progress,
    *,
    sync: bool = True,
) -> Prepared:
    """Prove or make everything a server needs. Raises VceError with the reason and the cure.

    May be cut at any moment and called again. A run before this one that is still ending is no
    fault: whoever launches waits for its lock.
    """
    place = await find_place(site, launcher)
    try:
        make_parents(place)
        prepare_sockets(sockets, place, port)
        check_owner(place.folder, place.account)
        with folder_locked(place.folder) as alone:
            if not alone:
                return _in_use(servers, place)
            if port_is_taken(port):
                raise port_in_use_error(port, port_declared)
            return await _with_lock(site, launcher, servers, place, progress, sync=sync)
    except OSError as error:
        raise explain_os_error(error, place.folder) from error


def _in_use(servers: Sequence[Server], place: Place) -> Prepared:
    folder = place.folder
    if is_fresh(folder):
        raise DataInUseError(
            say("Another JupyterLab is just making the databases in {folder}.", folder=folder),
            say("Wait a moment, then use that one, or close it and start this again."),
            {},
        )
    return Prepared(place, choose_server(servers, folder, check_contents(folder)))


async def _with_lock(
    site: Site,
    launcher: Launcher,
    servers: Sequence[Server],
    place: Place,
    progress: Progress,
    *,
    sync: bool = True,
) -> Prepared:
    folder = place.folder
    within_reach = usable(servers, place)
    if not within_reach:
        raise DefiniteError(
            "program-unsuitable",
            say(
                "PostgreSQL refuses to run as root, and {user} cannot reach its programs in "
                "{folder}.",
                user=place.account.name,
                folder=servers[0].folder,
            ),
            say(
                "Install PostgreSQL for everybody on this machine (`apt-get install "
                "postgresql`), or let others pass through the folders above it."
            ),
        )
    remove_leftovers(folder)
    if is_fresh(folder):
        MadeBefore(site.private_dir).expect(folder, "PostgreSQL")
        server = choose_server(within_reach, folder, None)
        output = site.log_file.with_name(f"{site.name}-initdb.log")
        await create_cluster(place, server, launcher, output, progress, sync=sync)
        return Prepared(place, server)
    close_to_others(folder)
    server = choose_server(within_reach, folder, check_contents(folder))
    check_writable(folder)
    disregard = check_postmaster_file(folder, place.account.uid)
    return Prepared(place, server, disregard, admit_for_recovery(place))

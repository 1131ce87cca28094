"""Loading a database into the live server under a name that nobody has yet."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

from ...drivers.mongo.provision import Server
from ...errors import BadRequestError, ConflictError, VceError
from ...sentences import say
from ..watch import Watch, WorkCancelledError
from .catalog import list_databases, read_database
from .compare import compare_documents, compare_metadata
from .connection import connected
from .contents import is_servers_own
from .dump import Dump
from .fill import Filling
from .memory import given_back
from .names import LOADING, Namespace, check_database
from .patience import SECONDS, begun
from .plan import is_wanted, refuse_newer

if TYPE_CHECKING:
    from pymongo import MongoClient

    Client = MongoClient[dict[str, Any]]

_AGAIN_SECONDS: Final = (1, 2, 4, 8, 16, 32, 64)
"""How long it is waited before what could not be taken back is tried again."""


def choose(dump: Dump, items: frozenset[str] | None, name: str) -> set[Namespace]:
    """What of ``dump`` goes into the new database. Raises BadRequestError."""
    check_database(name)
    wanted = {at for at in dump.stored if is_wanted(at, items) and not is_servers_own(at)}
    databases = sorted({at.db for at in wanted})
    if len(databases) > 1:
        raise BadRequestError(
            say(
                "This file holds {count} databases ({names}), and only one can be loaded as "
                "{name}. Nothing was changed.",
                count=len(databases),
                names=", ".join(databases[:8]),
                name=name,
            ),
            say("Choose one of them."),
        )
    if not wanted:
        raise BadRequestError(
            say(
                "Nothing of what was chosen is a database or collection in this file. Nothing "
                "was changed."
            ),
            say("Choose one of its databases."),
        )
    return wanted


class Loading:
    """One database on its way into the server at ``place``, as ``name``."""

    def __init__(self, place: Server | str, name: str, watch: Watch) -> None:
        self._place = place
        self._name = name
        self._watch = watch
        self._mark: bytes | None = None
        """What tells the collection that marks the database as ours from everybody else's."""

    async def load(self, dump: Dump, wanted: set[Namespace]) -> None:
        """Make it of ``wanted``; cut short, take it back. Raises VceError.

        Where it is cancelled and the server hangs, it is taken back when that answers again.
        """
        working = begun(self._load, dump, wanted)
        try:
            await asyncio.shield(working)
        except asyncio.CancelledError:
            self._watch.cancel()
            await asyncio.wait({working}, timeout=SECONDS)
            if working.done() and working.exception() is None:
                # Who cancels only now has come too late: it is there, whole.
                if (own := asyncio.current_task()) is not None:
                    own.uncancel()
                return
            if not working.done():
                # Where an index is being made, it ends when its database is gone.
                both: set[asyncio.Future[Any]] = {working, begun(self._take_back)}
                await asyncio.wait(both, timeout=SECONDS)
            raise
        except WorkCancelledError:
            raise asyncio.CancelledError from None

    def _load(self, dump: Dump, wanted: set[Namespace]) -> None:
        try:
            with given_back(), connected(self._place, silence_ms=None) as client:
                release = str(client.server_info()["version"])
                refuse_newer([dump], release)
                self._claim(client)
                self._fill(client, dump, wanted, release)
                self._watch.raise_if_cancelled()
                client[self._name].drop_collection(LOADING)
                self._mark = None
        except BaseException:
            self._take_back_at_last()
            raise

    def _claim(self, client: Client) -> None:
        """Make the database, so that it is seen to be in the making. Raises ConflictError."""
        if isinstance(self._place, Server):
            # Only one piece of work at a time is done on a server of ours.
            _drop_left(client)
        known = {db.lower(): db for db in list_databases(client)}
        if taken := known.get(self._name.lower()):
            raise _taken(taken, self._name)
        client[self._name].create_collection(LOADING)
        found = list(client[self._name].list_collections())
        if [each["name"] for each in found] != [LOADING]:
            client[self._name].drop_collection(LOADING)
            raise _taken(self._name, self._name)
        self._mark = bytes(found[0]["info"]["uuid"])

    def _fill(self, client: Client, dump: Dump, wanted: set[Namespace], release: str) -> None:
        name, watch, plan = self._name, self._watch, {dump: wanted}
        (database,) = {at.db for at in wanted}
        filling = Filling(client, watch, {database: name})
        filling.documents(plan)
        poured = {filling.place(at): told for at, told in filling.poured.items()}
        compare_documents(client, read_database(client, name), poured, watch)
        filling.all_else(plan)
        found = read_database(client, name)
        found.pop(Namespace(name, LOADING), None)
        told = {filling.place(at): dump.stored[at].what for at in wanted}
        exactly = dump.whole and dump.versions.get("MongoDB") == release
        compare_metadata(found, told, exactly=exactly)

    def _take_back_at_last(self) -> None:
        """Drop it, even where the server is not to be reached for a while. Blocks; never raises."""
        for seconds in _AGAIN_SECONDS:
            if self._take_back() or not self._watch.cancelled:
                return
            time.sleep(seconds)

    def _take_back(self) -> bool:
        """Drop the database while it bears our mark; whether that is settled. Never raises."""
        mark = self._mark
        if mark is None:
            return True
        try:
            with connected(self._place) as client:
                found = client[self._name].list_collections(filter={"name": LOADING})
                # By now it may be another one, that is being loaded under the same name.
                if any(bytes(each["info"]["uuid"]) == mark for each in found):
                    client.drop_database(self._name)
        except VceError:
            return False
        self._mark = None
        return True


def _taken(database: str, name: str) -> ConflictError:
    return ConflictError(
        say(
            "There is a database {database} already. It was not touched, and nothing was changed.",
            database=database,
        ),
        say("Load it under another name, {name}_2 for instance.", name=name),
    )


def take_back_left(place: Server) -> None:
    """Drop databases whose loading was cut off. Blocks; raises VceError."""
    with connected(place) as client:
        _drop_left(client)


def _drop_left(client: Client) -> None:
    for name in list_databases(client):
        if list(client[name].list_collections(filter={"name": LOADING})):
            client.drop_database(name)

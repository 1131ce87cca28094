"""Loading a database into the live server under a name that nobody has yet."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from ...drivers.mongo.provision import Server
from ...errors import BadRequestError, ConflictError, VceError
from ...sentences import say
from ..threads import in_thread, to_its_end
from ..watch import Watch
from .catalog import list_databases, read_database
from .compare import compare_documents, compare_metadata
from .connection import connected
from .contents import is_servers_own
from .dump import Dump
from .fill import Filling
from .names import LOADING, Namespace, check_database
from .plan import is_wanted, refuse_newer

if TYPE_CHECKING:
    from pymongo import MongoClient

    Client = MongoClient[dict[str, Any]]

_PATIENCE: Final = 0.5
"""Seconds in which what goes on batch by batch sees that it is to end."""


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
        self._ours = False

    async def load(self, dump: Dump, wanted: set[Namespace]) -> None:
        """Make it of ``wanted``; cut short, take it back. Raises VceError."""
        working = asyncio.ensure_future(in_thread(self._watch, self._load, dump, wanted))
        try:
            await asyncio.shield(working)
        except asyncio.CancelledError:
            self._watch.cancel()
            await asyncio.wait({working}, timeout=_PATIENCE)
            if not working.done():
                # An index is being made: without its database that ends.
                await to_its_end(self._take_back)
            with suppress(asyncio.CancelledError, Exception):
                await working
            await to_its_end(self._take_back)
            raise

    def _load(self, dump: Dump, wanted: set[Namespace]) -> None:
        with connected(self._place, silence_ms=None) as client:
            release = str(client.server_info()["version"])
            refuse_newer([dump], release)
            self._claim(client)
            try:
                self._fill(client, dump, wanted, release)
                self._watch.raise_if_cancelled()
                client[self._name].drop_collection(LOADING)
                self._ours = False
            except BaseException:
                self._take_back()
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
        if client[self._name].list_collection_names() != [LOADING]:
            client[self._name].drop_collection(LOADING)
            raise _taken(self._name, self._name)
        self._ours = True

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

    def _take_back(self) -> None:
        """Drop the database where it is ours, and not all of it is there. Never raises."""
        if self._ours:
            with suppress(VceError), connected(self._place) as client:
                client.drop_database(self._name)


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

"""Writing all of a server's data into a backup, as they were at one moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ...errors import VceError
from ...models_backup import Consistency, DataItem
from ...sentences import say
from ..watch import Watch
from ..writer import ArchiveWriter
from .ahead import ahead
from .catalog import Catalog, read_catalog, stored_in
from .contents import Counted, describe
from .documents import decode
from .metadata import Metadata
from .names import ADMIN, USERS, VERSION, Namespace, data_member, metadata_member
from .reading import measure, read_answers

if TYPE_CHECKING:
    from bson import Timestamp
    from pymongo import MongoClient

    Client = MongoClient[dict[str, Any]]

TRIES: Final = 4
"""How often it is begun anew where collections are made and dropped meanwhile."""
_HISTORY_SECONDS: Final = 24 * 3600
_HISTORY: Final = "minSnapshotHistoryWindowInSeconds"
# NamespaceNotFound, CursorNotFound, QueryPlanKilled, SnapshotTooOld, SnapshotUnavailable, and that
# the collection was replaced by another while it was read.
_MOVED: Final = (26, 43, 175, 239, 246, 361)


class _MovedError(Exception):
    """A collection was dropped, renamed or rebuilt between the snapshot and its reading."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was written: each collection with its size, and what of it is of one moment."""

    contents: tuple[DataItem, ...]
    consistency: Consistency
    release: str
    details: Mapping[str, Any] = field(default_factory=dict)


def write_snapshot(
    client: Client, archive: ArchiveWriter, watch: Watch, *, own_user: str | None, whole: bool
) -> Snapshot:
    """Write everything into ``archive``, at constant memory. Blocks.

    ``own_user`` is the account of the service's declaration, which a restore has anyway; ``whole``
    tells that all of the server is ours to ask and to set. Raises VceError, PyMongoError, OSError
    or WorkCancelledError.
    """
    with _history_kept(client) if whole else nullcontext():
        for _ in range(TRIES):
            try:
                return _Writing(client, archive, watch, own_user, whole=whole).write()
            except _MovedError:
                archive.begin_again()
    raise VceError(
        "conflict",
        say(
            "Collections were dropped or rebuilt again and again while they were being "
            "backed up, so that no moment could be caught. Your databases are as they were."
        ),
        say("Let the running notebook finish, then back up again."),
    )


@contextmanager
def _history_kept(client: Client) -> Iterator[None]:
    """Have the server keep the state of this moment for as long as it is being read.

    By default it forgets after five minutes, which a slow disk can take.
    """
    was = client.admin.command({"getParameter": 1, _HISTORY: 1})[_HISTORY]
    client.admin.command({"setParameter": 1, _HISTORY: max(int(was), _HISTORY_SECONDS)})
    try:
        yield
    finally:
        from pymongo.errors import PyMongoError

        # A server that is gone starts with its usual setting.
        with suppress(PyMongoError):
            client.admin.command({"setParameter": 1, _HISTORY: was})


class _Writing:
    """One try."""

    def __init__(
        self,
        client: Client,
        archive: ArchiveWriter,
        watch: Watch,
        own_user: str | None,
        *,
        whole: bool,
    ) -> None:
        self._client = client
        self._archive = archive
        self._watch = watch
        self._own_user = own_user
        self._whole = whole

    def write(self) -> Snapshot:
        from pymongo.errors import OperationFailure

        moment, catalog = self._settled()
        counted: dict[Namespace, Counted] = {}
        try:
            for at, what in catalog.items():
                self._watch.raise_if_cancelled()
                self._archive.add(metadata_member(at), what.to_json(at.name))
                if what.kind != "view":
                    counted[at] = self._collection(at, what, None if what.capped else moment)
        except OperationFailure as failure:
            if failure.code in _MOVED:
                raise _MovedError from failure
            raise
        info = self._client.server_info()
        capped = any(what.capped for what in catalog.values())
        return Snapshot(
            describe(catalog, counted),
            Consistency.PER_COLLECTION if capped else Consistency.SNAPSHOT,
            str(info["version"]),
            {"layout": "mongodump", "feature_compatibility": self._compatibility()},
        )

    def _settled(self) -> tuple[Timestamp, Catalog]:
        """The moment of the snapshot, and what there was then.

        A server has no catalog of an earlier moment. But one that is the same before and after it
        is that of the moment, too.
        """
        before = self._catalog()
        for _ in range(TRIES):
            # A server names the moment of a snapshot that none is asked for.
            at = self._asked(before)
            told = self._client[at.db].command(
                {"find": at.name, "limit": 1, "readConcern": {"level": "snapshot"}}
            )
            after = self._catalog()
            if after == before:
                return told["cursor"]["atClusterTime"], after
            before = after
        raise _MovedError

    def _asked(self, catalog: Catalog) -> Namespace:
        """A collection that may be read, be it empty or missing."""
        if self._whole:
            return Namespace(ADMIN, VERSION)
        kept = (at for at, what in catalog.items() if what.kind == "collection" and not what.capped)
        # In any database that it may read, one that is missing will do.
        database = next((at.db for at in catalog), "test")
        return next(kept, Namespace(database, "none"))

    def _catalog(self) -> Catalog:
        return read_catalog(self._client, admin=self._whole)

    def _collection(self, at: Namespace, what: Metadata, moment: Timestamp | None) -> Counted:
        """Write one collection's documents."""
        count = 0
        asked = False
        size = measure(self._client, at, what)
        name = data_member(at_stored(at, what))
        with (
            self._archive.member(name, size.bytes) as member,
            ahead(read_answers(self._client, at, what, size, moment), self._watch) as answers,
        ):
            for answer in answers:
                # Here, so that the server is asked for more meanwhile.
                documents = answer.documents
                if not asked and what.uuid and not self._is_there(at, what):
                    raise _MovedError
                asked = True
                if at == Namespace(ADMIN, USERS):
                    documents = [one for one in documents if not self._is_own(one)]
                count += len(documents)
                member.write(b"".join(documents))
        return Counted(count, member.bytes, member.sha256)

    def _is_there(self, at: Namespace, what: Metadata) -> bool:
        """Whether what is being read is still the collection that was listed.

        One that is missing reads as an empty one, without a complaint.
        """
        name = stored_in(at, what)
        found = list(self._client[at.db].list_collections(filter={"name": name}))
        return bool(found) and bytes(found[0]["info"]["uuid"]).hex() == what.uuid

    def _is_own(self, user: bytes) -> bool:
        return self._own_user is not None and decode(user)["_id"] == f"{ADMIN}.{self._own_user}"

    def _compatibility(self) -> str | None:
        if not self._whole:
            return None
        found = self._client[ADMIN][VERSION].find_one({"_id": "featureCompatibilityVersion"})
        return str(found["version"]) if found else None


def at_stored(at: Namespace, what: Metadata) -> Namespace:
    """Where mongodump puts the documents of ``at``."""
    return Namespace(at.db, stored_in(at, what))

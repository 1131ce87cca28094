"""Writing all of a server's data into a backup, as they were at one moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ...errors import VceError
from ...models_backup import Consistency, DataItem
from ...sentences import say
from ..watch import Watch
from ..writer import ArchiveWriter
from .catalog import Catalog, read_catalog, stored_in
from .connection import failed
from .contents import Counted, describe
from .documents import BLOCK, decode, raw_batches, split
from .metadata import Metadata
from .names import ADMIN, USERS, VERSION, Namespace, data_member, metadata_member

if TYPE_CHECKING:
    from pymongo import MongoClient
    from pymongo.client_session import ClientSession

    Client = MongoClient[dict[str, Any]]

TRIES: Final = 4
"""How often it is begun anew where collections are made and dropped meanwhile."""
_HISTORY_SECONDS: Final = 24 * 3600
_HISTORY: Final = "minSnapshotHistoryWindowInSeconds"
# NamespaceNotFound, CursorNotFound, QueryPlanKilled, SnapshotTooOld, SnapshotUnavailable, and that
# the collection was replaced by another while it was read.
_MOVED: Final = (26, 43, 175, 239, 246, 361)
_USUAL_BATCH: Final = 1000


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

        with self._client.start_session(snapshot=True) as session:
            catalog = self._settled(session)
            counted: dict[Namespace, Counted] = {}
            try:
                for at, what in catalog.items():
                    self._watch.raise_if_cancelled()
                    self._archive.add(metadata_member(at), what.to_json(at.name))
                    if what.kind != "view":
                        counted[at] = self._collection(at, what, session)
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

    def _settled(self, session: ClientSession) -> Catalog:
        """What there was at the moment of the snapshot: it fixes itself with its first reading.

        A server has no catalog of an earlier moment. But one that is the same before and after it
        is that of the moment, too.
        """
        before = self._catalog()
        for _ in range(TRIES):
            session._snapshot_time = None
            self._client[ADMIN][VERSION].find_one({}, session=session)
            after = self._catalog()
            if after == before:
                return after
            before = after
        raise _MovedError

    def _catalog(self) -> Catalog:
        found = read_catalog(self._client)
        if self._whole:
            return found
        return {at: what for at, what in found.items() if at.db != ADMIN}

    def _collection(self, at: Namespace, what: Metadata, session: ClientSession) -> Counted:
        """Write one collection's documents."""
        settings: dict[str, Any] = {"batch_size": self._batch(at, what)}
        if not what.capped:
            settings["session"] = session
        collection = self._client[at.db][stored_in(at, what)]
        count = 0
        with self._archive.member(data_member(at_stored(at, what))) as member:
            batches = raw_batches(collection, **settings)
            with closing(batches):
                first = True
                for batch in batches:
                    if first and what.uuid and not self._is_there(at, what):
                        raise _MovedError
                    first = False
                    documents, rest = split(batch)
                    if rest:
                        raise failed(say("it gave half a document"))
                    if at == Namespace(ADMIN, USERS):
                        documents = [one for one in documents if not self._is_own(one)]
                        batch = b"".join(documents)
                    count += len(documents)
                    member.write(batch)
                if first and what.uuid and not self._is_there(at, what):
                    raise _MovedError
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

    def _batch(self, at: Namespace, what: Metadata) -> int:
        """How many documents are about as much as is handled at a time."""
        from pymongo.errors import OperationFailure

        try:
            size = self._client[at.db].command("collStats", stored_in(at, what)).get("avgObjSize")
        except OperationFailure:
            return _USUAL_BATCH
        return max(2, BLOCK // int(size)) if size else _USUAL_BATCH

    def _compatibility(self) -> str | None:
        if not self._whole:
            return None
        found = self._client[ADMIN][VERSION].find_one({"_id": "featureCompatibilityVersion"})
        return str(found["version"]) if found else None


def at_stored(at: Namespace, what: Metadata) -> Namespace:
    """Where mongodump puts the documents of ``at``."""
    return Namespace(at.db, stored_in(at, what))

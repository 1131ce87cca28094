"""Pouring dumps into a server: collections first, then documents, indexes, views and people."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from ...errors import UnsuitableError
from ...sentences import say
from ...sizes import in_words
from ..watch import Watch
from .ahead import ahead
from .catalog import stored_in
from .contents import Counted, is_servers_own
from .documents import damaged, decode, with_empty_timestamps
from .dump import Dump, Stored
from .names import ADMIN, ROLES, USERS, Namespace
from .sums import Sum

if TYPE_CHECKING:
    from pymongo import MongoClient
    from pymongo.database import Database

    Client = MongoClient[dict[str, Any]]

_MOST_BYTES: Final = 8 * 1024 * 1024
_MOST_DOCUMENTS: Final = 10_000
# Unauthorized, AuthenticationFailed, OutOfDiskSpace, ShutdownInProgress, InterruptedAtShutdown,
# Interrupted, and that the database is being dropped.
_NOT_THE_DUMP: Final = (13, 18, 14031, 91, 11600, 11601, 215)

Plan = Mapping[Dump, Collection[Namespace]]
"""What is taken from each dump."""


class Filling:
    """One server being filled. ``rename`` gives the database that a dump's database becomes.

    Everything blocks; raises UnsuitableError for what a server refuses, else PyMongoError, OSError
    or WorkCancelledError.
    """

    def __init__(
        self, client: Client, watch: Watch, rename: Mapping[str, str] | None = None
    ) -> None:
        self._client = client
        self._watch = watch
        self._rename = rename or {}
        self.poured: dict[Namespace, Counted] = {}

    def place(self, at: Namespace) -> Namespace:
        """Where ``at`` goes."""
        return Namespace(self._rename.get(at.db, at.db), at.name)

    def documents(self, plan: Plan) -> None:
        """Make all collections of ``plan``, and fill them."""
        self._watch.step(say("Making collections"))
        chosen = _chosen(plan)
        for _, at, one in chosen:
            if one.what.kind != "view":
                self._create(at, one)
        self._watch.step(say("Loading documents"), sum(one.counted.bytes for _, _, one in chosen))
        for dump, wanted in plan.items():
            self._pour(dump, [at for at in wanted if not is_servers_own(at)])

    def all_else(self, plan: Plan) -> None:
        """Make the indexes of what was filled, and the views."""
        chosen = _chosen(plan)
        for _, at, one in chosen:
            self._index(at, one)
        self._watch.step(say("Making views"))
        for _, at, one in chosen:
            if one.what.kind == "view":
                self._create(at, one)

    def _create(self, at: Namespace, one: Stored) -> None:
        self._watch.raise_if_cancelled()
        place = self.place(at)
        with refusals(at):
            self._client[place.db].command({"create": place.name, **one.what.options})

    def _pour(self, dump: Dump, wanted: Sequence[Namespace]) -> None:
        sums = {at: Sum(ordered=not dump.stored[at].what.ordered_by_server) for at in wanted}
        with ahead(_loads(dump, wanted, sums, self._watch), self._watch) as loads:
            for load in loads:
                place = self.place(load.at)
                name = stored_in(place, dump.stored[load.at].what)
                with refusals(load.at):
                    load.into(self._client[place.db], name)
                self._watch.did(load.bytes)
        for at, total in sums.items():
            if dump.stored[at].what.kind == "view":
                continue
            told, found = dump.stored[at].counted, total.in_order
            if found.documents != told.documents or (dump.whole and found != told):
                raise damaged(say("the documents of {at} are not those it describes", at=at))
            self.poured[at] = total.counted

    def _index(self, at: Namespace, one: Stored) -> None:
        wanted = [
            dict(index)
            for index in one.what.indexes
            if index.get("name") != "_id_" and not index.get("clustered")
        ]
        if not wanted:
            return
        self._watch.raise_if_cancelled()
        size = one.counted.bytes
        self._watch.step(
            say("Making indexes of {name} ({size})", name=at.name, size=in_words(size))
            if size
            else say("Making indexes of {name}", name=at.name)
        )
        place = self.place(at)
        with refusals(at):
            self._client[place.db].command({"createIndexes": place.name, "indexes": wanted})

    def people(self, plan: Plan, own_user: str | None) -> None:
        """Bring the users and roles, but for the account that the service is declared with."""
        for dump, wanted in plan.items():
            people = [at for at in wanted if at.db == ADMIN and at.name in (USERS, ROLES)]
            for at, documents in dump.stream(people, self._watch):
                target = self._client[at.db][at.name]
                for document in documents:
                    told = decode(document)
                    if told["_id"] == f"{ADMIN}.{own_user}":
                        continue
                    with refusals(at):
                        target.replace_one({"_id": told["_id"]}, told, upsert=True)


def _chosen(plan: Plan) -> list[tuple[Dump, Namespace, Stored]]:
    """What is wanted of each dump, without the users and roles."""
    return [
        (dump, at, dump.stored[at])
        for dump, wanted in plan.items()
        for at in sorted(wanted)
        if not is_servers_own(at)
    ]


class Load:
    """Documents that are inserted at once, made ready for that: ``bytes`` of them, for ``at``."""

    def __init__(self, at: Namespace, documents: Sequence[bytes]) -> None:
        from bson.raw_bson import RawBSONDocument

        self.at = at
        self.bytes = sum(map(len, documents))
        self._raw = [RawBSONDocument(document) for document in documents]
        self._emptied = with_empty_timestamps(documents)

    def into(self, database: Database[dict[str, Any]], name: str) -> None:
        """Insert them in their order, as they are. Blocks; raises PyMongoError."""
        from bson import Timestamp
        from pymongo.errors import WriteError

        answer = database.command(
            {
                "insert": name,
                "documents": self._raw,
                "ordered": True,
                "bypassDocumentValidation": True,
                # By default each would wait until it is on disk; all of it is, once, at the end.
                "writeConcern": {"w": 1},
            }
        )
        for error in answer.get("writeErrors", ()):
            raise WriteError(str(error.get("errmsg")), error.get("code"), error)
        for document, keys in self._emptied:
            # A server takes an empty timestamp for a wish to know the present time.
            database[name].update_one(
                {"_id": decode(document)["_id"]},
                {"$set": dict.fromkeys(keys, Timestamp(0, 0))},
                bypass_document_validation=True,
            )


def _loads(
    dump: Dump, wanted: Sequence[Namespace], sums: Mapping[Namespace, Sum], watch: Watch
) -> Iterator[Load]:
    """A dump's documents, ready to be inserted, and summed up."""
    for at, documents in dump.stream(wanted, watch):
        for part in _parts(documents):
            sums[at].add(part)
            yield Load(at, part)


def _parts(documents: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    start, size = 0, 0
    for index, document in enumerate(documents):
        if size and (size + len(document) > _MOST_BYTES or index - start >= _MOST_DOCUMENTS):
            yield documents[start:index]
            start, size = index, 0
        size += len(document)
    yield documents[start:]


class refusals:
    """Says of what a server refuses that the dump is to blame: it is no data of that server's."""

    def __init__(self, at: Namespace) -> None:
        self._at = at

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        from pymongo.errors import BulkWriteError, ConnectionFailure, OperationFailure

        if not isinstance(error, OperationFailure) or isinstance(error, ConnectionFailure):
            return
        details = error.details or {}
        if isinstance(error, BulkWriteError):
            details = (details.get("writeErrors") or [details])[0]
        text = str(details.get("errmsg") or error)
        if error.code in _NOT_THE_DUMP or "No space left" in text:
            return
        raise UnsuitableError(
            say(
                "MongoDB does not take {at} of this file: {answer}. Your databases are as they "
                "were.",
                at=self._at,
                answer=text[:300],
            ),
            say("Use another backup."),
        ) from error

"""A folder of mongodump's, packed into a zip or tar by whoever brings it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import PurePosixPath
from typing import Final

from ...sentences import say
from ..watch import Watch
from .documents import damaged, read_documents
from .dump import Dump, Stored
from .entries import entries, unzipped
from .metadata import LARGEST, Metadata, read_metadata
from .names import (
    ADMIN,
    BUCKETS,
    DATA,
    METADATA,
    SERVERS_OWN,
    Namespace,
    collection_name,
    database_name,
    is_kept,
)
from .walk import Walk, as_kept
from .window import Readable, Window, read_limited

_NOT_DATA: Final = ("oplog.bson", "prelude.json")


class FolderDump(Dump):
    """Some databases, in files. Everything is read once when it is opened."""

    def __init__(self, window: Window, database: str, watch: Watch) -> None:
        """Read it. ``database`` is what files are of that lie in no folder. Blocks.

        Raises UnsuitableError, OSError or WorkCancelledError.
        """
        self.path = window.path
        self._window = window
        self._database = database
        self._of_file: dict[tuple[str, str], Namespace] = {}
        self.stored = self._read(watch)

    def _read(self, watch: Watch) -> dict[Namespace, Stored]:
        told: dict[tuple[str, str], tuple[str | None, Metadata]] = {}
        walked: dict[tuple[str, str], Walk] = {}
        for place, suffix, reader in self._files(watch):
            if suffix == METADATA:
                told[place] = read_metadata(read_limited(reader, LARGEST, place[1]))
            elif place in walked:
                raise damaged(say("it holds {name} twice", name=place[1]))
            else:
                walk = walked[place] = Walk()
                for documents in read_documents(reader.read):
                    watch.raise_if_cancelled()
                    walk.add(documents)
        stored: dict[Namespace, Stored] = {}
        for place in sorted({*told, *walked}):
            db, file = place
            if file.startswith(BUCKETS) and (db, file.removeprefix(BUCKETS)) in told:
                continue
            name, what = told.get(place, (None, Metadata()))
            at = Namespace(db, name or collection_name(file))
            data = (db, BUCKETS + file) if what.kind == "timeseries" else place
            if not is_theirs(at):
                continue
            if data not in walked and what.kind != "view":
                raise damaged(say("the documents of {at} are missing", at=at))
            stored[at] = Stored(what, walked[data].counted) if data in walked else Stored(what)
            self._of_file[data] = at
        if not stored:
            raise damaged(say("there are no databases in it"))
        return stored

    def _files(self, watch: Watch) -> Iterator[tuple[tuple[str, str], str, Readable]]:
        """The database and the name that each file stands for, without its suffix."""
        for name, size, packed in entries(self._window, watch):
            plain, reader = unzipped(name, size, packed, watch)
            path = PurePosixPath(plain)
            suffix = next((one for one in (METADATA, DATA) if plain.endswith(one)), None)
            if suffix is None or path.name in _NOT_DATA or path.name.startswith("._"):
                continue
            db = database_name(path.parent.name) or self._database
            yield (db, path.name.removesuffix(suffix)), suffix, reader

    def stream(
        self, wanted: Collection[Namespace], watch: Watch
    ) -> Iterator[tuple[Namespace, list[bytes]]]:
        """Its documents, file by file."""
        for place, suffix, reader in self._files(watch):
            at = self._of_file.get(place)
            if suffix == DATA and at in wanted and at is not None:
                for documents in read_documents(reader.read):
                    watch.raise_if_cancelled()
                    yield at, as_kept(documents)


def is_theirs(at: Namespace) -> bool:
    """Whether it is data, and not another server's own: its users stay where they are known."""
    if at.db in SERVERS_OWN or (at.db == ADMIN and at.name.startswith("system.")):
        return False
    return is_kept(at.db, at.name) and not at.name.startswith("$")

"""A backup that :mod:`.take` wrote."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from ...models_backup import Consistency, DataItem, ItemKind
from ...sentences import say
from ..reader import Archive
from ..watch import Watch
from .contents import Counted
from .documents import damaged, read_documents
from .dump import Dump, Stored
from .metadata import LARGEST, read_metadata
from .names import (
    DATA,
    FOLDER,
    METADATA,
    SERVERS_OWN,
    Namespace,
    collection_name,
    data_member,
    is_kept,
    metadata_member,
)
from .take import at_stored

KIND = "mongo"


class OwnDump(Dump):
    """A backup of ours. Its members' checksums are compared when it is opened."""

    def __init__(self, archive: Archive) -> None:
        """Read what it holds. Blocks; raises UnsuitableError."""
        if archive.manifest.kind != KIND:
            raise damaged(say("it is a backup of another kind of service"))
        self.path: Path = archive.path
        self._archive = archive
        self.stored = dict(_stored(archive))

    @property
    def contents(self) -> tuple[DataItem, ...]:
        """What is in it, in parts a person knows."""
        return self._archive.manifest.contents

    @property
    def versions(self) -> Mapping[str, str]:
        """Which programs made it."""
        return self._archive.manifest.versions

    @property
    def compatibility(self) -> str | None:
        """The release whose data these are."""
        told = self._archive.manifest.details.get("feature_compatibility")
        return told if isinstance(told, str) else super().compatibility

    @property
    def consistency(self) -> Consistency:
        """What in it is of one moment."""
        return self._archive.manifest.consistency

    @property
    def whole(self) -> bool:
        """It is."""
        return True

    def stream(
        self, wanted: Collection[Namespace], watch: Watch
    ) -> Iterator[tuple[Namespace, list[bytes]]]:
        """Its documents, one collection after the other."""
        for at, one in self.stored.items():
            if at in wanted and one.what.kind != "view":
                with self._archive.open(data_member(at_stored(at, one.what))) as member:
                    for documents in read_documents(member.read):
                        watch.raise_if_cancelled()
                        yield at, documents


def _stored(archive: Archive) -> Iterator[tuple[Namespace, Stored]]:
    known = {member.name: member for member in archive.manifest.members}
    counts = {
        item.key: item.count
        for item in archive.manifest.contents
        if item.kind in (ItemKind.COLLECTION, ItemKind.VIEW)
    }
    for name in archive.names:
        if not name.endswith(METADATA):
            if not name.endswith(DATA) or not name.startswith(f"{FOLDER}/"):
                raise damaged(say("{name} in it is nothing that MongoDB has", name=name))
            continue
        if archive.bytes_of(name) > LARGEST:
            raise damaged(say("{name} in it is far too large", name=name))
        with archive.open(name) as member:
            told, what = read_metadata(member.read())
        _, db, file = name.split("/", 2)
        at = Namespace(db, told or collection_name(file.removesuffix(METADATA)))
        if not is_kept(at.db, at.name) or at.db in SERVERS_OWN or metadata_member(at) != name:
            raise damaged(say("{name} in it is nothing that a backup has", name=name))
        if what.kind == "view":
            yield at, Stored(what)
            continue
        data = known.get(data_member(at_stored(at, what)))
        if data is None:
            raise damaged(say("the documents of {at} are missing", at=at))
        yield at, Stored(what, Counted(counts.get(at.key) or 0, data.bytes, data.sha256))

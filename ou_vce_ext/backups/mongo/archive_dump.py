"""What ``mongodump --archive`` writes: all collections in one stream, in turns."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from ...sentences import say
from ..watch import Watch
from .crc64 import Crc64Check
from .documents import BLOCK, LARGEST, SMALLEST, damaged, decode
from .dump import Dump, Stored
from .entries import MOST
from .folder_dump import is_theirs
from .metadata import Metadata, read_metadata
from .names import BUCKETS, Namespace
from .walk import Walk, as_kept
from .window import Readable, Window

MAGIC: Final = b"\x6d\xe2\x99\x81"
_END: Final = b"\xff\xff\xff\xff"
_LENGTH: Final = struct.Struct("<i")
_TOGETHER: Final = 1000


class ArchiveDump(Dump):
    """Everything in it is read once when it is opened, and its checksums are compared."""

    def __init__(self, window: Window, watch: Watch) -> None:
        """Read it. Blocks; raises UnsuitableError, OSError or WorkCancelledError."""
        self.path = window.path
        self._window = window
        self._release = ""
        self.stored = self._read(watch)
        if not self.stored:
            raise damaged(say("there are no databases in it"))

    @property
    def versions(self) -> Mapping[str, str]:
        """The server it was taken from."""
        return {"MongoDB": self._release} if self._release else {}

    def _read(self, watch: Watch) -> dict[Namespace, Stored]:
        walks: dict[Namespace, Walk] = {}
        checks: dict[Namespace, Crc64Check] = {}
        ended: set[Namespace] = set()
        with self._window.unpacked(watch) as file:
            parts = _Parts(file)
            self._release = parts.release
            for at, header, documents in parts.segments():
                watch.raise_if_cancelled()
                if at in ended or len(walks) > MOST:
                    raise damaged(say("it goes on with {at} after its end", at=at))
                walk = walks.setdefault(at, Walk())
                check = checks.setdefault(at, Crc64Check())
                if header.get("EOF"):
                    if not check.matches(int(header.get("CRC", 0))):
                        raise damaged(say("the documents of {at} are not what was written", at=at))
                    ended.add(at)
                    del checks[at]
                    continue
                walk.add(documents)
                check.add(b"".join(documents))
        if checks:
            raise damaged(say("it ends before the documents of {at} do", at=min(checks)))
        stored: dict[Namespace, Stored] = {}
        for at, what in parts.told.items():
            data = Namespace(at.db, BUCKETS + at.name) if what.kind == "timeseries" else at
            if not is_theirs(at):
                continue
            if what.kind != "view" and data not in ended:
                raise damaged(say("the documents of {at} are missing", at=at))
            stored[at] = Stored(what, walks[data].counted) if data in walks else Stored(what)
        return stored

    def stream(
        self, wanted: Collection[Namespace], watch: Watch
    ) -> Iterator[tuple[Namespace, list[bytes]]]:
        """Its documents, as they come."""
        stands_for = {
            Namespace(at.db, BUCKETS + at.name)
            if self.stored[at].what.kind == "timeseries"
            else at: at
            for at in wanted
        }
        with self._window.unpacked(watch) as file:
            for data, _, documents in _Parts(file).segments():
                watch.raise_if_cancelled()
                at = stands_for.get(data)
                if at is not None and documents:
                    yield at, as_kept(documents)


class _Parts:
    """The stream, taken apart."""

    def __init__(self, file: Readable) -> None:
        self._file = file
        self._buffer = b""
        self._at = 0
        self._more()
        if self._buffer[:4] != MAGIC:
            raise damaged(say("it does not begin as an archive of mongodump's"))
        self._at = 4
        header = self._understood(self._document())
        self.release = str(header.get("server_version", ""))
        self.told: dict[Namespace, Metadata] = {}
        while (document := self._document()) is not None:
            body = self._understood(document)
            at = _namespace(body)
            self.told[at] = _metadata(at, body)
            if len(self.told) > MOST:
                raise damaged(say("it holds far too many collections"))

    def segments(self) -> Iterator[tuple[Namespace, Mapping[str, Any], list[bytes]]]:
        """Whose documents, what is said of them, and the documents, some at a time."""
        while self._more():
            header = self._understood(self._document())
            at = _namespace(header)
            documents: list[bytes] = []
            size = 0
            while (document := self._document()) is not None:
                documents.append(document)
                size += len(document)
                if size > BLOCK or len(documents) >= _TOGETHER:
                    yield at, header, documents
                    documents, size = [], 0
            if documents or header.get("EOF"):
                yield at, header, documents

    def _document(self) -> bytes | None:
        """The next document, or None for the mark that ends a part."""
        self._need(4)
        if self._buffer[self._at : self._at + 4] == _END:
            self._at += 4
            return None
        (length,) = _LENGTH.unpack_from(self._buffer, self._at)
        if not SMALLEST <= length <= LARGEST:
            raise damaged(say("one of its documents has no possible length"))
        self._need(length)
        document = self._buffer[self._at : self._at + length]
        self._at += length
        if document[-1]:
            raise damaged(say("one of its documents does not end where it should"))
        return document

    def _need(self, count: int) -> None:
        while len(self._buffer) - self._at < count:
            if not self._fill():
                raise damaged(say("it ends too early"))

    def _more(self) -> bool:
        return self._at < len(self._buffer) or self._fill()

    def _fill(self) -> bool:
        block = self._file.read(BLOCK)
        self._buffer = self._buffer[self._at :] + block
        self._at = 0
        return bool(block)

    @staticmethod
    def _understood(document: bytes | None) -> Mapping[str, Any]:
        from bson.errors import BSONError

        try:
            if document is not None:
                return decode(document)
        except (BSONError, ValueError, RecursionError):
            pass
        raise damaged(say("what it says of itself cannot be read"))


def _namespace(body: Mapping[str, Any]) -> Namespace:
    db, name = body.get("db"), body.get("collection")
    if not isinstance(db, str) or not isinstance(name, str):
        raise damaged(say("what it says of a collection cannot be read"))
    return Namespace(db, name)


def _metadata(at: Namespace, body: Mapping[str, Any]) -> Metadata:
    content = body.get("metadata") or ""
    if not content:
        return Metadata()
    name, what = read_metadata(str(content).encode())
    if name not in (None, at.name):
        raise damaged(say("what it says of a collection cannot be read"))
    return what

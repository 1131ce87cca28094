"""Reading a collection as it lies on a server, with as little as can be done for each document.

A cursor of pymongo's makes an object of each document, which for many small ones takes longer than
a server takes to read them. So the two commands behind every cursor are given here, and of their
answers only what holds the documents together is looked at.
"""

from __future__ import annotations

import struct
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ...errors import VceError
from ...sentences import say
from .catalog import stored_in
from .connection import failed
from .metadata import Metadata
from .names import Namespace

if TYPE_CHECKING:
    from bson import Timestamp
    from pymongo import MongoClient

    Client = MongoClient[dict[str, Any]]

TOGETHER: Final = 512 * 1024
"""Bytes of documents in one answer, about. Larger ones are not quicker, and take more memory."""
_USUALLY: Final = 1000
_MOST: Final = 10_000

_INT32: Final = struct.Struct("<i")
_INT64: Final = struct.Struct("<q")
_DOCUMENT, _ARRAY, _STRING, _LONG = 0x03, 0x04, 0x02, 0x12
_SIZES: Final = {0x01: 8, 0x08: 1, 0x09: 8, 0x0A: 0, 0x10: 4, 0x11: 8, 0x12: 8}
"""Bytes of a value, by its type, where all of that type have as many."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Some documents as a server sent them: an array, from ``start`` to ``end`` in ``cursor``.

    ``number`` is that of the cursor to ask for more with, 0 at the end.
    """

    cursor: bytes
    number: int
    start: int
    end: int

    @classmethod
    def of(cls, cursor: bytes) -> Answer:
        """What ``cursor`` is in an answer. Raises VceError where no server answers like this."""
        number: int | None = None
        found: tuple[int, int] | None = None
        try:
            for name, kind, start, end in _fields(cursor):
                if kind == _LONG and name == b"id":
                    (number,) = _INT64.unpack_from(cursor, start)
                elif kind == _ARRAY and name in (b"firstBatch", b"nextBatch"):
                    found = start, end
        except (ValueError, KeyError, struct.error, IndexError) as error:
            raise _unreadable() from error
        if number is None or found is None:
            raise _unreadable()
        return cls(cursor, number, *found)

    @property
    def documents(self) -> list[bytes]:
        """Each of them. Raises VceError where they are none."""
        try:
            return _listed(self.cursor, self.start, self.end)
        except (ValueError, struct.error, IndexError) as error:
            raise _unreadable() from error


@dataclass(frozen=True, slots=True)
class Size:
    """What a server says of a collection: all its documents' bytes, and how many to ask for.

    ``bytes`` is None where it does not tell. It may be wrong, after a crash or for the moment of a
    snapshot.
    """

    bytes: int | None
    together: int


def measure(client: Client, at: Namespace, what: Metadata) -> Size:
    """Ask for a collection's size. Blocks; raises PyMongoError."""
    from pymongo.errors import OperationFailure

    try:
        told = client[at.db].command("collStats", stored_in(at, what))
    except OperationFailure:
        return Size(None, _USUALLY)
    size, average = told.get("size"), told.get("avgObjSize")
    return Size(
        None if size is None else int(size),
        min(_MOST, max(2, TOGETHER // int(average))) if average else _USUALLY,
    )


def read_batches(
    client: Client, at: Namespace, what: Metadata
) -> Generator[list[bytes], None, None]:
    """A collection's documents as they are now, some at a time; else as :func:`read_answers`."""
    size = measure(client, at, what)
    with closing(read_answers(client, at, what, size)) as answers:
        for answer in answers:
            yield answer.documents


def read_answers(
    client: Client, at: Namespace, what: Metadata, size: Size, moment: Timestamp | None = None
) -> Generator[Answer, None, None]:
    """A collection's documents, some at a time, each as it is stored, in the order they lie in.

    ``moment``: as of when; None: as they are. One that is not read to its end is given up with its
    ``client``: a server that is gone would be waited for. Blocks; raises PyMongoError, or VceError
    where an answer cannot be read.
    """
    from bson import Int64
    from bson.codec_options import CodecOptions
    from bson.raw_bson import RawBSONDocument

    as_it_is: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)
    database, name = client[at.db], stored_in(at, what)
    count = size.together
    command: dict[str, Any] = {"find": name, "batchSize": count}
    if moment is not None:
        command["readConcern"] = {"level": "snapshot", "atClusterTime": moment}
    # A cursor belongs to the session it was opened in.
    with client.start_session(causal_consistency=False) as session:
        while True:
            told = database.command(command, codec_options=as_it_is, session=session)
            answer = Answer.of(bytes(told["cursor"].raw))
            del told
            # As many as would have been as much as is wanted, had there been so many.
            count = min(_MOST, max(2, count * TOGETHER // (answer.end - answer.start)))
            yield answer
            if not answer.number:
                return
            command = {"getMore": Int64(answer.number), "collection": name, "batchSize": count}


def take_apart(cursor: bytes) -> tuple[int, list[bytes]]:
    """What ``cursor`` is in a server's answer: its number (0 at the end), and the documents in it.

    Raises VceError where it is nothing that a server answers.
    """
    answer = Answer.of(cursor)
    return answer.number, answer.documents


def _unreadable() -> VceError:
    return failed(say("it gave an answer that cannot be read"))


def _fields(document: bytes) -> Iterator[tuple[bytes, int, int, int]]:
    """Each field at the first level: its name, its type, where its value begins and ends."""
    at, last = 4, len(document) - 1
    if _INT32.unpack_from(document)[0] != len(document):
        raise ValueError("another length than it says")
    while at < last:
        kind, name_ends = document[at], document.index(0, at + 1)
        start = name_ends + 1
        if kind in (_DOCUMENT, _ARRAY):
            end = start + _INT32.unpack_from(document, start)[0]
        elif kind == _STRING:
            end = start + 4 + _INT32.unpack_from(document, start)[0]
        else:
            end = start + _SIZES[kind]
        if not start <= end <= last:
            raise ValueError("a value that goes on after the end")
        yield document[at + 1 : name_ends], kind, start, end
        at = end


def _listed(answer: bytes, start: int, end: int) -> list[bytes]:
    """The documents of an array, without the numbers that they have in it."""
    found: list[bytes] = []
    at, last = start + 4, end - 1
    size_at, name_ends = _INT32.unpack_from, answer.index
    while at < last:
        if answer[at] != _DOCUMENT:
            raise ValueError("something that is no document")
        begins = name_ends(0, at + 2) + 1
        at = begins + size_at(answer, begins)[0]
        if not begins < at <= last:
            raise ValueError("a document that goes on after the end")
        found.append(answer[begins:at])
    return found

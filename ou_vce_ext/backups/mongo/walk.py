"""Documents of a file that others made: each understood, counted, and put as a server keeps it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from ...sentences import say
from .contents import Counted
from .documents import damaged, decode

_STARTS_WITH_ID: Final = slice(5, 9)


class Walk:
    """Sees that documents can be read from one end to the other, and sums them up."""

    def __init__(self) -> None:
        self._sum = hashlib.sha256()
        self._documents = 0
        self._bytes = 0

    def add(self, documents: Sequence[bytes]) -> None:
        """Some more of them. Raises UnsuitableError."""
        from bson.errors import BSONError

        for document in documents:
            try:
                decode(document)
            except (BSONError, ValueError, OverflowError, RecursionError) as error:
                raise damaged(say("one of its documents cannot be read")) from error
            self._sum.update(document)
            self._bytes += len(document)
        self._documents += len(documents)

    @property
    def counted(self) -> Counted:
        """How many there were."""
        return Counted(self._documents, self._bytes, self._sum.hexdigest())


def as_kept(documents: Sequence[bytes]) -> list[bytes]:
    """The documents with their ``_id`` in front, as every server stores them."""
    return [
        document if document[_STARTS_WITH_ID] == b"_id\0" else _with_id_first(document)
        for document in documents
    ]


def _with_id_first(document: bytes) -> bytes:
    import bson
    from bson import ObjectId

    told = decode(document)
    own = told.pop("_id", None)
    return bson.encode({"_id": ObjectId() if own is None else own, **told})

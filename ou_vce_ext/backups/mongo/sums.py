"""Checksums of a collection's documents, in the order they have or whatever their order."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from .contents import Counted


class Sum:
    """Counts documents and sums them up: byte by byte, or each on its own.

    ``ordered``: whether their order is part of the sum. A server lays the documents of some
    collections out by their key, so that those may come back in another order.
    """

    def __init__(self, *, ordered: bool) -> None:
        self._whole = hashlib.sha256()
        self._each = None if ordered else 0
        self._documents = 0
        self._bytes = 0

    def add(self, documents: Sequence[bytes]) -> int:
        """Some more documents; gives how many bytes they are."""
        block = b"".join(documents)
        self._whole.update(block)
        self._documents += len(documents)
        self._bytes += len(block)
        if self._each is not None:
            for document in documents:
                self._each += int.from_bytes(hashlib.sha256(document).digest())
        return len(block)

    @property
    def in_order(self) -> Counted:
        """All so far, summed up in their order."""
        return Counted(self._documents, self._bytes, self._whole.hexdigest())

    @property
    def counted(self) -> Counted:
        """All so far, by the sum that was chosen."""
        if self._each is None:
            return self.in_order
        return Counted(self._documents, self._bytes, f"{self._each % 2**256:064x}")

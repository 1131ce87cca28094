"""Raw BSON documents: taken from a stream one by one, without being understood."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from ...errors import UnsuitableError
from ...sentences import say

BLOCK: Final = 512 * 1024
"""Bytes that are handled at a time."""
LARGEST: Final = 16 * 1024 * 1024 + 16 * 1024
"""Bytes of the largest document a server gives or takes."""
SMALLEST: Final = 5

_LENGTH: Final = struct.Struct("<i")
_NINE_ZEROS: Final = bytes(9)
_EMPTY_TIMESTAMP: Final = re.compile(rb"\x11[^\x00]+\x00{9}")


def damaged(reason: str) -> UnsuitableError:
    """The refusal of a file that is not what it should be."""
    return UnsuitableError(
        say(
            "This file is no backup of MongoDB, or is damaged: {reason}. Nothing was changed.",
            reason=reason,
        ),
        say("Use another backup. Those you have are listed with whether they were proven."),
    )


def split(block: bytes) -> tuple[list[bytes], bytes]:
    """The whole documents at the start of ``block``, and what is left. Raises UnsuitableError."""
    found: list[bytes] = []
    at, end = 0, len(block)
    length_at = _LENGTH.unpack_from
    while end - at >= 4:
        (length,) = length_at(block, at)
        if not SMALLEST <= length <= LARGEST:
            raise damaged(say("one of its documents has no possible length"))
        after = at + length
        if after > end:
            break
        if block[after - 1]:
            raise damaged(say("one of its documents does not end where it should"))
        found.append(block[at:after])
        at = after
    return found, block[at:]


def read_documents(read: Callable[[int], bytes]) -> Iterator[list[bytes]]:
    """All documents of a stream, some at a time. Raises UnsuitableError where it is cut short."""
    rest = b""
    while block := read(BLOCK):
        found, rest = split(rest + block if rest else block)
        if found:
            yield found
    if rest:
        raise damaged(say("it ends in the middle of a document"))


def empty_timestamps(document: bytes) -> list[str]:
    """Fields that a server would fill in with the present time when it is given ``document``.

    Those are timestamps of zero at its first level; what is stored already is never changed.
    """
    if _NINE_ZEROS not in document or not _EMPTY_TIMESTAMP.search(document):
        return []
    from bson import Timestamp

    empty = Timestamp(0, 0)
    return [key for key, value in decode(document).items() if key != "_id" and value == empty]


def with_empty_timestamps(documents: Sequence[bytes]) -> list[tuple[bytes, list[str]]]:
    """Which of some documents have such fields, and which."""
    if _NINE_ZEROS not in b"".join(documents):
        return []
    found = ((document, empty_timestamps(document)) for document in documents)
    return [(document, keys) for document, keys in found if keys]


def decode(document: bytes) -> dict[str, Any]:
    """Understand a document, its values as faithfully as Python has them. Raises BSONError."""
    import bson
    from bson.codec_options import CodecOptions, DatetimeConversion

    options: CodecOptions[dict[str, Any]] = CodecOptions(
        datetime_conversion=DatetimeConversion.DATETIME_AUTO
    )
    return bson.decode(document, options)

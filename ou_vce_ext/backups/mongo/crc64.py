"""The checksum in mongodump's archives, CRC-64 of ECMA-182, at the speed of a compiled library.

Python has none. But the ``.xz`` format ends each block with just this checksum, and the library
that unpacks it compares the two: so the data are handed to it as a block that was never compressed,
and the checksum that they should have comes last.
"""

from __future__ import annotations

import binascii
import lzma
import struct
from typing import Final

_MAGIC: Final = b"\xfd7zXZ\x00"
_WITH_CRC64: Final = b"\x00\x04"
_LZMA2: Final = 0x21
_SMALLEST_DICTIONARY: Final = 0
_CHUNK: Final = 65_536
_FIRST: Final = 1
_LATER: Final = 2


def _header() -> bytes:
    """The start of a stream and of its only block."""
    block = bytes([2, 0, _LZMA2, 1, _SMALLEST_DICTIONARY, 0, 0, 0])
    return b"".join(
        (
            _MAGIC,
            _WITH_CRC64,
            struct.pack("<I", binascii.crc32(_WITH_CRC64)),
            block,
            struct.pack("<I", binascii.crc32(block)),
        )
    )


class Crc64Check:
    """Takes data bit by bit, and at last the checksum that they should have."""

    def __init__(self) -> None:
        self._unpacker = lzma.LZMADecompressor(lzma.FORMAT_XZ)
        self._unpacker.decompress(_header())
        self._packed = 0
        self._control = _FIRST

    def add(self, data: bytes) -> None:
        """Some more data."""
        for start in range(0, len(data), _CHUNK):
            chunk = data[start : start + _CHUNK]
            self._give(struct.pack(">BH", self._control, len(chunk) - 1) + chunk)
            self._control = _LATER

    def matches(self, checksum: int) -> bool:
        """Whether the data have this checksum. Nothing can be added afterwards."""
        # An end of data, and zeros up to a multiple of four bytes.
        self._give(b"\0")
        try:
            self._give(bytes(-self._packed % 4))
            self._unpacker.decompress(struct.pack("<Q", checksum & 0xFFFF_FFFF_FFFF_FFFF))
        except lzma.LZMAError:
            return False
        return True

    def _give(self, packed: bytes) -> None:
        self._unpacker.decompress(packed)
        self._packed += len(packed)

"""The headers of a tar archive, one after the other: each costs microseconds, whatever it says.

A hostile archive of a million members is refused after as many headers as an honest one may have;
the standard library makes an object of each, which is fifty times slower. All of it blocks.
"""

from __future__ import annotations

import builtins
import tarfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from ..sentences import say

RECORD: Final = tarfile.BLOCKSIZE
MOST_MEMBERS: Final = 200_000
LONGEST_NAME: Final = 1024
_LARGEST_NOTE: Final = 64 * 1024
"""Bytes that a longer name, or another note on the next member, may take."""
_NOTES: Final = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
)
_GNU: Final = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.GNUTYPE_SPARSE,
)
_END: Final = bytes(RECORD)
_ADLER: Final = 65_521
_BASE_256: Final = (0o200, 0o377)


class BrokenTarError(Exception):
    """An archive cannot be read, or is not to be: ``reason`` says why, within a sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Header(NamedTuple):
    """A member: what it is called, its content's bytes and where they begin, its kind and mode."""

    name: str
    bytes: int
    start: int
    kind: builtins.bytes
    mode: int
    link: str

    @property
    def plain(self) -> bool:
        """Whether it is a file with its content in the archive."""
        return self.kind in (tarfile.REGTYPE, tarfile.AREGTYPE) and self.bytes >= 0

    @property
    def end(self) -> int:
        """Where the header after it begins."""
        return self.start + self.bytes + -self.bytes % RECORD


def headers(stream: BinaryIO, most: int | None = None) -> Iterator[Header]:
    """Each member of an archive that ``stream`` is at the beginning of, notes on it taken in.

    Whoever is given a plain file has to have ``stream`` at its ``end`` before asking for the next.
    Raises BrokenTarError (after ``most`` headers, or :data:`MOST_MEMBERS`, too), EOFError,
    ValueError, OSError.
    """
    longer: str | None = None
    further: str | None = None
    size: int | None = None
    at = 0
    for _ in range(MOST_MEMBERS if most is None else most):
        block = exactly(stream, RECORD)
        at += RECORD
        if block == _END:
            return
        found = parse(block, at)
        if found.kind in _NOTES:
            note = _note(stream, found.bytes)
            at = found.end
            if found.kind == tarfile.GNUTYPE_LONGNAME:
                longer = _text(note)
            elif found.kind == tarfile.GNUTYPE_LONGLINK:
                further = _text(note)
            elif found.kind == tarfile.XHDTYPE:
                longer, further, size = _pax(note)
            continue
        if longer is not None or further is not None or size is not None:
            found = found._replace(
                name=longer or found.name,
                link=further or found.link,
                bytes=found.bytes if size is None else size,
            )
            longer = further = size = None
        yield found
        if found.plain:
            at = found.end
    raise BrokenTarError(say("it names far too many files"))


def parse(block: bytes, start: int) -> Header:
    """One header; its content begins at ``start``. Raises ValueError where it is none."""
    told = block[148:156]
    # Adler-32 sums up all bytes, and one more, on its way; a header's own sum takes its field for
    # eight spaces.
    wanted = _number(told)
    fits = zlib.adler32(block) & 0xFFFF == (wanted - 255 + sum(told)) % _ADLER
    if not fits and wanted != _signed_sum(block):
        raise ValueError("no header")
    kind = block[156:157]
    name = _text(block[:100])
    if kind == tarfile.AREGTYPE and name.endswith("/"):
        kind = tarfile.DIRTYPE
    if kind == tarfile.DIRTYPE:
        name = name.rstrip("/")
    if block[345] and kind not in _GNU and block[257:263] != b"ustar ":
        name = f"{_text(block[345:500])}/{name}"
    link = _text(block[157:257]) if block[157] else ""
    return Header(name, _number(block[124:136]), start, kind, _number(block[100:108]), link)


def exactly(stream: BinaryIO, count: int) -> bytes:
    """So many bytes. Raises EOFError where there are fewer."""
    block = stream.read(count)
    while len(block) < count:
        more = stream.read(count - len(block))
        if not more:
            raise EOFError
        block += more
    return block


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


def _number(field: bytes) -> int:
    if field[0] in _BASE_256:
        value = int.from_bytes(field[1:], "big")
        return value - (1 << 8 * (len(field) - 1)) if field[0] == _BASE_256[1] else value
    return int(field.split(b"\0", 1)[0].strip() or b"0", 8)


def _signed_sum(block: bytes) -> int:
    """As some old programs sum up a header: with bytes above 127 as negative ones."""
    counted = block[:148] + block[156:]
    return 256 + sum(counted) - 256 * sum(byte > 127 for byte in counted)


def _note(stream: BinaryIO, length: int) -> bytes:
    if not 0 <= length <= _LARGEST_NOTE:
        raise BrokenTarError(say("a name in it is absurdly long"))
    note = exactly(stream, length)
    exactly(stream, -length % RECORD)
    return note


def _pax(note: bytes) -> tuple[str | None, str | None, int | None]:
    """The name, the link's target and the size that the next member has instead of its own."""
    found: dict[bytes, bytes] = {}
    while note:
        digits, _, rest = note.partition(b" ")
        length = int(digits)
        record = rest[: length - len(digits) - 1]
        if length <= len(digits) or not record.endswith(b"\n"):
            raise ValueError("no note of this kind")
        key, _, value = record[:-1].partition(b"=")
        found[key] = value
        note = note[length:]
    path, link = found.get(b"path"), found.get(b"linkpath")
    if max(len(path or b""), len(link or b"")) > 4 * LONGEST_NAME:
        raise BrokenTarError(say("a name in it is absurdly long"))
    if any(key.startswith(b"GNU.sparse") for key in found):
        raise ValueError("a file with holes")
    size = found.get(b"size")
    return (
        None if path is None else path.decode("utf-8", "surrogateescape"),
        None if link is None else link.decode("utf-8", "surrogateescape"),
        None if size is None else int(size),
    )

"""Documents as people exchange them: JSON as mongoexport writes it, CSV tables, bare BSON."""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from ...sentences import say
from .documents import damaged, read_documents
from .window import Readable

FORMATS: Final = (".bson", ".json", ".jsonl", ".ndjson", ".csv", ".tsv")
_TOGETHER: Final = 1000
_BLOCK: Final = 1024 * 1024
_LONGEST: Final = 64 * 1024 * 1024
"""Letters that one document may have as JSON, or one row of a table."""
_BETWEEN: Final = re.compile(r"[\s,]*")
_WHOLE: Final = re.compile(r"-?(0|[1-9][0-9]{0,18})")
_FRACTION: Final = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+([eE][+-]?[0-9]+)?")
_MOST_OF_LONG: Final = 2**63


def format_of(name: str) -> str | None:
    """Which of :data:`FORMATS` a file is of by its name (``.gz`` may follow), or None."""
    plain = name.lower().removesuffix(".gz")
    return next((one for one in FORMATS if plain.endswith(one)), None)


def collection_of(name: str) -> str:
    """The collection a file is called after: its name without what comes last."""
    plain = name.removesuffix(".gz").removesuffix(".GZ")
    return plain.rpartition(".")[0] or plain


def read_exported(kind: str, source: Readable) -> Iterator[list[bytes]]:
    """A file's documents as BSON, some at a time. Raises UnsuitableError."""
    if kind == ".bson":
        yield from read_documents(source.read)
        return
    reader: Callable[[Iterator[str]], Iterator[Mapping[str, Any]]]
    reader = _table(kind) if kind in (".csv", ".tsv") else _json
    together: list[bytes] = []
    size = 0
    for document in reader(_texts(source)):
        together.append(_encoded(document))
        size += len(together[-1])
        if len(together) >= _TOGETHER or size > _BLOCK:
            yield together
            together, size = [], 0
    if together:
        yield together


def _encoded(document: Mapping[str, Any]) -> bytes:
    import bson
    from bson.errors import BSONError

    try:
        return bson.encode(document)
    except (BSONError, OverflowError, ValueError, RecursionError) as error:
        raise damaged(
            say("one of its documents cannot be one of MongoDB's ({error})", error=str(error))
        ) from error


def _texts(source: Readable) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    try:
        while block := source.read(_BLOCK):
            yield decoder.decode(block)
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise damaged(say("it is not text in UTF-8")) from error


def _json(texts: Iterator[str]) -> Iterator[Mapping[str, Any]]:
    """One document after the other, on lines of their own or in one array."""
    from bson import json_util
    from bson.errors import BSONError

    settings = json_util.JSONOptions(datetime_representation=2)
    decoder = json.JSONDecoder(
        object_pairs_hook=lambda pairs: json_util.object_pairs_hook(pairs, settings)
    )
    text, at = next(texts, ""), 0
    start = _BETWEEN.match(text)
    in_array = start is not None and text[start.end() : start.end() + 1] == "["
    if in_array and start is not None:
        at = start.end() + 1
    while True:
        between = _BETWEEN.match(text, at)
        at = between.end() if between else at
        if at < len(text) and text[at] != "]":
            try:
                document, at = decoder.raw_decode(text, at)
            except (ValueError, TypeError, KeyError, RecursionError, BSONError) as error:
                more = next(texts, "")
                if not more or len(text) - at > _LONGEST:
                    raise damaged(
                        say("it is no JSON that could be read ({error})", error=str(error))
                    ) from error
                text, at = text[at:] + more, 0
                continue
            if not isinstance(document, dict):
                raise damaged(say("it holds something that is no document"))
            yield document
            continue
        if at < len(text):
            if not in_array:
                raise damaged(say("it is no JSON that could be read"))
            if text[at + 1 :].strip() or "".join(texts).strip():
                raise damaged(say("it goes on after its end"))
            return
        text, at = next(texts, ""), 0
        if not text and not (text := next(texts, "")):
            if in_array:
                raise damaged(say("it ends too early"))
            return


def _table(kind: str) -> Callable[[Iterator[str]], Iterator[Mapping[str, Any]]]:
    def read(texts: Iterator[str]) -> Iterator[Mapping[str, Any]]:
        rows = csv.reader(_lines(texts), delimiter="\t" if kind == ".tsv" else ",")
        try:
            names = next(rows, [])
            if not names or not all(name.strip() for name in names):
                raise damaged(say("its first line does not name the columns"))
            for row in rows:
                if row:
                    yield _row(names, row)
        except csv.Error as error:
            raise damaged(
                say("it is no table that could be read ({error})", error=str(error))
            ) from error

    return read


def _row(names: list[str], row: list[str]) -> Mapping[str, Any]:
    if len(row) > len(names):
        raise damaged(say("one of its rows has more cells than there are columns"))
    document: dict[str, Any] = {}
    for name, cell in zip(names, row, strict=False):
        *folders, last = name.strip().split(".")
        inner = document
        for folder in folders:
            inner = inner.setdefault(folder, {})
            if not isinstance(inner, dict):
                raise damaged(say("its column {name} lies within another column", name=name))
        inner[last] = _cell(cell)
    return document


def _cell(cell: str) -> Any:
    """A number where the cell is written as one, else the text."""
    if _WHOLE.fullmatch(cell) and -_MOST_OF_LONG <= int(cell) < _MOST_OF_LONG:
        return int(cell)
    return float(cell) if _FRACTION.fullmatch(cell) else cell


def _lines(texts: Iterator[str]) -> Iterator[str]:
    rest = ""
    for text in texts:
        rest += text
        *lines, rest = rest.split("\n")
        for line in lines:
            yield line + "\n"
        if len(rest) > _LONGEST:
            raise damaged(say("one of its lines is far too long"))
    if rest:
        yield rest

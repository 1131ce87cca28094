"""Seeing that a server holds what was poured into it: all of it, and exactly that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...errors import UnsuitableError
from ...sentences import say, say_many
from ..watch import Watch
from .ahead import ahead
from .contents import Counted
from .metadata import Metadata
from .names import Namespace
from .reading import read_batches
from .sums import Sum

if TYPE_CHECKING:
    from pymongo import MongoClient

    Client = MongoClient[dict[str, Any]]


def compare_documents(
    client: Client,
    found: Mapping[Namespace, Metadata],
    poured: Mapping[Namespace, Counted],
    watch: Watch,
) -> None:
    """Raise UnsuitableError unless the server holds the documents ``poured``, and no others.

    Every collection in ``found`` is read from end to end. Blocks.
    """
    watch.step(say("Comparing"), sum(each.bytes for each in poured.values()))
    for at, told in poured.items():
        if at not in found:
            raise _differs(say("{at} is missing", at=at))
        counted = _count_up(client, at, found[at], watch)
        if counted.documents != told.documents:
            raise _differs(
                say_many(
                    "{at} has {count} document instead of {expected}",
                    "{at} has {count} documents instead of {expected}",
                    counted.documents,
                    at=at,
                    expected=told.documents,
                )
            )
        if counted != told:
            raise _differs(say("the documents of {at} are not the same", at=at))


def _count_up(client: Client, at: Namespace, what: Metadata, watch: Watch) -> Counted:
    """Read a collection from end to end, in the order it lies there."""
    total = Sum(ordered=not what.ordered_by_server)
    with ahead(read_batches(client, at, what), watch) as batches:
        for documents in batches:
            watch.did(total.add(documents))
    return total.counted


def compare_metadata(
    found: Mapping[Namespace, Metadata], wanted: Mapping[Namespace, Metadata], *, exactly: bool
) -> None:
    """Raise UnsuitableError unless what is ``found`` is what was ``wanted``, and nothing else.

    ``exactly``: every option and index as they were told, down to what a server adds itself; else,
    with a dump of another release, by their names and keys.
    """
    if missing := wanted.keys() - found.keys():
        raise _differs(say("{at} is missing", at=min(missing)))
    if more := found.keys() - wanted.keys():
        raise _differs(say("{at} is there as well", at=min(more)))
    for at, what in wanted.items():
        if difference := _difference(at, what, found[at], exactly=exactly):
            raise _differs(difference)


def _difference(at: Namespace, one: Metadata, other: Metadata, *, exactly: bool) -> str | None:
    if one.kind != other.kind:
        return say("{at} has other properties", at=at)
    indexes = say("{at} has other indexes", at=at)
    if not exactly:
        return None if _keys(one) == _keys(other) else indexes
    if one.options != other.options:
        return say("{at} has other options", at=at)
    # They are listed in the order in which they were finished.
    return None if _by_name(one) == _by_name(other) else indexes


def _keys(what: Metadata) -> dict[str, list[str]]:
    """The indexes' names and keys; that of ``_id`` is everywhere, and not told by every dump."""
    return {
        str(index.get("name")): [f"{key} {way}" for key, way in index["key"].items()]
        for index in what.indexes
        if index.get("name") != "_id_"
    }


def _by_name(what: Metadata) -> dict[str, tuple[list[Any], dict[str, Any]]]:
    """Indexes with the order of their keys, which matters, and not that of their options."""
    return {
        str(index["name"]): (
            list(index["key"].items()),
            {key: value for key, value in index.items() if key != "key"},
        )
        for index in what.indexes
    }


def _differs(reason: str) -> UnsuitableError:
    return UnsuitableError(
        say(
            "What was rebuilt from this backup is not what it says: {reason}. Your "
            "databases are as they were.",
            reason=reason,
        ),
        say("Use another backup, and make a new one of what you have now."),
    )

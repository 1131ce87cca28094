"""Reaching a server from a thread, and what its refusals mean."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from ...drivers.mongo.provision import Server
from ...errors import VceError
from ...sentences import say

if TYPE_CHECKING:
    from pymongo import MongoClient

    Client = MongoClient[dict[str, Any]]

_SELECTION_MS: Final = 3000
_SILENCE_MS: Final = 120_000
"""Milliseconds a server may take over one answer; an index of a large collection takes longer."""
_NO_ROOM: Final = (14031, 28)


@contextmanager
def connected(place: Server | str, *, silence_ms: int | None = _SILENCE_MS) -> Iterator[Client]:
    """A client of one of our servers, with all rights, or of the server at an address.

    ``silence_ms``: milliseconds an answer may take; None: as long as it likes. Blocks. Raises
    VceError for whatever goes wrong with the server inside the block.
    """
    from pymongo import MongoClient
    from pymongo.errors import PyMongoError

    settings: dict[str, Any] = {
        "serverSelectionTimeoutMS": _SELECTION_MS,
        "connectTimeoutMS": _SELECTION_MS,
        "socketTimeoutMS": silence_ms,
        "serverMonitoringMode": "poll",
        "heartbeatFrequencyMS": 60_000,
        "retryWrites": False,
        "datetime_conversion": "DATETIME_AUTO",
    }
    if isinstance(place, Server):
        settings |= {"directConnection": True}
        if place.key is not None:
            settings |= {
                "username": "__system",
                "password": place.key,
                "authSource": "local",
                "authMechanism": "SCRAM-SHA-256",
            }
        address = f"mongodb://{quote(place.socket, safe='')}/"
    else:
        address = place
    try:
        client: Client = MongoClient(address, **settings)
        try:
            yield client
        except BaseException:
            # It takes leave of its server, and would wait for one that was just killed.
            threading.Thread(target=client.close, daemon=True).start()
            raise
        client.close()
    except PyMongoError as error:
        raise explain(error) from error


def explain(error: Exception) -> VceError:
    """What a failure of a server means for the work that needed it."""
    from pymongo.errors import ConnectionFailure, OperationFailure

    code = getattr(error, "code", None)
    text = str((getattr(error, "details", None) or {}).get("errmsg") or error)[:500]
    if code in _NO_ROOM or "No space left" in text:
        return VceError(
            "disk-full",
            say("There is no room left on the disk for this. What was there before is safe."),
            say("Delete what is not needed, empty the bin, then try again."),
        )
    if isinstance(error, ConnectionFailure):
        return VceError(
            "not-answering",
            say(
                "The connection to MongoDB was lost while it was being worked with. Your "
                "databases are as they were."
            ),
            say("See that MongoDB runs, then try again."),
        )
    if isinstance(error, OperationFailure) and code in (13, 18):
        return VceError(
            "credentials-refused",
            say(
                "MongoDB does not allow this to the account it is reached with: {answer}.",
                answer=text,
            ),
            say("Ask whoever looks after the server for an account that may read all of it."),
        )
    return failed(text)


def failed(answer: str) -> VceError:
    """A failure of a server that nobody foresaw; ``answer`` is what is known of it."""
    return VceError(
        "internal",
        say("MongoDB could not do this: {answer}. Your databases are as they were.", answer=answer),
        say("Try again. If it happens again, show your tutor the log."),
    )

"""Asking a MongoDB server how it is, over its unix socket, without a client library's machinery.

A client of pymongo looks for its server at most twice a second, keeps tasks of its own running and
costs a third of a second to import. A probe needs one question, ``hello``, which a server answers
to anyone; so it is put here directly, in the documented OP_MSG form.
"""

from __future__ import annotations

import asyncio
import importlib
import struct
import sys
from collections.abc import Mapping
from typing import Any, Final

from ...services.turns import giving_way

_OP_MSG: Final = 2013
_HEADER: Final = struct.Struct("<iiii")
_PREFIX: Final = struct.Struct("<IB")
_LARGEST: Final = 1 << 20

Reply = Mapping[str, Any]


class Line:
    """One connection to a server's unix socket, for one question after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, socket: str) -> Line:
        """Connect; raises OSError while nobody listens."""
        if "bson" not in sys.modules:
            await asyncio.to_thread(giving_way(importlib.import_module), "bson")
        return cls(*await asyncio.open_unix_connection(socket))

    async def hello(self, *, changed_from: Reply | None = None, wait: float = 1.0) -> Reply:
        """Ask the server what it is.

        With ``changed_from``, an earlier answer, the server keeps silent until that has changed,
        for ``wait`` seconds at most. Raises OSError when the connection is lost.
        """
        question: dict[str, Any] = {"hello": 1, "$db": "admin"}
        if changed_from and "topologyVersion" in changed_from:
            question["topologyVersion"] = changed_from["topologyVersion"]
            question["maxAwaitTimeMS"] = int(wait * 1000)
        return await self._ask(question)

    async def _ask(self, question: Mapping[str, Any]) -> Reply:
        import bson

        body = bson.encode(question)
        length = _HEADER.size + _PREFIX.size + len(body)
        self._writer.write(_HEADER.pack(length, 1, 0, _OP_MSG) + _PREFIX.pack(0, 0) + body)
        try:
            length, _, _, kind = _HEADER.unpack(await self._reader.readexactly(_HEADER.size))
            if kind != _OP_MSG or not _HEADER.size + _PREFIX.size < length < _LARGEST:
                raise ConnectionError("whoever answers does not speak MongoDB's protocol")
            answer = await self._reader.readexactly(length - _HEADER.size)
        except asyncio.IncompleteReadError as error:
            raise ConnectionResetError("the server closed the connection") from error
        try:
            reply: dict[str, Any] = bson.decode(answer[_PREFIX.size :])
        except bson.errors.BSONError as error:
            raise ConnectionError("the server's answer cannot be read") from error
        return reply

    def close(self) -> None:
        """Hang up."""
        self._writer.close()

    async def __aenter__(self) -> Line:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()


def has_configuration(hello: Reply) -> bool:
    """Whether the server knows its replica set, and itself as a member of it."""
    return "setName" in hello


def is_writable(hello: Reply) -> bool:
    """Whether the server accepts writes."""
    return bool(hello.get("isWritablePrimary"))

"""Backups as files: the list, one brought from elsewhere, one taken away."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, BinaryIO, Final
from urllib.parse import quote

from jupyter_server.utils import url_path_join
from tornado import web
from tornado.httputil import HTTPServerRequest

from ..errors import BadRequestError, VceError
from ..sentences import say
from . import errors
from .api import ApiHandler
from .backups import asked_service
from .base import READ, Action, VCEHandler

if TYPE_CHECKING:
    from ..backups.uploads import Upload

LARGEST: Final = 1 << 40
"""The largest file taken, in bytes; the disk's room is asked first."""
BLOCK: Final = 1024 * 1024
_LIST: Final[Mapping[str, Action]] = {**READ, "POST": "write"}
_DOWNLOAD: Final[Mapping[str, Action]] = {"GET": "write"}
_FILENAME: Final = re.compile(r"[^/\\\x00]{1,255}")
_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@web.stream_request_body
class BackupsHandler(VCEHandler):
    """``api/backups``: the list, and the upload whose body is the file itself."""

    actions = _LIST
    _upload: Upload | None = None

    @property
    def content_security_policy(self) -> str:
        """Nothing in an answer may run or load."""
        return f"{super().content_security_policy}; default-src 'none'"

    async def prepare(self, *, _redirect_to_login: bool = False) -> None:
        """As every route; then make ready for the file, or refuse it before it is sent."""
        await super().prepare()
        if self._finished or self.request.method != "POST":
            return
        length = self.request.headers.get("Content-Length", "")
        size = int(length[:20]) if length.isdecimal() else None
        if size is not None and size > LARGEST:
            raise errors.too_large(LARGEST)
        service, filename = self._asked()
        backups = await self.backups()
        self._upload = await backups.upload(service, filename, size)
        _lift_limit(self.request)

    def _asked(self) -> tuple[str, str]:
        service = asked_service(self)
        filename = self.get_query_argument("filename", "", strip=False)
        if service is None:
            raise BadRequestError(
                say("`service` is missing: which service is the file for? Nothing was done."),
                "Send ?service=NAME&filename=FILE.",
            )
        if not _FILENAME.fullmatch(filename) or not filename.strip(". "):
            raise BadRequestError(
                say(
                    "`filename` must be the name of a file, without folders, of 255 characters at "
                    "most. Nothing was done."
                ),
                "Send ?service=NAME&filename=FILE.",
            )
        return service, filename

    async def data_received(self, chunk: bytes) -> None:
        """Keep a part of the file; the next is read when this is written."""
        if self._upload is None or self._finished:
            return
        try:
            await self._upload.write(chunk)
        except VceError as refusal:
            self.send_error(errors.STATUS[refusal.code], exc_info=(None, refusal, None))

    @web.authenticated
    async def get(self) -> None:
        """List the backups, newest first, those of one ``service`` where it is given."""
        backups = await self.backups()
        listed = await backups.list(asked_service(self))
        self.answer({"backups": [backup.to_json() for backup in listed]})

    head = get

    @web.authenticated
    async def post(self) -> None:
        """Take the file in, where it is a backup."""
        if self._upload is None:
            raise BadRequestError(say("No file was sent. Nothing was done."))
        backups = await self.backups()
        stored = await backups.take_in(self._upload)
        self._upload = None
        self.record_activity()
        place = url_path_join(self.base_url, "vce/api/backups", quote(stored.id))
        self.set_header("Location", place)
        self.answer(stored.backup.to_json(), status=201)

    def on_finish(self) -> None:
        """Whatever was not taken in leaves nothing."""
        self._drop()
        super().on_finish()

    def on_connection_close(self) -> None:
        """The client went away in the middle."""
        self._drop()
        super().on_connection_close()

    def _drop(self) -> None:
        if self._upload is not None:
            self._upload.abandon()
            self._upload = None


def _lift_limit(request: HTTPServerRequest) -> None:
    """Let a body pass the limit that this server has for all others."""
    connection = request.connection
    if connection is not None and hasattr(connection, "set_max_body_size"):
        connection.set_max_body_size(LARGEST)


class DownloadHandler(ApiHandler):
    """``api/backups/{id}/download``. It carries the data itself: who may not change, may not."""

    actions = _DOWNLOAD

    @web.authenticated
    async def get(self, identifier: str) -> None:
        """Send the file, or the part that was asked for."""
        backups = await self.backups()
        stored = await backups.get(identifier)
        file = await asyncio.to_thread(stored.file.open, "rb")
        try:
            size = os.fstat(file.fileno()).st_size
            start, end = self._part(size)
            self.set_header("Content-Type", "application/octet-stream")
            self.set_header("Accept-Ranges", "bytes")
            self.set_header("Content-Length", str(end - start))
            self.set_header("Content-Disposition", disposition(stored.file.name))
            self.record_activity()
            if self.request.method != "HEAD":
                await self._send(file, start, end)
        finally:
            file.close()
        await self.finish()

    head = get

    def _part(self, size: int) -> tuple[int, int]:
        """The bytes wanted, from and up to; everything where ``Range`` says nothing clear."""
        match = _RANGE.fullmatch(self.request.headers.get("Range", "").replace(" ", ""))
        if match is None or match.groups() == ("", ""):
            return 0, size
        first, last = match.groups()
        if not first:
            start, end = max(0, size - int(last)), size
        else:
            start = int(first)
            end = min(size, int(last) + 1) if last else size
        if start >= end:
            self.set_header("Content-Range", f"bytes */{size}")
            raise VceError(
                "range-not-satisfiable",
                say("The file has no such part: it has {size} bytes.", size=size),
                say("Ask for the whole file, without a Range."),
            )
        self.set_status(206)
        self.set_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
        return start, end

    async def _send(self, file: BinaryIO, start: int, end: int) -> None:
        await asyncio.to_thread(file.seek, start)
        while start < end:
            block = await asyncio.to_thread(file.read, min(BLOCK, end - start))
            if not block:
                break
            start += len(block)
            self.write(block)
            await self.flush()


def disposition(filename: str) -> str:
    """The header that names the file, for old programs and for those that know Unicode."""
    plain = "".join(
        letter if 32 <= ord(letter) < 127 and letter not in '"\\' else "_" for letter in filename
    )
    encoded = quote(filename.encode("utf-8", "surrogateescape"), safe="")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"

"""An app's answer, gathered and changed by functions that its declaration names."""

from __future__ import annotations

from collections.abc import Mapping
from http.client import responses
from typing import TYPE_CHECKING, Final

from tornado.httputil import HTTPHeaders

from ..errors import VceError
from ..sentences import say
from .headers import add_all

if TYPE_CHECKING:
    from aiohttp import ClientResponse

    from ..models_upstream import Manners

LARGEST_BYTES: Final = 16 * 1024 * 1024
"""What is gathered of an answer at most."""
_OURS: Final = frozenset({"content-length", "transfer-encoding", "connection", "keep-alive"})


class RewritableAnswer:
    """What such a function may change: ``body``, ``headers``, ``code`` and ``reason``."""

    def __init__(
        self, code: int, reason: str, headers: HTTPHeaders | dict[str, str], body: bytes
    ) -> None:
        self._code = code
        self.reason = reason
        self.headers = headers
        self.body = body

    @property
    def code(self) -> int:
        """The status. Setting it sets a reason that was the usual one to the new usual one."""
        return self._code

    @code.setter
    def code(self, code: int) -> None:
        if self.reason == responses.get(self._code):
            self.reason = responses.get(code, "Unknown")
        self._code = code

    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """Give the headers that are the app's to say, repeats included."""
        headers = self.headers
        pairs = headers.get_all() if isinstance(headers, HTTPHeaders) else headers.items()
        return [
            (name.encode("latin-1"), str(value).encode("latin-1"))
            for name, value in pairs
            if name.lower() not in _OURS
        ]


def is_wanted(manners: Manners, response: ClientResponse) -> bool:
    """Tell whether an answer is to be rewritten. Events, which have no end, never are."""
    return bool(manners.rewrites) and response.content_type != "text/event-stream"


async def gather(response: ClientResponse, title: str) -> RewritableAnswer:
    """Read an answer to its end.

    Raises VceError (``app-not-answering``) where it is too large, and aiohttp's errors.
    """
    pieces, size = [], 0
    async for piece in response.content.iter_any():
        size += len(piece)
        if size > LARGEST_BYTES:
            raise VceError(
                "app-not-answering",
                say(
                    "{title} gave an answer of more than {limit} MB, which is too large to be "
                    "rewritten as its declaration asks.",
                    title=title,
                    limit=LARGEST_BYTES // 1024**2,
                ),
                say(
                    "Whoever declared it can leave out `rewrite_response`, or make it download "
                    "less."
                ),
            )
        pieces.append(piece)
    headers = HTTPHeaders()
    told = ((name.decode("latin-1"), text.decode("latin-1")) for name, text in response.raw_headers)
    add_all(headers, told)
    reason = response.reason or responses.get(response.status) or "Unknown"
    return RewritableAnswer(response.status, reason, headers, b"".join(pieces))


def rewrite(answer: RewritableAnswer, manners: Manners, told: Mapping[str, object]) -> None:
    """Let each function change ``answer``, in order. ``told`` is what else they may look at.

    Raises what they raise, which the driver has put into words, and ValueError where no answer can
    be what they have made of it.
    """
    original = RewritableAnswer(
        answer.code,
        answer.reason,
        answer.headers.copy(),
        answer.body,
    )
    for function in manners.rewrites:
        function({**told, "response": answer, "orig_response": original})
    body: object = answer.body
    if not isinstance(body, bytes) or not 200 <= answer.code <= 599:
        raise ValueError("a function has made an answer that cannot be sent")

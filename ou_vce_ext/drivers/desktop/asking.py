"""Asking a desktop's program to close, and following what comes of it, at a person's stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from ...errors import VceError
from ...launch import Process
from ...sentences import Sentence, say
from ..base import Asking
from . import closing
from .note import read_note

HEAR_SECONDS: Final = 3.0
"""For a session to take up the request; one that does not is not waited for."""
LOOK_SECONDS: Final = 0.1
"""Between two looks at a small file, while somebody waits for the stop."""

_WORDS: Final[Mapping[str, Callable[[str], Sentence]]] = {
    closing.ASKED: lambda title: say("Stopping {title}: it is asked to close", title=title),
    closing.QUESTION: lambda title: say(
        "{title} has a question before it closes, perhaps whether to save. Answer it in its tab: "
        "it stays open until you do.",
        title=title,
    ),
    closing.ANSWERED: lambda title: say(
        "Stopping {title}: its question has been answered", title=title
    ),
    closing.SAVING: lambda title: say(
        "{title} has closed its windows and is still at work, perhaps saving. It may take its "
        "time.",
        title=title,
    ),
}
_WAIT: Final = frozenset({closing.QUESTION, closing.SAVING})


class StillOpenError(VceError):
    """Its person has answered that it is to stay open."""

    def __init__(self, title: str) -> None:
        super().__init__(
            "still-open",
            say("{title} is still open: it did not close, and nothing in it is lost.", title=title),
            say(
                "To close it after all, press Stop again and answer its question with one that "
                "lets it close."
            ),
        )


async def ask_to_close(
    title: str, process: Process, note: Path, ask: Callable[[], None], tell: Asking
) -> None:
    """Do so by ``ask``; returns when it has ended, or when nothing came of it.

    ``note`` is where its session tells. ``tell`` is called when that changes, with words, and
    whether a person is waited for. Raises StillOpenError.
    """
    before, _ = _told(note)
    loop = asyncio.get_running_loop()
    patience = loop.time() + HEAR_SECONDS
    said = ""
    ended = asyncio.ensure_future(process.exited())
    try:
        ask()
        while not ended.done():
            number, stands = _told(note)
            if number <= before:
                if loop.time() > patience:
                    return
            elif stands == closing.STAYS:
                raise StillOpenError(title)
            elif stands == closing.DEAF:
                return
            elif stands != said and stands in _WORDS:
                said = stands
                tell(_WORDS[stands](title), stands in _WAIT)
            await asyncio.wait({ended}, timeout=LOOK_SECONDS)
    finally:
        ended.cancel()


def _told(note: Path) -> tuple[int, str]:
    """The number of the last request to close, and how it stands."""
    told = read_note(str(note)).get("closing") or {}
    return told.get("ask", 0), told.get("stands", "")

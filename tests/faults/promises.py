"""What a try reports when a promise was not kept."""

from __future__ import annotations


class BrokenPromiseError(AssertionError):
    """A lie or a leak, in words."""


def expect(true: object, words: str) -> None:
    """Fail the try, saying what was promised and not held, unless ``true``."""
    if not true:
        raise BrokenPromiseError(words)

"""Having the next block made while the last one is used, and not being held up by who makes it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Final, Generic, TypeVar

from ..watch import Watch

_T = TypeVar("_T")
_AHEAD: Final = 2
_LOOK_SECONDS: Final = 0.2
"""How often one who waits sees whether all of it is to end."""


@contextmanager
def ahead(items: Iterator[_T], watch: Watch) -> Generator[Iterator[_T], None, None]:
    """Have ``items`` made by a thread of its own, two before they are asked for.

    Whoever waits for the next one while the work is cancelled has WorkCancelledError at once, even
    where its maker waits for a server that has stopped answering: that thread is left to itself,
    and ends with what it waits for.
    """
    making = _Making(items, watch)
    thread = threading.Thread(target=making.make, name="ahead", daemon=True)
    thread.start()
    try:
        yield making.taken()
    finally:
        making.enough.set()


class _Making(Generic[_T]):
    """What one thread makes and another one takes."""

    def __init__(self, items: Iterator[_T], watch: Watch) -> None:
        self._items = items
        self._watch = watch
        self._made: queue.Queue[_T | _End] = queue.Queue(_AHEAD)
        self.enough = threading.Event()

    def make(self) -> None:
        """Until there are no more, or nobody wants any."""
        end = _End(None)
        try:
            for item in self._items:
                if not self._put(item):
                    return
        except BaseException as error:
            # Whatever it is, it is raised where the items are used.
            end = _End(error)
        finally:
            if isinstance(self._items, Generator):
                self._items.close()
        self._put(end)

    def _put(self, item: _T | _End) -> bool:
        while not self.enough.is_set():
            try:
                self._made.put(item, timeout=_LOOK_SECONDS)
            except queue.Full:
                continue
            return True
        return False

    def taken(self) -> Iterator[_T]:
        """One after the other. Raises what making them raised, or WorkCancelledError."""
        while True:
            self._watch.raise_if_cancelled()
            try:
                item = self._made.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                continue
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item


class _End:
    """That there are no more, and why."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error

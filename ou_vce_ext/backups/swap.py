"""Two folders change places: at once where the system can, else by steps that a journal recovers.

After any cut the live folder is the old one or the new one, whole. All of it blocks.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..services.private_files import hand_over, read_private, sync_folder, write_private
from .swap_inside import InsideSwap, recover_inside

JOURNAL: Final = "swap.json"
MARKER: Final = ".vce-new-data"
"""A file in the new folder, until all is over: it says which of the two is which."""
_EXCHANGE: Final = 2
_AT_FDCWD: Final = -100
_CANNOT: Final = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)


@dataclass(frozen=True, slots=True)
class Swap:
    """``new`` is to take the place of ``live``, which may be missing, and the other way round.

    ``aside`` is where the old data are put for good should nobody be there to decide.
    """

    journal: Path
    live: Path
    new: Path
    tag: str
    aside: str | None = None

    @classmethod
    def prepare(cls, journal: Path, live: Path, new: Path, aside: Path | None) -> Swap:
        """Write down what is about to be done, and mark the new folder. Raises OSError."""
        swap = cls(journal, live, new, secrets.token_hex(8), str(aside) if aside else None)
        marker = new / MARKER
        marker.write_text(swap.tag)
        hand_over(marker, new)
        sync_folder(new)
        body = {"live": str(live), "new": str(new), "tag": swap.tag, "aside": swap.aside}
        write_private(journal, json.dumps(body).encode())
        return swap

    @property
    def happened(self) -> bool:
        """Whether the new data are in the live place."""
        return self._is_new(self.live)

    def put_back(self) -> None:
        """Have the old data in the live place again, if they are not. Raises OSError."""
        if self.happened:
            self.exchange()

    def exchange(self) -> None:
        """Have them change places; doing it again puts them back. Raises OSError."""
        if not os.path.lexists(self.live):
            os.rename(self.new, self.live)
        elif not os.path.lexists(self.new):
            os.rename(self.live, self.new)
        elif not _exchange(self.live, self.new):
            os.rename(self.live, self._between)
            os.rename(self.new, self.live)
            os.rename(self._between, self.new)
        for folder in {self.live.parent, self.new.parent}:
            sync_folder(folder)

    def finish(self) -> Path | None:
        """Forget it: what is in the live place stays there; tells where the old data are kept.

        Raises OSError; it can be recovered then.
        """
        kept = None
        if self.happened and self.aside and os.path.lexists(self.new):
            kept = Path(self.aside)
            os.rename(self.new, kept)
        for folder in (self.live, self.new):
            if self._is_new(folder):
                (folder / MARKER).unlink()
        with suppress(FileNotFoundError):
            self.journal.unlink()
        sync_folder(self.journal.parent)
        return kept

    def recover(self) -> None:
        """After a cut: see that the live folder is whole, old or new. Raises OSError."""
        if os.path.lexists(self._between):
            # Only where nothing can exchange two folders at once: cut between its steps.
            if not os.path.lexists(self.live):
                os.rename(self._between, self.live)
            else:
                os.rename(self._between, self.new)
        sync_folder(self.live.parent)
        self.finish()

    @property
    def _between(self) -> Path:
        return self.new.with_name(self.new.name + "-old")

    def _is_new(self, folder: Path) -> bool:
        try:
            return (folder / MARKER).read_text() == self.tag
        except OSError:
            return False


def begin(journal: Path, live: Path, new: Path, aside: Path | None) -> Swap | InsideSwap:
    """Prepare the swap that fits the live folder. Raises OSError, with nothing changed."""
    if live.is_mount():
        return InsideSwap.prepare(journal, live, new, aside)
    return Swap.prepare(journal, live, new, aside)


def change_places(journal: Path, live: Path, new: Path, aside: Path | None) -> Swap | InsideSwap:
    """Have ``new`` come to ``live``; what was there goes where ``new`` was, or where it can.

    Raises OSError, with the old data in their place; what cannot be settled then is at the next
    start.
    """
    swap: Swap | InsideSwap | None = None
    try:
        swap = begin(journal, live, new, aside)
        try:
            swap.exchange()
        except OSError as error:
            if error.errno != errno.EXDEV or isinstance(swap, InsideSwap):
                raise
            # A folder that came with the image of a container can be changed, but not moved.
            swap.finish()
            swap = None
            swap = InsideSwap.prepare(journal, live, new, aside)
            swap.exchange()
    except OSError:
        with suppress(OSError, ValueError, KeyError, TypeError):
            if swap:
                swap.put_back()
            settle(journal)
        raise
    return swap


def settle(journal: Path) -> bool:
    """Recover a swap that was cut off, where there was one; tells whether. The live data are whole.

    Raises OSError, or ValueError, KeyError or TypeError for a journal
    that cannot be read.
    """
    content = read_private(journal)
    if content is None:
        return False
    body = json.loads(content)
    if "inside" in body:
        recover_inside(journal, body)
        return True
    aside = body["aside"]
    swap = Swap(journal, Path(body["live"]), Path(body["new"]), str(body["tag"]), aside)
    swap.recover()
    return True


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two names at once; False where this system cannot. Raises OSError."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    done = rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _EXCHANGE)
    if done == 0:
        return True
    error = ctypes.get_errno()
    if error in _CANNOT:
        return False
    raise OSError(error, os.strerror(error), str(one))

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
from typing import Final, Literal

from ..services.private_files import hand_over, read_private, sync_folder, write_private

JOURNAL: Final = "swap.json"
MARKER: Final = ".vce-new-data"
"""A file in the new folder, until all is over: it says which of the two is which."""
_EXCHANGE: Final = 2
_AT_FDCWD: Final = -100
_CANNOT: Final = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)

Outcome = Literal["old", "new"]


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

    @classmethod
    def left(cls, journal: Path) -> Swap | None:
        """A swap that was cut off, or None. Raises OSError or ValueError."""
        content = read_private(journal)
        if content is None:
            return None
        body = json.loads(content)
        aside = body["aside"]
        return cls(journal, Path(body["live"]), Path(body["new"]), str(body["tag"]), aside)

    @property
    def happened(self) -> bool:
        """Whether the new data are in the live place."""
        return self._is_new(self.live)

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

    def finish(self) -> None:
        """Forget it: what is in the live place stays there. Raises OSError."""
        for folder in (self.live, self.new):
            if self._is_new(folder):
                (folder / MARKER).unlink()
        with suppress(FileNotFoundError):
            self.journal.unlink()
        sync_folder(self.journal.parent)

    def recover(self) -> Outcome:
        """After a cut: see that the live folder is whole; tell which it is. Raises OSError."""
        if os.path.lexists(self._between):
            # Only where nothing can exchange two folders at once: cut between its steps.
            if not os.path.lexists(self.live):
                os.rename(self._between, self.live)
            else:
                os.rename(self._between, self.new)
        new = self.happened
        if new and self.aside and os.path.lexists(self.new):
            os.rename(self.new, self.aside)
        sync_folder(self.live.parent)
        self.finish()
        return "new" if new else "old"

    @property
    def _between(self) -> Path:
        return self.new.with_name(self.new.name + "-old")

    def _is_new(self, folder: Path) -> bool:
        try:
            return (folder / MARKER).read_text() == self.tag
        except OSError:
            return False


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

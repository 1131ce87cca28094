"""What only we know of the files in one folder: checksums, proofs and pins.

They lie in a hidden file beside the backups, which anybody may delete: the list of backups comes
from the backups alone, and what is lost is which were proven and which were pinned.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from ..models_backup import Reason, Verified
from ..services.private_files import write_private

NAME: Final = ".notes.json"
_LARGEST: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Note:
    """What is known of one file, for as long as it has this size (bytes) and time (ns).

    ``verified_at`` is ISO 8601; ``reason`` is given where the file itself does not know (an
    upload).
    """

    bytes: int
    mtime: int
    sha256: str
    pinned: bool = False
    verified: Verified = Verified.UNVERIFIED
    verified_at: str | None = None
    reason: Reason | None = None

    def fits(self, size: int, mtime: int) -> bool:
        """Whether it is about a file as it is now."""
        return self.bytes == size and self.mtime == mtime


class Notes:
    """The notes on the files of one folder. Reading and writing blocks, for a moment."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._notes: dict[str, Note] = {}
        self._read()

    def get(self, name: str, size: int, mtime: int) -> Note | None:
        """What is known of a file as it is now."""
        note = self._notes.get(name)
        return note if note and note.fits(size, mtime) else None

    def put(self, name: str, note: Note) -> None:
        """Remember, on disk. Raises OSError, with all as it was."""
        before = self._notes
        self._notes = {**before, name: note}
        try:
            self._write()
        except OSError:
            self._notes = before
            raise

    def forget(self, names: set[str]) -> None:
        """Let go of files that are no longer there. Raises OSError."""
        gone = names & self._notes.keys()
        for name in gone:
            del self._notes[name]
        if gone:
            self._write()

    @property
    def names(self) -> set[str]:
        """The files something is known of."""
        return set(self._notes)

    def gone(self) -> bool:
        """Whether somebody has deleted them, so that nothing is known any more."""
        return bool(self._notes) and not self._path.exists()

    def _write(self) -> None:
        body = {name: asdict(note) for name, note in sorted(self._notes.items())}
        write_private(self._path, json.dumps(body, indent=1).encode("utf-8", "surrogatepass"))

    def _read(self) -> None:
        try:
            if self._path.is_symlink() or self._path.stat().st_size > _LARGEST:
                return
            body = json.loads(self._path.read_bytes())
            for name, told in body.items():
                note = _note(told)
                if note:
                    self._notes[name] = note
        except (OSError, ValueError, AttributeError, RecursionError):
            # Of no use any more, then; the files themselves are all that counts.
            return


def _note(told: Any) -> Note | None:
    try:
        return Note(
            bytes=int(told["bytes"]),
            mtime=int(told["mtime"]),
            sha256=str(told["sha256"]),
            pinned=told["pinned"] is True,
            verified=Verified(told["verified"]),
            verified_at=None if told["verified_at"] is None else str(told["verified_at"]),
            reason=Reason(told["reason"]) if told["reason"] else None,
        )
    except (KeyError, TypeError, ValueError):
        return None

"""New data in a folder that cannot itself be moved, being a mount point: what is in it is.

The new data are copied into it first, out of the way. Then everything changes places by renames,
which a journal puts back after a cut, unless all of them were done. All of it blocks.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..services.private_files import sync_folder, write_private
from .scratch import MARK


@dataclass(frozen=True, slots=True)
class InsideSwap:
    """``live`` stays where it is; its content goes to ``old``, and that of ``stage`` comes."""

    journal: Path
    live: Path
    stage: Path
    old: Path
    names: tuple[str, ...]
    kept: str | None

    @classmethod
    def prepare(cls, journal: Path, live: Path, new: Path, kept: Path | None) -> InsideSwap:
        """Copy ``new`` to where it can be moved in from, and write down what is about to be done.

        With ``kept`` the old data stay in the folder under that name, for good. Raises OSError.
        """
        tag = secrets.token_hex(3)
        stage, old = live / f"{MARK}{tag}-new", live / f"{MARK}{tag}-old"
        try:
            _copy(new, stage)
            old.mkdir(mode=0o700)
            names = tuple(sorted(os.listdir(stage)))
            swap = cls(journal, live, stage, old, names, kept.name if kept else None)
            swap._write(in_place=False)
        except BaseException:
            shutil.rmtree(stage, ignore_errors=True)
            shutil.rmtree(old, ignore_errors=True)
            raise
        return swap

    def exchange(self) -> None:
        """Have the new data come, and the old go. Raises OSError; see :meth:`put_back`."""
        for name in os.listdir(self.live):
            if MARK not in name:
                os.rename(self.live / name, self.old / name)
        for name in self.names:
            os.rename(self.stage / name, self.live / name)
        sync_folder(self.live)
        self._write(in_place=True)

    def put_back(self) -> None:
        """Have the old data back, from wherever it was cut. Raises OSError."""
        self._write(in_place=False)
        gone = set(os.listdir(self.old)) if self.old.exists() else set()
        for name in self.names:
            # Not moved yet, it is still in the stage, and what has its name is the old.
            came = not os.path.lexists(self.stage / name) and os.path.lexists(self.live / name)
            if came:
                os.rename(self.live / name, self.stage / name)
        for name in gone:
            os.rename(self.old / name, self.live / name)
        sync_folder(self.live)

    def finish(self) -> Path | None:
        """Forget it: what is in place stays; tells where the old data are kept. Raises OSError."""
        kept = None
        if self.kept and self.old.exists() and os.listdir(self.old):
            kept = self.live / self.kept
            os.rename(self.old, kept)
        with suppress(FileNotFoundError):
            self.journal.unlink()
        sync_folder(self.journal.parent)
        for folder in (self.stage, self.old):
            shutil.rmtree(folder, ignore_errors=True)
        return kept

    def recover(self, *, in_place: bool) -> None:
        """After a cut: see that the live data are whole, the old or the new. Raises OSError."""
        if not in_place:
            self.put_back()
        self.finish()

    def _write(self, *, in_place: bool) -> None:
        body = {
            "inside": str(self.live),
            "stage": str(self.stage),
            "old": str(self.old),
            "names": list(self.names),
            "kept": self.kept,
            "in_place": in_place,
        }
        write_private(self.journal, json.dumps(body).encode())


def recover_inside(journal: Path, body: dict[str, object]) -> None:
    """Settle one that was cut off, by what its journal says. Raises OSError or KeyError."""
    names = body["names"]
    kept = body["kept"]
    swap = InsideSwap(
        journal,
        Path(str(body["inside"])),
        Path(str(body["stage"])),
        Path(str(body["old"])),
        tuple(map(str, names)) if isinstance(names, list) else (),
        str(kept) if kept else None,
    )
    swap.recover(in_place=body["in_place"] is True)


def _copy(source: Path, target: Path) -> None:
    """Copy a folder with owners and modes, and have it on disk."""
    shutil.copytree(source, target, symlinks=True)
    if os.geteuid() == 0:
        for place, folders, files in os.walk(source):
            there = target / Path(place).relative_to(source)
            for name in ("", *folders, *files):
                status = os.lstat(os.path.join(place, name) if name else place)
                os.chown(there / name, status.st_uid, status.st_gid, follow_symlinks=False)
    os.sync()

"""New data in a folder that cannot itself be moved: what is in it is.

It may be a mount point, or have come with the image of a container. The new data are put into it
first, out of the way. Then everything changes places by renames, which a journal puts back after a
cut, unless all of them were done. What cannot be renamed either (a folder of such an image) is
copied, and removed only when the copy is whole and on disk. All of it blocks.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..services.private_files import hand_over, sync_folder, write_private
from .scratch import MARK, is_kept


@dataclass(frozen=True, slots=True)
class InsideSwap:
    """``live`` stays where it is; its content goes to ``old``, and that of ``stage`` comes.

    ``kept`` is where the old data are to stay, beside ``live`` or, where that cannot be, in it.
    """

    journal: Path
    live: Path
    stage: Path
    old: Path
    names: tuple[str, ...]
    kept: str | None

    @classmethod
    def prepare(cls, journal: Path, live: Path, new: Path, kept: Path | None) -> InsideSwap:
        """Have ``new`` where it can be moved in from, and write down what is about to be done.

        With ``kept`` the old data stay, under that name. Raises OSError.
        """
        tag = secrets.token_hex(3)
        stage, old = live / f"{MARK}{tag}-new", live / f"{MARK}{tag}-old"
        try:
            _bring(new, stage)
            old.mkdir(mode=0o700)
            # It may stay, as a folder that whoever serves the live one can open.
            hand_over(old, live)
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
            if MARK not in name and not is_kept(name, self.live):
                self._put_away(name)
        for name in self.names:
            os.rename(self.stage / name, self.live / name)
        sync_folder(self.live)
        self._write(in_place=True)

    def _put_away(self, name: str) -> None:
        source, target = self.live / name, self.old / name
        try:
            os.rename(source, target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            # Under its name there is nothing but a whole copy.
            _copy(source, self._copying)
            os.rename(self._copying, target)
            sync_folder(self.old)
            _remove(source)

    @property
    def _copying(self) -> Path:
        return self.old.with_name(f"{self.old.name}-copy")

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
            # Its copy is whole: what is there of it is what had not been removed yet.
            _remove(self.live / name)
            os.rename(self.old / name, self.live / name)
        sync_folder(self.live)

    def finish(self) -> Path | None:
        """Forget it: what is in place stays; tells where the old data are kept. Raises OSError."""
        kept = None
        if self.kept and self.old.exists() and os.listdir(self.old):
            kept = self._keep(self.kept)
        with suppress(FileNotFoundError):
            self.journal.unlink()
        sync_folder(self.journal.parent)
        for folder in (self.stage, self.old, self._copying):
            shutil.rmtree(folder, ignore_errors=True)
        return kept

    def _keep(self, name: str) -> Path:
        beside = self.live.with_name(name)
        try:
            os.rename(self.old, beside)
        except OSError:
            beside = self.live / name
            os.rename(self.old, beside)
        return beside

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


def clear(live: Path) -> None:
    """Remove from a folder what a swap that was cut off before its journal has left. Blocks.

    Never raises. Where there is a journal it is to be settled first.
    """
    with suppress(OSError):
        for path in live.glob(f"{MARK}*"):
            if path.name.endswith(("-new", "-old", "-old-copy")):
                shutil.rmtree(path, ignore_errors=True)


def _bring(new: Path, stage: Path) -> None:
    if MARK in new.name:
        # It was built for this alone.
        with suppress(OSError):
            os.rename(new, stage)
            return
    _copy(new, stage)


def _copy(source: Path, target: Path) -> None:
    """Copy a file or folder with owners and modes, and have it on disk."""
    if not source.is_dir() or source.is_symlink():
        shutil.copy2(source, target, follow_symlinks=False)
    else:
        shutil.copytree(source, target, symlinks=True)
    if os.geteuid() == 0:
        for place, folders, files in os.walk(source):
            there = target / Path(place).relative_to(source)
            for name in ("", *folders, *files):
                status = os.lstat(os.path.join(place, name) if name else place)
                os.chown(there / name, status.st_uid, status.st_gid, follow_symlinks=False)
    os.sync()


def _remove(path: Path) -> None:
    """Remove whatever is there, if anything is. Raises OSError."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)

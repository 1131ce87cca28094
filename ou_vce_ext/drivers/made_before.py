"""Remembering that a folder held data, so that its loss is never papered over by new ones."""

from __future__ import annotations

from pathlib import Path

from ..errors import DefiniteError
from ..sentences import say
from ..services.private_files import SAFE, explain, make_private_folder, read_private, write_private


class MadeBefore:
    """A small file in a service's private folder that names the data folder made for it."""

    def __init__(self, private_dir: Path) -> None:
        self._mark = private_dir / "databases-were-made"

    def remember(self, folder: Path) -> None:
        """From now on ``folder`` is to hold data. Raises VceError."""
        if self.names(folder):
            return
        try:
            make_private_folder(self._mark.parent, passable=True)
            write_private(self._mark, f"{folder}\n".encode())
        except OSError as error:
            raise explain(error, self._mark) from error

    def expect(self, folder: Path, title: str) -> None:
        """Raise DefiniteError (``data-missing``) where ``folder``, found empty, has held some.

        Call before anything is created in its place.
        """
        if self.names(folder):
            raise DefiniteError(
                "data-missing",
                say(
                    "The databases of {title} are gone: {folder} is missing or empty. {safe}",
                    title=title,
                    folder=folder,
                    safe=SAFE,
                ),
                say(
                    "If the folder was moved, or is on a disk or share that is not there now, put "
                    "it back and start again. To go on without it, with new and empty databases, "
                    "delete the file {mark} first.",
                    mark=self._mark,
                ),
            )

    def names(self, folder: Path) -> bool:
        """Whether ``folder`` has been made to hold data. Never raises."""
        try:
            content = read_private(self._mark)
        except OSError:
            return False
        return content is not None and content.decode("utf-8", "replace").strip() == str(folder)

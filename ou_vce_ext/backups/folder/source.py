"""What a folder can be taken from: a backup of ours, a zip or tar of one, a module's own folder."""

from __future__ import annotations

import io
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from ...models import Json
from ...models_backup import Consistency, DataItem
from ...sentences import say
from ..reader import View
from ..watch import Watch
from .packing import damaged, unpack
from .tree import read_sum


@dataclass(frozen=True)
class FolderSource:
    """A backup of ours, or a zip or tar of a folder; ``told`` is what ours says of itself."""

    path: Path
    offset: int
    length: int
    contents: tuple[DataItem, ...]
    consistency: Consistency
    whole: bool
    versions: Mapping[str, str] = field(default_factory=dict)
    told: Mapping[str, Json] | None = None

    def unpack(self, into: Path, top: str, watch: Watch) -> None:
        """Put it into an empty folder, and compare. Raises UnsuitableError, OSError."""
        with self.path.open("rb") as file:
            view = cast("BinaryIO", io.BufferedReader(View(file, self.offset, self.length), 65_536))
            ours = self.told is not None
            unpack(view, self.length, into, "" if ours else top, watch, empty=ours)
        if self.told is not None and read_sum(into, watch).to_json() != self.told:
            raise damaged(say("what comes out of it is not what it tells of"))


def copy_seed(seed: Path, place: Path, watch: Watch) -> None:
    """Copy what is in a module's folder; links that lead out of it stand for what they lead to."""
    for path in sorted(seed.iterdir()):
        watch.raise_if_cancelled()
        if path.is_dir():
            shutil.copytree(path, place / path.name, symlinks=False)
        else:
            shutil.copyfile(path, place / path.name)

"""Collections out of files of their own, in the formats that people exchange them in."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from ...errors import UnsuitableError
from ...sentences import say
from ..watch import Watch
from .documents import damaged
from .dump import Dump, Stored
from .exported import format_of, read_exported
from .metadata import Metadata
from .names import Namespace
from .walk import Walk, as_kept
from .window import Window


class FilesDump(Dump):
    """Each collection's file, read once from end to end when it is opened."""

    def __init__(
        self, path: Path, files: Mapping[Namespace, tuple[str, Window]], watch: Watch
    ) -> None:
        """Read them: what each is called by its owner, and where it is. Blocks.

        Raises UnsuitableError, OSError or WorkCancelledError.
        """
        self.path = path
        self._files = files
        self.stored = {}
        for at in files:
            walk = Walk()
            for documents in self._documents(at, watch):
                walk.add(documents)
            self.stored[at] = Stored(Metadata(), walk.counted)

    def stream(
        self, wanted: Collection[Namespace], watch: Watch
    ) -> Iterator[tuple[Namespace, list[bytes]]]:
        """Their documents, file by file."""
        for at in self._files:
            if at in wanted:
                for documents in self._documents(at, watch):
                    yield at, as_kept(documents)

    def _documents(self, at: Namespace, watch: Watch) -> Iterator[list[bytes]]:
        name, window = self._files[at]
        kind = format_of(name)
        if kind is None:
            raise damaged(say("{name} is neither BSON nor JSON nor CSV", name=name))
        try:
            with window.unpacked(watch) as file:
                for documents in read_exported(kind, file):
                    watch.raise_if_cancelled()
                    yield documents
        except UnsuitableError as error:
            raise UnsuitableError(
                say("{name}: {message}", name=name, message=error.message), error.hint
            ) from error

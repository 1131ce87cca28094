"""Small disks for whole homes: root mounts one where it is wanted.

Whoever else the campaign is run as may mount nothing that a service could live on. Root, who runs
it as them, mounts for them all that will be wanted, and says in the environment where.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import ClassVar, Final

import pytest

from tests.integration.small_disk import mounted

from .bench import Bench
from .fault import Fault, MissingPartError

FOLDER: Final = "FAULT_DISKS"
"""The variable that says where they are, each with the name of its fault's class."""


class OnSmallDisk(Fault):
    """A fault that has a disk of ``disk`` bytes to itself."""

    disk: ClassVar[int]

    @contextmanager
    def small_disk(self, bench: Bench) -> Iterator[Path]:
        """Its disk, empty, everybody's to pass through. Raises MissingPartError."""
        name = type(self).__name__
        if ready := os.environ.get(FOLDER):
            place = Path(ready, name)
            if not place.is_mount():
                raise MissingPartError(f"no disk was mounted at {place}")
            yield place
            return
        if not bench.is_root:
            raise MissingPartError("only root can mount a disk that a whole home is on")
        with ExitStack() as stack:
            try:
                disk = mounted(bench.root / name, "tmpfs", f"size={self.disk}")
                place, _ = stack.enter_context(disk)
            except pytest.skip.Exception as missing:
                raise MissingPartError(str(missing)) from missing
            place.chmod(0o711)
            yield place


@contextmanager
def ready_made(
    faults: Sequence[type[Fault]], owner: tuple[int, int]
) -> Iterator[Mapping[str, str]]:
    """A disk of ``owner``'s for each of ``faults`` that wants one; what tells where they are."""
    wanted = [fault for fault in faults if issubclass(fault, OnSmallDisk)]
    if not wanted:
        yield {}
        return
    uid, gid = owner
    with tempfile.TemporaryDirectory(prefix="faults-disks-") as folder, ExitStack() as stack:
        Path(folder).chmod(0o711)
        for fault in wanted:
            options = f"size={fault.disk},uid={uid},gid={gid},mode=711"
            stack.enter_context(mounted(Path(folder, fault.__name__), "tmpfs", options))
        yield {FOLDER: folder}

"""All faults, by number."""

from __future__ import annotations

from collections.abc import Container

from . import backup_cuts, backup_disks, backup_mongo, backup_openrefine, backup_postgres
from .backup_crowd import AllAtOnce
from .backup_full_disk import DiskFillsUp
from .clock import ClockMoved
from .crowds import Crowd
from .data_folders import DamagedFolder, StaleLockFile
from .desktops import DesktopAbandoned, DesktopKilled
from .fault import Fault
from .floods import LogFlood
from .hanging import Hangs
from .jupyter_ends import JupyterEnds
from .keepers_killed import KeepersKilled
from .kernels import KernelsBeside
from .killed import MainProcessKilled
from .postgres_kills import BackendKilled, PostmasterKilled
from .slow_starts import SlowOrFlapping, StopWhileStarting
from .taken_ports import PortTaken
from .trees import StubbornTrees
from .unsaved_edits import UnsavedEdit

FAULTS: tuple[type[Fault], ...] = (
    MainProcessKilled,
    PostmasterKilled,
    BackendKilled,
    JupyterEnds,
    KeepersKilled,
    UnsavedEdit,
    Hangs,
    PortTaken,
    StaleLockFile,
    DamagedFolder,
    Crowd,
    StopWhileStarting,
    SlowOrFlapping,
    StubbornTrees,
    LogFlood,
    ClockMoved,
    KernelsBeside,
    DesktopKilled,
    DesktopAbandoned,
    DiskFillsUp,
    AllAtOnce,
    *backup_cuts.FAULTS,
    *backup_openrefine.FAULTS,
    *backup_mongo.FAULTS,
    *backup_postgres.FAULTS,
    *backup_disks.FAULTS,
)


def chosen(numbers: Container[int] | None, titled: str) -> list[type[Fault]]:
    """Those with one of ``numbers``, where any are named, and ``titled`` in their title."""
    return [
        fault
        for fault in FAULTS
        if (numbers is None or fault.number in numbers) and titled in fault.title
    ]

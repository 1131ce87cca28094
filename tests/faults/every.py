"""All faults, by number."""

from __future__ import annotations

from .crowds import Crowd
from .data_folders import DamagedFolder, StaleLockFile
from .fault import Fault
from .floods import LogFlood
from .hanging import Hangs
from .killed import MainProcessKilled
from .postgres_kills import BackendKilled, PostmasterKilled
from .slow_starts import SlowOrFlapping, StopWhileStarting
from .taken_ports import PortTaken
from .trees import StubbornTrees

FAULTS: tuple[type[Fault], ...] = (
    MainProcessKilled,
    PostmasterKilled,
    BackendKilled,
    Hangs,
    PortTaken,
    StaleLockFile,
    DamagedFolder,
    Crowd,
    StopWhileStarting,
    SlowOrFlapping,
    StubbornTrees,
    LogFlood,
)

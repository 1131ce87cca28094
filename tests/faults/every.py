"""All faults, by number."""

from __future__ import annotations

from .fault import Fault
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
    StopWhileStarting,
    SlowOrFlapping,
    StubbornTrees,
)

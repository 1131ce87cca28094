"""All faults, by number."""

from __future__ import annotations

from .fault import Fault
from .trees import StubbornTrees

FAULTS: tuple[type[Fault], ...] = (StubbornTrees,)

"""Stands in for a service whose declaration is wrong: it is listed, says why, and never starts."""

from __future__ import annotations

from typing import ClassVar

from ..errors import DefiniteError
from ..launch import LaunchPlan, Process
from ..models import Capability
from ..sentences import say
from .base import Driver


class UndeclaredDriver(Driver):
    """No kind at all; ``spec.problem`` says what is wrong."""

    kind: ClassVar[str] = "undeclared"
    capabilities: ClassVar[frozenset[Capability]] = frozenset(
        {Capability.START, Capability.STOP, Capability.LOGS}
    )

    async def plan(self) -> LaunchPlan:
        """Refuse: raises DefiniteError with what is wrong with the declaration."""
        problem = self.spec.problem
        raise DefiniteError(
            problem.code if problem else "config-invalid",
            problem.message if problem else say("This service is not declared properly."),
            problem.hint if problem else say("Correct its declaration."),
        )

    async def probe(self, process: Process | None) -> bool:
        """It never answers."""
        return False

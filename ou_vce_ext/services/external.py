"""Services that others run: asked how they are, and nothing else."""

from __future__ import annotations

from ..drivers.base import Driver
from ..errors import DefiniteError
from ..models import ServiceError
from ..sentences import say
from .diagnosis import from_exception

INTERVAL = 5.0
"""Seconds between two questions."""


async def trouble_of(driver: Driver) -> ServiceError | None:
    """Why a service that others run does not answer, or None where it does."""
    try:
        if await driver.probe(None):
            return None
    except DefiniteError as failure:
        return from_exception(failure, ())
    except (OSError, TimeoutError):
        pass
    return ServiceError(
        "external-down",
        say("{title} does not answer. It is run outside JupyterLab.", title=driver.spec.title),
        say("Ask whoever looks after it. It is shown here as soon as it is back."),
    )

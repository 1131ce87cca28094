"""The projects a fresh OpenRefine begins with: ``seed = { projects = [...] }``."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from ...errors import UnsuitableError, VceError
from ...models import ServiceSpec
from ...oserrors import why
from ...sentences import say
from ..watch import Watch
from .source import ForeignProjects, open_foreign


def files(spec: ServiceSpec) -> Sequence[Path]:
    """The declared files, in their order."""
    declared = spec.seed.get("projects", ())
    return [Path(str(each)) for each in declared] if isinstance(declared, Sequence) else []


def open_seed(path: Path, into: Path, service: str, watch: Watch) -> ForeignProjects:
    """One of them, read by way of ``into``, which is made and removed again.

    Raises VceError where the declaration cannot be kept: that is not the student's fault.
    """
    into.mkdir()
    try:
        return open_foreign(path, 0, path.stat().st_size, into, service, watch)
    except (OSError, UnsuitableError) as error:
        told = (
            error.message
            if isinstance(error, UnsuitableError)
            else say("{reason}.", reason=why(error))
        )
        raise VceError(
            "config-invalid",
            say(
                "The projects that a fresh OpenRefine begins with cannot be had from {name}: "
                "{why} Your projects are as they were.",
                name=path.name,
                why=told,
            ),
            say("Show this to your tutor: `seed` in this service's declaration names that file."),
        ) from error
    finally:
        shutil.rmtree(into, ignore_errors=True)


def in_words(spec: ServiceSpec) -> str:
    """What is there after a reset, in a sentence."""
    names = [path.name for path in files(spec)]
    if not names:
        return say("No projects, as on the first day.")
    return say(
        "The projects of your module, as on the first day ({names}).", names=", ".join(names)
    )

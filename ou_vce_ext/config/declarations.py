"""What is declared, as validated services: the built-in ones, TOML files, traitlets on top.

Nothing here raises for a mistake in a declaration. A service that is declared wrongly is listed
with a ``problem`` and does not start; the others are as if it were right.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from ..models import ServiceError, ServiceSpec
from ..sentences import in_a_row, say, say_many
from .files import ConfigProblem, Layer, read_files
from .judge import Check, Judge, Kinds
from .links import check_links
from .merge import merge

__all__ = ["BUILT_IN", "OVERRIDES", "ConfigProblem", "load_specs"]

BUILT_IN: Final = Layer(
    say("built in"),
    {
        "openrefine": {"kind": "openrefine", "title": "OpenRefine"},
        "postgres": {"kind": "postgres", "title": "PostgreSQL", "autostart": True},
        "mongo": {"kind": "mongo", "title": "MongoDB", "autostart": True},
    },
)
"""What every environment has, unless a declaration says ``enabled = false``."""

OVERRIDES: Final = say("Jupyter's configuration (VCE.services)")
"""What the traitlets are called where a mistake stands in them."""

_MOST_TOLD = 4


def load_specs(
    folders: Sequence[Path],
    config_file: Path | None,
    overrides: Mapping[str, Mapping[str, object]],
    kinds: Kinds,
    checks: Mapping[str, Check] | None = None,
) -> tuple[list[ServiceSpec], list[ConfigProblem]]:
    """Read, merge and judge all declarations; the built-in services come first.

    ``folders`` is the Jupyter configuration path, lowest priority first; ``config_file`` is laid
    over it, ``overrides`` (service -> key -> value) over that. ``kinds`` holds for each kind the
    options of its driver, ``checks`` what its driver has to say about a whole declaration.

    Returns the services that are not disabled, and every mistake there is. Reads files; a few
    milliseconds.
    """
    layers, problems = read_files(folders, config_file)
    layers = [BUILT_IN, *layers, Layer(OVERRIDES, overrides)]
    found: list[tuple[ServiceSpec, list[ConfigProblem]]] = []
    disabled: set[str] = set()
    for name, declaration in merge(layers).items():
        if declaration.values.get("enabled") is False and "kind" in declaration.values:
            disabled.add(name)
            continue
        judged = Judge(declaration, kinds, checks or {}, BUILT_IN.services)
        spec = judged.spec()
        if spec is None:
            problems += judged.problems
        else:
            found.append((spec, judged.problems))
    check_links(found, disabled)
    specs = []
    for spec, own in found:
        problems += own
        specs.append(_with_problem(spec, [item for item in own if item.service]))
    return specs, problems


def _with_problem(spec: ServiceSpec, own: Sequence[ConfigProblem]) -> ServiceSpec:
    """``spec``, and why it cannot start where it has mistakes."""
    if not own:
        return spec
    told = [
        say("{source}: {key}: {message}", source=item.source, key=item.key, message=item.message)
        for item in own[:_MOST_TOLD]
    ]
    if len(own) > _MOST_TOLD:
        told.append(say("And {count} more, in the server's log.", count=len(own) - _MOST_TOLD))
    hints = [item.hint for item in own[:_MOST_TOLD]]
    problem = ServiceError(
        "config-invalid",
        say_many(
            "This service is declared with a mistake, so it is not started. {mistakes}",
            "This service is declared with {count} mistakes, so it is not started. {mistakes}",
            len(own),
            mistakes=in_a_row(told),
        ),
        in_a_row([*hints, say("Correct it and restart Jupyter. No data has been touched.")]),
    )
    return dataclasses.replace(spec, problem=problem)

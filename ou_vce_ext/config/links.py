"""What is only wrong when services are seen together: who requires whom, who wants which port."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..listing import listed
from ..models import ServiceSpec
from ..sentences import in_a_row, say
from .files import ConfigProblem
from .values import did_you_mean

Found = Sequence[tuple[ServiceSpec, list[ConfigProblem]]]


def check_links(found: Found, disabled: Iterable[str]) -> None:
    """Add to each service's problems what is wrong between it and the others."""
    _check_requires(found, set(disabled))
    _check_ports(found)


def _mistake(spec: ServiceSpec, key: str, message: str, hint: str) -> ConfigProblem:
    place = f"services.{spec.name}.{key}"
    return ConfigProblem(spec.source, place, message, hint, spec.name)


def _healthy(found: Found) -> list[tuple[ServiceSpec, list[ConfigProblem]]]:
    return [(spec, own) for spec, own in found if not any(item.service for item in own)]


def _check_requires(found: Found, disabled: set[str]) -> None:
    graph = {spec.name: spec.requires for spec, _ in found}
    for spec, own in found:
        for wanted in spec.requires:
            if wanted in disabled:
                own.append(
                    _mistake(
                        spec,
                        "requires",
                        say("The required service `{name}` is disabled.", name=wanted),
                        say("Enable it, or take it out of the list of `{name}`.", name=spec.name),
                    )
                )
            elif wanted not in graph:
                others = [name for name in graph if name != spec.name]
                close = did_you_mean(wanted, others)
                own.append(
                    _mistake(
                        spec,
                        "requires",
                        say("There is no service `{name}` to require.", name=wanted[:40]),
                        in_a_row((close, say("There are: {names}.", names=", ".join(others)))),
                    )
                )
        if circle := _circle(spec.name, graph):
            way = " → ".join(circle)
            own.append(
                _mistake(
                    spec,
                    "requires",
                    say("The services require each other in a circle: {way}.", way=way),
                    say("Take one of them out, so that one can start first."),
                )
            )


def _circle(start: str, graph: Mapping[str, Sequence[str]]) -> list[str] | None:
    """The shortest way from ``start`` back to itself, or None."""
    ways = [[start]]
    seen: set[str] = set()
    while ways:
        way = ways.pop(0)
        for following in graph.get(way[-1], ()):
            if following == start:
                return [*way, start]
            if following not in seen:
                seen.add(following)
                ways.append([*way, following])
    return None


def _check_ports(found: Found) -> None:
    """Two services cannot have one port. A broken or adopted one takes none from the others."""
    wanted: dict[int, list[tuple[ServiceSpec, list[ConfigProblem]]]] = {}
    for spec, own in _healthy(found):
        port = spec.options.get("port")
        if isinstance(port, int) and not spec.external:
            wanted.setdefault(port, []).append((spec, own))
    for port, sharers in wanted.items():
        if len(sharers) < 2:
            continue
        for spec, own in sharers:
            others = listed([f"`{item.name}`" for item, _ in sharers if item is not spec])
            own.append(
                _mistake(
                    spec,
                    "port",
                    say("Port {port} is declared by {others} too.", port=port, others=others),
                    say(
                        "Give each service a port of its own, or leave `port` out and one is "
                        "chosen."
                    ),
                )
            )

"""Which collections of which dump are wanted, and whether this server can take them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

from ...errors import UnsuitableError
from ...sentences import say
from ..strategy import Layer
from .contents import PEOPLE, is_servers_own
from .dump import Dump
from .fill import Plan
from .metadata import Metadata
from .names import Namespace


def decide(layers: Sequence[Layer]) -> dict[Dump, set[Namespace]]:
    """What is taken from each layer's dump.

    A layer that wants a database, and not only some collections of it, wants it as that dump has
    it: nothing of an earlier layer's stays in there.
    """
    chosen: dict[Namespace, Dump] = {}
    for layer in layers:
        dump = cast("Dump", layer.source)
        items = layer.items
        mine = {at for at in dump.stored if is_wanted(at, items)}
        replaced = {at.db for at in mine if items is None or at.db in items}
        for at in [at for at in chosen if at.db in replaced and not is_servers_own(at)]:
            del chosen[at]
        chosen |= dict.fromkeys(mine, dump)
    plan: dict[Dump, set[Namespace]] = {cast("Dump", layer.source): set() for layer in layers}
    for at, dump in chosen.items():
        plan[dump].add(at)
    return plan


def is_wanted(at: Namespace, items: frozenset[str] | None) -> bool:
    """Whether ``at`` is among what the keys in ``items`` name; None names all."""
    if items is None:
        return True
    if is_servers_own(at):
        return PEOPLE in items
    return at.db in items or at.key in items


def metadata_of(plan: Plan) -> dict[Namespace, Metadata]:
    """What a server that was filled by ``plan`` must hold."""
    return {
        at: dump.stored[at].what
        for dump, wanted in plan.items()
        for at in wanted
        if not is_servers_own(at)
    }


def refuse_newer(dumps: Iterable[Dump], release: str | None) -> None:
    """Raise UnsuitableError where data are of a newer release than the server that is here."""
    ours = _numbers(release)
    for dump in dumps:
        theirs = _numbers(dump.compatibility)
        if ours and theirs and theirs > ours:
            raise UnsuitableError(
                say(
                    "This backup was made with MongoDB {compatibility}, and the MongoDB here is "
                    "{release}, which is older: it might not read all of it. Nothing was changed.",
                    compatibility=dump.compatibility,
                    release=release,
                ),
                say(
                    "Restore it where MongoDB is as new, or ask for an update of this environment."
                ),
            )


def _numbers(release: str | None) -> tuple[int, int] | None:
    """The first two numbers of a release, which decide; None where they cannot be told."""
    parts = (release or "").split(".")
    if len(parts) < 2 or not all(part.isdecimal() for part in parts[:2]):
        return None
    return int(parts[0]), int(parts[1])

"""How a service's backups are kept and taken by themselves, as declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from ..config.backup_keys import parse_period
from ..config.values import parse_memory
from ..models import ServiceSpec

KEPT: Final = 20
"""Backups of a service that are kept where nothing is declared."""
_BOUND: Final = ("postgres",)
"""Kinds whose data another release of the program cannot open: only a backup brings them over."""
_USUAL: Final = timedelta(hours=2)
_KEPT_BY_ITSELF: Final = 1
SETTLED: Final = timedelta(minutes=10)
"""A service runs for so long before a backup is taken that nobody has declared."""


@dataclass(frozen=True, slots=True)
class Policy:
    """``keep`` backups, for ``days`` days, of ``size`` bytes together: None for no such limit.

    ``unasked`` is for those that are taken by the clock though nobody has declared it: only where
    something was changed, out of everybody's way, and ``automatic`` of them are kept.
    """

    keep: int | None = KEPT
    days: int | None = None
    size: int | None = None
    every: timedelta | None = None
    on_stop: bool = False
    warn_after: timedelta | None = None
    verify: bool = True
    unasked: bool = False
    automatic: int | None = None

    @classmethod
    def for_service(cls, spec: ServiceSpec) -> Policy:
        """What is declared of a service, and what is usual for its kind where nothing is."""
        declared = cls.of(spec.backup)
        if spec.kind not in _BOUND or spec.external or "every" in spec.backup:
            return declared
        return replace(declared, every=_USUAL, unasked=True, automatic=_KEPT_BY_ITSELF)

    @classmethod
    def of(cls, declared: Mapping[str, object]) -> Policy:
        """Read a judged ``backup`` table. Who declares another limit alone lifts the usual one."""
        limits = {"keep", "keep_days", "keep_size"} & declared.keys()
        return cls(
            keep=_whole(declared.get("keep")) if limits else KEPT,
            days=_whole(declared.get("keep_days")),
            size=parse_memory(declared["keep_size"]) if "keep_size" in declared else None,
            every=_period(declared.get("every")),
            on_stop=declared.get("on_stop") is True,
            warn_after=_period(declared.get("warn_after")),
            verify=declared.get("verify") is not False,
        )


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _period(value: object) -> timedelta | None:
    seconds = parse_period(value)
    return None if seconds is None else timedelta(seconds=seconds)

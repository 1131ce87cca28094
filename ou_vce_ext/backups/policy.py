"""How a service's backups are kept and taken by themselves, as declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from ..config.backup_keys import parse_period
from ..config.values import parse_memory

KEPT: Final = 20
"""Backups of a service that are kept where nothing is declared."""


@dataclass(frozen=True, slots=True)
class Policy:
    """``keep`` backups, for ``days`` days, of ``size`` bytes together: None for no such limit."""

    keep: int | None = KEPT
    days: int | None = None
    size: int | None = None
    every: timedelta | None = None
    on_stop: bool = False
    warn_after: timedelta | None = None
    verify: bool = True

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

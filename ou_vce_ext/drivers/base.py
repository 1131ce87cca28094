"""What every kind of service has to tell: how it starts, when it is ready, how it ends.

A driver knows one kind of service and nothing of HTTP, operations or states. Client libraries
(psycopg, pymongo, aiohttp) are imported inside the methods that need them, so that a server on
which nothing runs yet does not pay for them.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple

from ..launch import Ending, Launcher, LaunchPlan, Process
from ..models import Capability, Connection, ServiceError, ServiceSpec, Site
from ..models_upstream import Upstream
from ..sentences import say

Progress = Callable[[str, float | None], None]
"""Tells a person what is happening, and how far it is (0..1, or None where nobody can know)."""


Asking = Callable[[str, bool], None]
"""Tells a person what is happening, and whether their answer is waited for."""


def no_progress(message: str, fraction: float | None = None) -> None:
    """For callers that watch nothing."""


class Option(NamedTuple):
    """One key of a kind's declaration: accepted types, what it means, what it may be.

    ``check`` returns a sentence that says what is wrong with a value, or None.
    """

    types: tuple[type, ...]
    doc: str
    choices: tuple[object, ...] = ()
    check: Callable[[object], str | None] | None = None


def scrubbed_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment for our own tools and services: what a program needs, no address or secret.

    PG*, MONGO*, JUPYTER* and JPY* variables never pass: a scratch restore that inherited them would
    reach the live database, and a service must never know Jupyter's token.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PG", "MONGO", "JUPYTER", "JPY", "VCE_"))
        and "TOKEN" not in name
        and "SECRET" not in name
        and "PASSWORD" not in name
    }
    kept.update(extra or {})
    return kept


class Driver(ABC):
    """One service of one kind, at one place. All methods are called from the event loop."""

    kind: ClassVar[str]
    capabilities: ClassVar[frozenset[Capability]]
    options: ClassVar[Mapping[str, Option]] = {}
    wants_port: ClassVar[bool] = False
    """Whether a port is chosen once, before anything starts, and kept for good."""
    default_ready_timeout: ClassVar[float] = 60.0
    """Seconds after which a start that has not become ready is given up and stopped."""
    start_seconds: ClassVar[float | None] = None
    """How long a start usually takes, for a progress bar before we have measured one ourselves."""
    stop_seconds: ClassVar[float] = 1.0
    """How long a stop usually takes, before we have measured one ourselves."""
    data_where_declared: ClassVar[bool] = False
    """Whether it has data that can be backed up only where a ``data_dir`` is declared for it."""
    when_cut_off: ClassVar[str] = say("What it had not saved by then may be lost.")
    """What a run that was cut off, by a power cut say, may have cost."""

    def __init__(self, spec: ServiceSpec, site: Site, launcher: Launcher) -> None:
        self.spec = spec
        self.site = site
        self.launcher = launcher

    @property
    def data_dir(self) -> Path:
        """The folder its data really lies in."""
        return self.site.data_dir

    @property
    def ready_timeout(self) -> float:
        """Seconds a start may take."""
        return self.spec.ready_timeout or self.default_ready_timeout

    async def missing(self) -> ServiceError | None:
        """What this service needs and is not installed (state ``unavailable``), or None.

        Called at server start, at every look at an unavailable service's start, and never caches a
        bad answer. It must be quick (no process is started).
        """
        return None

    async def prepare(self, progress: Progress) -> None:
        """Make ready to launch: folders, first-time data. Raises VceError with the reason and cure.

        Must be safe to be cut at any moment and called again.
        """

    @abstractmethod
    async def plan(self) -> LaunchPlan:
        """What to launch now. Called after :meth:`prepare`, again for every start."""

    @abstractmethod
    async def probe(self, process: Process | None) -> bool:
        """Whether the service answers its own protocol, now.

        ``process`` is None for a service that is not ours (``external``). Returns False, or raises
        OSError or TimeoutError, while it does not answer yet; raises
        :class:`~ou_vce_ext.errors.DefiniteError` where it never will (a stranger on our port).
        Bounded in time (3 s). It must first ask ``process.listener`` that the socket is our tree's.
        """

    async def provision(self, progress: Progress) -> None:
        """After the service first answers in a run: users, databases, replica set. Idempotent."""

    def starting(self) -> str | None:
        """What is said until it answers; None for the usual words."""
        return None

    def stopping(self) -> str | None:
        """What is said while it is being stopped; None for the usual words."""
        return None

    async def ask_to_close(self, process: Process, tell: Asking) -> None:
        """At a person's stop, before anything is told to end: have it ask that person, if it must.

        ``tell`` is called with what is to be said, and whether that person's answer is waited for,
        which may take any time. Returns when it has ended by itself, or may be ended. May be cut at
        any moment; it goes on then as it is. Raises VceError where it is to stay.
        """

    def end_unasked(self, process: Process) -> None:
        """It is about to be told to end, and nobody is to be asked about it any more."""

    async def before_stop(self) -> None:
        """While it still answers, about to be told to end: what makes its end quick and safe.

        Bounded in time, and never raises for what it could not do.
        """

    async def close(self) -> None:
        """Let go of clients kept for probing. Called whenever the service goes down."""

    def main_pid(self, process: Process) -> int:
        """The service's own main process, where that is not the one we launched (a wrapper)."""
        return process.pid

    def versions(self) -> Mapping[str, str]:
        """The programs it runs, each with its release, as far as that can be told.

        Reads files and starts nothing. Called in a thread of its own, now and then.
        """
        return {}

    def connection(self) -> Connection | None:
        """How programs reach it; None where it is no database."""
        return None

    def environment(self) -> Mapping[str, str]:
        """Variables that kernels and terminals are given, fixed for this Jupyter's life."""
        return {}

    def upstream(self) -> Upstream | None:
        """Where the proxy finds it while it runs; None where it has no web page."""
        return None

    def notice(self) -> ServiceError | None:
        """What a person should know of it while it runs, though it runs well; else None."""
        return None

    def farewell(self, ending: Ending) -> ServiceError | None:
        """What is said where a ready service ended because a person closed it from within.

        It is then stopped, and not started again by itself. None where it was no such end.
        """
        return None

    def diagnose(self, ending: Ending, log_tail: Sequence[str]) -> ServiceError | None:
        """What its end and last lines mean, where this kind can tell; else None."""
        return None

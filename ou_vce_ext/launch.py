"""What a keeper is told: what to run, as whom, and how to end it. Plain data, and two protocols."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, TypeAlias

from .models import Json, Usage
from .sentences import say


class Identity(NamedTuple):
    """As whom a service runs.

    ``same``: as Jupyter's own user. ``user``: as another uid (Jupyter is root, the program refuses
    root). ``namespace``: in a user namespace where it sees ``uid`` (1000 if not given) while its
    files stay ours.
    """

    mode: Literal["same", "user", "namespace"] = "same"
    uid: int | None = None
    gid: int | None = None

    def to_json(self) -> dict[str, Json]:
        """The form a keeper reads."""
        return {"mode": self.mode, "uid": self.uid, "gid": self.gid}


class StopStep(NamedTuple):
    """One step of stopping: a signal, to the main process or to its whole tree, then a wait.

    ``wait`` is in seconds. With ``while_busy`` the wait goes on for as long as the tree uses CPU or
    writes, so that a program that is saving is never cut short.
    """

    signal: str
    wait: float
    target: Literal["main", "tree"] = "main"
    while_busy: bool = False

    def to_json(self) -> dict[str, Json]:
        """The form a keeper reads."""
        return {
            "signal": self.signal,
            "wait": self.wait,
            "target": self.target,
            "while_busy": self.while_busy,
        }


GENTLE_STOP: tuple[StopStep, ...] = (StopStep("SIGTERM", 10.0),)
ORPHAN_STOP: tuple[StopStep, ...] = (StopStep("SIGTERM", 0.5, "tree"),)


class PrivateNetwork(NamedTuple):
    """A network of a service's own: its ``port`` is reached through ``socket`` (0600) alone.

    ``way_out`` is the command of a user-mode network that leads out of it, ``{pid}`` standing for a
    process inside; without one there is no way out. ``log`` is where that program writes. With
    ``resolv_conf``, that file stands in for /etc/resolv.conf inside.
    """

    socket: Path
    port: int
    log: Path
    way_out: tuple[str, ...] = ()
    resolv_conf: Path | None = None

    def to_json(self) -> dict[str, Json]:
        """The form a keeper reads."""
        return {
            "socket": str(self.socket),
            "port": self.port,
            "log": str(self.log),
            "way_out": list(self.way_out),
            "resolv_conf": str(self.resolv_conf) if self.resolv_conf else None,
        }


@dataclass(frozen=True, slots=True)
class LaunchPlan:
    """Everything a keeper needs for one run of a program.

    ``env`` is the whole environment (nothing is inherited). ``stop`` ends it gently; a final KILL
    of the whole tree is always added. ``orphans`` ends what is left once the main process is gone.
    ``lock_file`` is locked before anything starts and stays so while any process of the tree
    lives; ``lock_note`` is written into it for whoever finds it locked. ``output`` is the log file,
    rotated at ``log_bytes`` (one older file is kept). ``memory_limit`` (bytes) bounds the tree by a
    control group where one can be made; elsewhere only what the program was told itself does.
    With a ``network`` it runs in one of its own, and its ``identity`` is ``same``. With a
    ``module`` of ours, whose ``main`` takes ``argv``, no program is started: the keeper's fork runs
    that, which costs neither the start nor the memory of another Python.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str
    output: Path
    identity: Identity = field(default_factory=Identity)
    stop: tuple[StopStep, ...] = GENTLE_STOP
    orphans: tuple[StopStep, ...] = ORPHAN_STOP
    lock_file: Path | None = None
    lock_note: Mapping[str, Json] = field(default_factory=dict)
    log_bytes: int = 5_000_000
    umask: int = 0o077
    nice: int = 0
    memory_limit: int | None = None
    network: PrivateNetwork | None = None
    module: str | None = None

    def to_json(self) -> dict[str, Json]:
        """The form a keeper reads."""
        return {
            "argv": list(self.argv),
            "env": dict(self.env),
            "cwd": self.cwd,
            "output": str(self.output),
            "identity": self.identity.to_json(),
            "stop": [step.to_json() for step in self.stop],
            "orphans": [step.to_json() for step in self.orphans],
            "lock_file": str(self.lock_file) if self.lock_file else None,
            "lock_note": dict(self.lock_note),
            "log_bytes": self.log_bytes,
            "umask": self.umask,
            "nice": self.nice,
            "memory_limit": self.memory_limit,
            "network": self.network.to_json() if self.network else None,
            "module": self.module,
        }


NetworkTrial: TypeAlias = Literal["yes", "no-namespace", "no-way-out"]
"""What came of trying to make a network: the system forbids it, or it has no way out."""


class Ending(NamedTuple):
    """How a main process ended: an exit code, or the signal that killed it (``SIGKILL`` …).

    ``asked`` is true when it was us who told it to end. ``keeper_lost`` is true when the keeper
    itself was killed, so that how the program ended is not known. ``starved`` tells that the kernel
    killed a process of it for memory: above its own ``limit``, or with the ``machine`` short of it.
    """

    exit_code: int | None = None
    signal: str | None = None
    asked: bool = False
    keeper_lost: bool = False
    starved: Literal["limit", "machine"] | None = None

    def describe(self) -> str:
        """In words: ``exit code 1``, ``signal SIGKILL``."""
        if self.keeper_lost:
            return say("its keeper was killed")
        if self.signal:
            return say("signal {signal}", signal=self.signal)
        return say("exit code {code}", code=self.exit_code)


class Listener(NamedTuple):
    """Who listens on a TCP port or a unix socket.

    ``ours``: a process of the service's own tree, ``pid``. ``stranger``: somebody else; ``uid`` is
    their user where it is known. ``nobody``: nothing listens yet.
    """

    who: Literal["ours", "stranger", "nobody"]
    pid: int | None = None
    uid: int | None = None
    address: str | None = None


class Process(Protocol):
    """One run of a program under a keeper. Every wait may be cancelled without harm."""

    @property
    def pid(self) -> int:
        """The main process's id."""

    @property
    def unseen_end(self) -> bool:
        """Whether nobody saw the end of the run before this one, on the same data."""

    async def exited(self) -> Ending:
        """Wait until the main process has ended, and tell how."""

    async def down(self) -> Ending:
        """Wait until every process of the tree is gone, and tell how the main one ended."""

    async def stop(self) -> Ending:
        """End the tree by the plan's steps and wait until it is gone."""

    async def listener(self, *, port: int | None = None, socket: str | None = None) -> Listener:
        """Who listens there now."""

    async def resume(self) -> bool:
        """Continue a stopped (SIGSTOP) tree; tell whether anything had been stopped."""

    async def usage(self) -> Usage:
        """What the tree costs now. CPU is measured since the call before."""


class Launcher(Protocol):
    """Starts programs under keepers."""

    async def launch(self, plan: LaunchPlan) -> Process:
        """Start ``plan``; returns once it has been exec'ed.

        Raises :class:`~ou_vce_ext.errors.DefiniteError` (``program-missing``, ``not-permitted``,
        ``command-failed``) when it cannot be, :class:`~ou_vce_ext.errors.DataInUseError` when
        ``lock_file`` is held.
        """

    async def can_use_namespace(self) -> bool:
        """Whether a user namespace may be made here, so that ``Identity('namespace')`` works."""

    async def can_make_network(self, way_out: tuple[str, ...] = ()) -> NetworkTrial:
        """Whether a :class:`PrivateNetwork` can be made here, and a way out of it."""


class ToolResult(NamedTuple):
    """How a short-lived tool (initdb, pg_dump …) ended, and the end of what it printed."""

    ending: Ending
    output: str

    @property
    def ok(self) -> bool:
        """Whether it ended with exit code 0."""
        return self.ending.exit_code == 0

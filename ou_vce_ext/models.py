"""The things the REST API speaks of, as values that never change, and their JSON.

What is loaded at every start of a server is a NamedTuple where it is a plain value: to make the
class takes a fifth of a frozen dataclass's time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from .states import ServiceState

if TYPE_CHECKING:
    from .models_backup import BackupSummary

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
OpenIn: TypeAlias = Literal["tab", "browser"]


def iso(moment: datetime | None) -> str | None:
    """UTC ISO 8601 with milliseconds and ``Z``, or None."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Capability(StrEnum):
    """What a kind of service can do at all, whatever its state."""

    OPEN = "open"
    START = "start"
    STOP = "stop"
    RESET = "reset"
    BACKUP = "backup"
    RESTORE = "restore"
    LOGS = "logs"


class OperationState(StrEnum):
    """How far an operation is."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class ServiceError:
    """Why a service is not what the student wants it to be.

    ``exit_code`` and ``signal`` (a name such as ``SIGKILL``) tell how its main process ended, where
    it did; ``log_tail`` holds its last lines, oldest first.
    """

    code: str
    message: str
    hint: str = ""
    exit_code: int | None = None
    signal: str | None = None
    log_tail: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """The contract's ``error`` object."""
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "exit_code": self.exit_code,
            "signal": self.signal,
            "log_tail": list(self.log_tail),
        }


class Recovery(NamedTuple):
    """That a service ended ``at`` a moment, and why, and was started again by itself."""

    at: datetime
    error: ServiceError

    def to_json(self) -> dict[str, Json]:
        """The ``recovered_from`` object of the REST interface."""
        return {"at": iso(self.at), "error": self.error.to_json()}


class Connection(NamedTuple):
    """How a program on this machine reaches a database. It never holds a secret itself.

    ``socket`` is the folder of the unix socket (PostgreSQL) or its path; ``password_file`` the file
    that holds the password; ``env`` the names of the variables that kernels and terminals find set.
    """

    host: str | None
    port: int | None
    socket: str | None
    user: str | None
    database: str | None
    password_file: str | None
    env: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """The contract's ``connection`` object."""
        return {
            "host": self.host,
            "port": self.port,
            "socket": self.socket,
            "user": self.user,
            "database": self.database,
            "password_file": self.password_file,
            "env": list(self.env),
        }


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """One service as declared: built in, in TOML, or by traitlets, merged and validated.

    ``options`` holds the keys of its kind (see the driver), ``declared`` the names of the common
    keys that somebody wrote down, as against what they are by default. ``problem`` is set where the
    declaration is wrong: the service is then listed, says why, and never starts.
    """

    name: str
    kind: str
    title: str
    icon: str | None = None
    command: tuple[str, ...] = ()
    cwd: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    autostart: bool = False
    requires: tuple[str, ...] = ()
    open: OpenIn = "tab"
    memory_bytes: int | None = None
    stop_timeout: float | None = None
    data_dir: str | None = None
    ready_path: str = "/"
    ready_timeout: float | None = None
    backup: Mapping[str, object] = field(default_factory=dict)
    seed: Mapping[str, object] = field(default_factory=dict)
    enabled: bool = True
    external: bool = False
    options: Mapping[str, object] = field(default_factory=dict)
    declared: frozenset[str] = field(default=frozenset(), compare=False)
    source: str = "built in"
    problem: ServiceError | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """Where one service lives on this machine, fixed for as long as this Jupyter lives.

    ``data_dir`` holds its data, ``runtime_dir`` (short, 0700) its sockets, ``port`` its TCP port
    where one is kept for it, ``secret`` the generated password of a database.
    """

    name: str
    root_dir: Path
    data_dir: Path
    private_dir: Path
    runtime_dir: Path
    log_file: Path
    base_url: str
    port: int | None = None
    secret: str = field(default="", repr=False)


class Usage(NamedTuple):
    """What a service's whole process tree costs now. Memory in bytes, CPU in percent of a core."""

    memory_bytes: int | None = None
    cpu_percent: float | None = None
    open_files: int | None = None
    memory_measure: Literal["pss", "rss"] | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """One service as the REST API shows it; ``operation`` is the running one's id, if any."""

    name: str
    title: str
    kind: str
    icon: str | None
    state: ServiceState
    since: datetime
    ready_seconds: float | None
    pid: int | None
    url: str | None
    open: OpenIn
    connection: Connection | None
    usage: Usage
    restarts: int
    retry_at: datetime | None
    autostart: bool
    requires: tuple[str, ...]
    operation: str | None
    error: ServiceError | None
    capabilities: frozenset[Capability]
    data_dir: str | None
    last_backup: BackupSummary | None = None
    recovered_from: Recovery | None = None

    def to_json(self) -> dict[str, Json]:
        """The contract's Service object."""
        return {
            "name": self.name,
            "title": self.title,
            "kind": self.kind,
            "icon": self.icon,
            "state": self.state.value,
            "since": iso(self.since),
            "ready_seconds": self.ready_seconds,
            "pid": self.pid,
            "url": self.url,
            "open": self.open,
            "connection": self.connection.to_json() if self.connection else None,
            "memory_bytes": self.usage.memory_bytes,
            "memory_measure": self.usage.memory_measure,
            "cpu_percent": self.usage.cpu_percent,
            "open_files": self.usage.open_files,
            "restarts": self.restarts,
            "retry_at": iso(self.retry_at),
            "autostart": self.autostart,
            "requires": list(self.requires),
            "operation": self.operation,
            "error": self.error.to_json() if self.error else None,
            "capabilities": [c.value for c in Capability if c in self.capabilities],
            "data_dir": self.data_dir,
            "last_backup": self.last_backup.to_json() if self.last_backup else None,
            "recovered_from": self.recovered_from.to_json() if self.recovered_from else None,
        }


@dataclass(frozen=True, slots=True)
class Operation:
    """One piece of work a person asked for, with progress (0..1 or None) and an outcome.

    ``waiting_for`` is ``answer`` while it waits for a person to answer what the service asks.
    """

    id: str
    kind: str
    service: str | None
    state: OperationState
    progress: float | None
    message: str
    started: datetime
    finished: datetime | None = None
    error: ServiceError | None = None
    result: Json = None
    waiting_for: Literal["answer"] | None = None

    def to_json(self) -> dict[str, Json]:
        """The contract's Operation object."""
        return {
            "id": self.id,
            "kind": self.kind,
            "service": self.service,
            "state": self.state.value,
            "progress": self.progress,
            "message": self.message,
            "started": iso(self.started),
            "finished": iso(self.finished),
            "error": self.error.to_json() if self.error else None,
            "result": self.result,
            "waiting_for": self.waiting_for,
        }

"""The report for the forum, as text: what a helper asks for first comes first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ..models import Capability, Operation, OperationState, Service
from ..models_status import Problem, Status
from ..sentences import say
from ..services.machine_memory import MachineMemory
from ..states import ServiceState
from . import status_words, words

LINES_SHOWN: Final = 40
"""Lines of the log of each service that is not fine."""
_NOT_FINE: Final = frozenset({ServiceState.FAILED, ServiceState.BACKOFF, ServiceState.UNRESPONSIVE})


@dataclass(frozen=True, slots=True)
class Facts:
    """What a report is made of, nothing of it redacted yet; ``logs`` by service."""

    title: str
    status: Status
    memory: MachineMemory
    logs: Mapping[str, Sequence[str]]
    now: datetime


def not_fine(status: Status) -> list[Service]:
    """The services whose log a helper wants to see, in declared order."""
    named = {problem.service for problem in status.problems}
    named |= {operation.service for operation in failed_lately(status)}
    return [
        service
        for service in status.services
        if Capability.LOGS in service.capabilities
        and (service.state in _NOT_FINE or service.error or service.name in named)
    ]


def failed_lately(status: Status) -> list[Operation]:
    """Operations that failed, newest first."""
    return [each for each in status.operations if each.state is OperationState.FAILED]


def report(facts: Facts) -> str:
    """The whole of it, one topic a paragraph."""
    status, now = facts.status, facts.now
    parts = [
        [
            f"{facts.title}: report of {words.absolute(now)}",
            say("Passwords, tokens, names, addresses and private paths have been taken out."),
        ],
        [status_words.headline(status, now), status_words.summary(status)],
        _titled("What needs attention", _problems(status.problems, now)),
        _titled("Services", _services(status, now)),
        _titled("Work that failed lately", _failed(status, now)),
        _titled("Machine", _machine(facts)),
        _titled("Versions", [f"{name}: {told}" for name, told in status.versions.items()]),
    ]
    for service in not_fine(status):
        lines = list(facts.logs.get(service.name, ()))[-LINES_SHOWN:]
        shown = lines or ["(nothing was printed)"]
        parts.append(_titled(f"Log of {service.name}, the last {len(lines)} lines", shown))
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _titled(title: str, lines: Iterator[str] | Sequence[str]) -> list[str]:
    told = list(lines)
    return [title, "-" * len(title), *told] if told else []


def _problems(problems: Sequence[Problem], now: datetime) -> Iterator[str]:
    for problem in problems:
        where = f"{problem.service}: " if problem.service else ""
        yield f"- {where}{problem.code} ({words.ago(problem.since, now)})"
        yield f"  {problem.message}"
        if problem.hint:
            yield f"  {problem.hint}"


def _services(status: Status, now: datetime) -> Iterator[str]:
    for service in status.services:
        yield f"- {service.name} ({service.title}): {', '.join(_state(service, now))}"
        backup = service.last_backup
        if backup:
            yield f"  newest backup: {status_words.backup_words(backup, now)}"
        elif Capability.BACKUP in service.capabilities:
            yield "  newest backup: none yet"
        error = service.error
        if error:
            ended = f", exit code {error.exit_code}" if error.exit_code is not None else ""
            ended += f", {error.signal}" if error.signal else ""
            yield f"  error {error.code}{ended}: {error.message}"
            if error.hint:
                yield f"  {error.hint}"


def _state(service: Service, now: datetime) -> Iterator[str]:
    for_how_long = words.span((now - service.since).total_seconds())
    yield f"{status_words.STATE_WORDS[service.state].lower()} for {for_how_long}"
    if service.ready_seconds is not None:
        yield f"started in {service.ready_seconds:.1f} s"
    yield f"{service.restarts} restart{'' if service.restarts == 1 else 's'}"
    usage = service.usage
    if usage.memory_bytes is not None:
        yield f"{words.size(usage.memory_bytes)} of memory"
    if usage.cpu_percent is not None:
        yield f"{usage.cpu_percent:.1f} % CPU"
    if usage.open_files is not None:
        yield f"{usage.open_files} open files"


def _failed(status: Status, now: datetime) -> Iterator[str]:
    for operation in failed_lately(status):
        what = f"{operation.kind} {operation.service or ''}".strip()
        error = operation.error
        yield f"- {what}, {words.ago(operation.finished or operation.started, now)}" + (
            f": {error.code}: {error.message}" if error else f": {operation.message}"
        )


def _machine(facts: Facts) -> Iterator[str]:
    memory = facts.memory
    free = "" if memory.free is None else f"{words.size(memory.free)} free of "
    yield f"Memory: {free}{words.size(memory.total)}"
    for disk in facts.status.disk:
        room = f"{words.size(disk.free_bytes)} free of {words.size(disk.total_bytes)}"
        yield f"Disk ({disk.label}): {room}"

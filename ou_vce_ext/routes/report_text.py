"""The report for the forum, as text: what a helper asks for first comes first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ..models import Capability, Operation, OperationState, Service, ServiceError
from ..models_status import Problem, Status
from ..sentences import Figure, in_a_row, in_turn, say, say_many
from ..sizes import in_words
from ..states import ServiceState
from ..translation import ENGLISH, Language
from . import status_words, words

LINES_SHOWN: Final = 40
"""Lines of the log of each service that is not fine."""
_NOT_FINE: Final = frozenset({ServiceState.FAILED, ServiceState.BACKOFF, ServiceState.UNRESPONSIVE})


@dataclass(frozen=True, slots=True)
class Facts:
    """What a report is made of, nothing of it redacted yet; ``logs`` by service."""

    title: str
    status: Status
    logs: Mapping[str, Sequence[str]]
    now: datetime
    language: Language = ENGLISH


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
    """The whole of it, one topic a paragraph, in the language of whoever asked."""
    status, now = facts.status, facts.now
    parts: list[list[str]] = [
        [
            say("{title}: report of {date}", title=facts.title, date=words.absolute(now)),
            say("Passwords, tokens, names, addresses and private paths have been taken out."),
        ],
        [status_words.headline(status, now), status_words.summary(status)],
        _titled(facts, say("What needs attention"), _problems(status.problems, now)),
        _titled(facts, say("Services"), _services(status, now)),
        _titled(facts, say("Work that failed lately"), _failed(status, now)),
        _titled(facts, say("Machine"), _machine(facts)),
        _titled(
            facts, say("Versions"), [f"{name}: {told}" for name, told in status.versions.items()]
        ),
    ]
    for service in not_fine(status):
        lines = list(facts.logs.get(service.name, ()))[-LINES_SHOWN:]
        if not lines:
            continue
        title = say_many(
            "Log of {name}, the last {count} line",
            "Log of {name}, the last {count} lines",
            len(lines),
            name=service.name,
        )
        parts.append(_titled(facts, title, lines))
    said = ("\n".join(facts.language.text(line) for line in part) for part in parts if part)
    return "\n\n".join(said) + "\n"


def _titled(facts: Facts, title: str, lines: Iterator[str] | Sequence[str]) -> list[str]:
    told, underlined = list(lines), facts.language.text(title)
    return [underlined, "-" * len(underlined), *told] if told else []


def _problems(problems: Sequence[Problem], now: datetime) -> Iterator[str]:
    for problem in problems:
        where = f"{problem.service}: " if problem.service else ""
        since = words.ago(problem.since, now)
        yield say("- {where}{code} ({when})", where=where, code=problem.code, when=since)
        yield _indented(problem.message)
        if problem.hint:
            yield _indented(problem.hint)


def _services(status: Status, now: datetime) -> Iterator[str]:
    for service in status.services:
        yield say(
            "- {name} ({title}): {state}",
            name=service.name,
            title=service.title,
            state=in_a_row(_state(service, now), ", "),
        )
        backup = service.last_backup
        if backup:
            newest = status_words.backup_words(backup, now)
            yield say("  newest backup: {backup}", backup=newest)
        elif Capability.BACKUP in service.capabilities:
            yield say("  newest backup: none yet")
        error = service.error
        if error:
            yield say(
                "  error {code}{ended}: {message}",
                code=error.code,
                ended=_ended(error),
                message=error.message,
            )
            if error.hint:
                yield _indented(error.hint)


def _indented(text: str) -> str:
    return in_turn("  {}".format, text)


def _ended(error: ServiceError) -> str:
    """How a service's main process ended, as it goes on after an error's code."""
    signal = f", {error.signal}" if error.signal else ""
    if error.exit_code is None:
        return signal
    return say(", exit code {exit_code}{signal}", exit_code=error.exit_code, signal=signal)


def _state(service: Service, now: datetime) -> Iterator[str]:
    yield say(
        "{state} for {span}",
        state=in_turn(str.lower, status_words.STATE_WORDS[service.state]),
        span=words.span((now - service.since).total_seconds()),
    )
    if service.ready_seconds is not None:
        yield say("started in {seconds} s", seconds=Figure(f"{service.ready_seconds:.1f}"))
    yield say_many("{count} restart", "{count} restarts", service.restarts)
    usage = service.usage
    if usage.memory_bytes is not None:
        yield say("{size} of memory", size=in_words(usage.memory_bytes))
    if usage.cpu_percent is not None:
        yield say("{percent} % CPU", percent=Figure(f"{usage.cpu_percent:.1f}"))
    if usage.open_files is not None:
        yield say_many("{count} open file", "{count} open files", usage.open_files)


def _failed(status: Status, now: datetime) -> Iterator[str]:
    for operation in failed_lately(status):
        error = operation.error
        yield say(
            "- {work}, {when}: {outcome}",
            work=f"{operation.kind} {operation.service or ''}".strip(),
            when=words.ago(operation.finished or operation.started, now),
            outcome=say("{code}: {message}", code=error.code, message=error.message)
            if error
            else operation.message,
        )


def _machine(facts: Facts) -> Iterator[str]:
    memory = facts.status.memory
    total = in_words(memory.total_bytes)
    if memory.free_bytes is None:
        yield say("Memory: {total}", total=total)
    else:
        yield say("Memory: {free} free of {total}", free=in_words(memory.free_bytes), total=total)
    for disk in facts.status.disk:
        yield say(
            "Disk ({label}): {free} free of {total}",
            label=disk.label,
            free=in_words(disk.free_bytes),
            total=in_words(disk.total_bytes),
        )

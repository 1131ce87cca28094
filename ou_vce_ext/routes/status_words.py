"""What is said of the whole house, on the status page and in the report."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from ..models import OperationState, Service
from ..models_backup import BackupSummary, Verified
from ..models_status import Overall, Status
from ..sentences import say, say_many
from ..sizes import in_words
from ..states import ServiceState
from . import words

STATE_WORDS: Final[Mapping[ServiceState, str]] = {
    ServiceState.UNAVAILABLE: say("Unavailable"),
    ServiceState.STOPPED: say("Stopped"),
    ServiceState.STARTING: say("Starting"),
    ServiceState.READY: say("Ready"),
    ServiceState.UNRESPONSIVE: say("Not answering"),
    ServiceState.STOPPING: say("Stopping"),
    ServiceState.BACKOFF: say("Waiting to restart"),
    ServiceState.FAILED: say("Failed"),
}
OPERATION_WORDS: Final[Mapping[OperationState, str]] = {
    OperationState.RUNNING: say("Running"),
    OperationState.SUCCEEDED: say("Done"),
    OperationState.FAILED: say("Failed"),
    OperationState.CANCELLED: say("Cancelled"),
}
PROOF_WORDS: Final[Mapping[Verified, str]] = {
    Verified.VERIFIED: say("proven: restored once and compared"),
    Verified.UNVERIFIED: say("not proven yet"),
    Verified.FAILED: say("the proof failed: do not rely on it"),
}


def headline(status: Status, now: datetime) -> str:
    """The overall word, in a sentence: ``All well``, ``PostgreSQL failed 3 min ago: …``."""
    match status.state:
        case Overall.FAILED:
            return _failed(status, now)
        case Overall.ATTENTION:
            return _attention(status, now)
        case Overall.BUSY:
            running = [o for o in status.operations if o.state is OperationState.RUNNING]
            return words.sentence(running[0].message) if running else say("Work is going on")
        case Overall.OK:
            return say("All well") if status.services else say("No services are declared")


def announcement(status: Status, now: datetime) -> str:
    """What a screen reader is told when it changes: the headline without passing time."""
    if status.state is not Overall.FAILED:
        return headline(status, now)
    failed = _those_failed(status)
    titles = ", ".join(service.title for service in failed)
    return say_many("{titles} failed", "{titles} failed", len(failed), titles=titles)


def summary(status: Status) -> str:
    """How many services are ready, of how many."""
    ready = sum(service.state is ServiceState.READY for service in status.services)
    return say_many(
        "{ready} of {count} service ready",
        "{ready} of {count} services ready",
        len(status.services),
        ready=ready,
    )


def backup_words(backup: BackupSummary, now: datetime) -> str:
    """The newest backup in a line: ``2 days ago, 4.2 MB, proven: …``."""
    return say(
        "{when}, {size}, {proof}",
        when=words.ago(backup.created, now),
        size=in_words(backup.bytes),
        proof=PROOF_WORDS[backup.verified],
    )


def _those_failed(status: Status) -> list[Service]:
    return [service for service in status.services if service.state is ServiceState.FAILED]


def _failed(status: Status, now: datetime) -> str:
    failed = _those_failed(status)
    if len(failed) > 1:
        titles = ", ".join(one.title for one in failed)
        return say("{count} services failed: {titles}", count=len(failed), titles=titles)
    service = failed[0]
    since = words.ago(service.since, now)
    if not service.error:
        return say("{title} failed {when}", title=service.title, when=since)
    why = words.continued(service.error.message)
    return say("{title} failed {when}: {why}", title=service.title, when=since, why=why)


def _attention(status: Status, now: datetime) -> str:
    if status.problems:
        more = len(status.problems) - 1
        first = words.sentence(status.problems[0].message)
        return say("{problem}, and {count} more", problem=first, count=more) if more else first
    silent = next(s for s in status.services if s.state is ServiceState.UNRESPONSIVE)
    since = words.ago(silent.since, now)
    return say("{title} stopped answering {when}", title=silent.title, when=since)


def work_in_words(kind: str, title: str) -> str:
    """What an operation is about, where it has not said so itself."""
    match kind:
        case "start":
            return say("Start {title}", title=title)
        case "stop":
            return say("Stop {title}", title=title)
        case "restart":
            return say("Restart {title}", title=title)
        case "reset":
            return say("Reset {title}", title=title)
        case "backup":
            return say("Back up {title}", title=title)
        case "verify":
            return say("Prove a backup of {title}", title=title)
        case "restore":
            return say("Restore {title}", title=title)
        case _:
            return f"{kind} {title}".strip()

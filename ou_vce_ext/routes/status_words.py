"""What is said of the whole house, on the status page and in the report."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from ..models import OperationState, Service
from ..models_backup import BackupSummary, Verified
from ..models_status import Overall, Status
from ..states import ServiceState
from . import words

STATE_WORDS: Final[Mapping[ServiceState, str]] = {
    ServiceState.UNAVAILABLE: "Unavailable",
    ServiceState.STOPPED: "Stopped",
    ServiceState.STARTING: "Starting",
    ServiceState.READY: "Ready",
    ServiceState.UNRESPONSIVE: "Not answering",
    ServiceState.STOPPING: "Stopping",
    ServiceState.BACKOFF: "Waiting to restart",
    ServiceState.FAILED: "Failed",
}
OPERATION_WORDS: Final[Mapping[OperationState, str]] = {
    OperationState.RUNNING: "Running",
    OperationState.SUCCEEDED: "Done",
    OperationState.FAILED: "Failed",
    OperationState.CANCELLED: "Cancelled",
}
PROOF_WORDS: Final[Mapping[Verified, str]] = {
    Verified.VERIFIED: "proven: restored once and compared",
    Verified.UNVERIFIED: "not proven yet",
    Verified.FAILED: "the proof failed: do not rely on it",
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
            return words.sentence(running[0].message) if running else "Work is going on"
        case Overall.OK:
            return "All well" if status.services else "No services are declared"


def announcement(status: Status, now: datetime) -> str:
    """What a screen reader is told when it changes: the headline without passing time."""
    if status.state is not Overall.FAILED:
        return headline(status, now)
    return f"{', '.join(service.title for service in _those_failed(status))} failed"


def summary(status: Status) -> str:
    """How many services are ready, of how many."""
    total = len(status.services)
    ready = sum(service.state is ServiceState.READY for service in status.services)
    return f"{ready} of {total} service{'' if total == 1 else 's'} ready"


def backup_words(backup: BackupSummary, now: datetime) -> str:
    """The newest backup in a line: ``2 days ago, 4.2 MB, proven: …``."""
    when, size = words.ago(backup.created, now), words.size(backup.bytes)
    return f"{when}, {size}, {PROOF_WORDS[backup.verified]}"


def _those_failed(status: Status) -> list[Service]:
    return [service for service in status.services if service.state is ServiceState.FAILED]


def _failed(status: Status, now: datetime) -> str:
    failed = _those_failed(status)
    if len(failed) > 1:
        return f"{len(failed)} services failed: {', '.join(one.title for one in failed)}"
    service = failed[0]
    why = f": {words.continued(service.error.message)}" if service.error else ""
    return f"{service.title} failed {words.ago(service.since, now)}{why}"


def _attention(status: Status, now: datetime) -> str:
    if status.problems:
        more = len(status.problems) - 1
        first = words.sentence(status.problems[0].message)
        return first + (f", and {more} more" if more else "")
    silent = next(s for s in status.services if s.state is ServiceState.UNRESPONSIVE)
    return f"{silent.title} stopped answering {words.ago(silent.since, now)}"

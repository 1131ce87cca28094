"""The status page: what it says of the whole house, and the template it says it with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from ..models import Operation, OperationState, Service
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


@dataclass(frozen=True, slots=True)
class Page:
    """One rendering's facts, for the template."""

    status: Status
    now: datetime
    root: str
    """The address of everything under ``vce/``, with its slash."""
    home: str
    """Where Jupyter itself is."""
    nonce: str

    @property
    def measured_as_rss(self) -> bool:
        """Whether any service's memory could only be told with shared pages counted twice."""
        return any(service.usage.memory_measure == "rss" for service in self.status.services)

    @property
    def headline(self) -> str:
        """The overall word, in a sentence: ``All well``, ``PostgreSQL failed 3 min ago: …``."""
        match self.status.state:
            case Overall.FAILED:
                return self._failed()
            case Overall.ATTENTION:
                return self._attention()
            case Overall.BUSY:
                running = [o for o in self.status.operations if o.state is OperationState.RUNNING]
                return words.sentence(running[0].message) if running else "Work is going on"
            case Overall.OK:
                return "All well" if self.status.services else "No services are declared"

    def _failed(self) -> str:
        failed = [s for s in self.status.services if s.state is ServiceState.FAILED]
        if len(failed) > 1:
            return f"{len(failed)} services failed: {', '.join(s.title for s in failed)}"
        service = failed[0]
        when = words.ago(service.since, self.now)
        why = f": {words.continued(service.error.message)}" if service.error else ""
        return f"{service.title} failed {when}{why}"

    def _attention(self) -> str:
        if self.status.problems:
            problem = self.status.problems[0]
            more = len(self.status.problems) - 1
            return words.sentence(problem.message) + (f", and {more} more" if more else "")
        silent = next(s for s in self.status.services if s.state is ServiceState.UNRESPONSIVE)
        return f"{silent.title} stopped answering {words.ago(silent.since, self.now)}"

    @property
    def announcement(self) -> str:
        """What a screen reader is told when it changes: the headline without passing time."""
        if self.status.state is not Overall.FAILED:
            return self.headline
        failed = [s.title for s in self.status.services if s.state is ServiceState.FAILED]
        return f"{', '.join(failed)} failed"

    @property
    def summary(self) -> str:
        """How many services are ready, of how many."""
        total = len(self.status.services)
        ready = sum(s.state is ServiceState.READY for s in self.status.services)
        return f"{ready} of {total} service{'' if total == 1 else 's'} ready"

    def work_on(self, service: Service) -> Operation | None:
        """Give the operation that runs on ``service``."""
        return next((o for o in self.status.operations if o.id == service.operation), None)

    def title_of(self, name: str | None) -> str:
        """Give what people call the service ``name``."""
        return next((s.title for s in self.status.services if s.name == name), name or "")

    def so_far(self, since: datetime) -> str:
        """Say how long something has been so."""
        return words.span((self.now - since).total_seconds())

    def render(self) -> str:
        """Give the HTML."""
        return _template().render(page=self, status=self.status)


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("ou_vce_ext", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        size=words.size,
        ago=words.ago,
        absolute=words.absolute,
        iso=lambda moment: moment.astimezone(UTC).isoformat(timespec="seconds"),
    )
    environment.globals.update(state_words=STATE_WORDS, operation_words=OPERATION_WORDS)
    return environment.get_template("status.html")

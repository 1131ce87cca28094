"""The status page: one rendering's facts, and the template that shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from ..models import Capability, Operation, Service
from ..models_status import Status
from . import status_words, words
from .branding import Look


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
    look: Look

    @property
    def measured_as_rss(self) -> bool:
        """Whether any service's memory could only be told with shared pages counted twice."""
        return any(service.usage.memory_measure == "rss" for service in self.status.services)

    @property
    def headline(self) -> str:
        """The overall word, in a sentence."""
        return status_words.headline(self.status, self.now)

    @property
    def announcement(self) -> str:
        """What a screen reader is told when it changes."""
        return status_words.announcement(self.status, self.now)

    @property
    def summary(self) -> str:
        """How many services are ready, of how many."""
        return status_words.summary(self.status)

    @property
    def keeps_backups(self) -> bool:
        """Whether any service here can be backed up, or has been."""
        return any(
            Capability.BACKUP in service.capabilities or service.last_backup
            for service in self.status.services
        )

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
        return _template().render(page=self, status=self.status, look=self.look)


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
    environment.globals.update(
        state_words=status_words.STATE_WORDS,
        operation_words=status_words.OPERATION_WORDS,
        proof_words=status_words.PROOF_WORDS,
    )
    return environment.get_template("status.html")

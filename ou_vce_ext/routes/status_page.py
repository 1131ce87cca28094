"""The status page: one rendering's facts, and the template that shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ..models import Capability, Json, Operation, Service, ServiceError
from ..models_status import Status
from ..sentences import say
from ..translation import Language
from . import status_words, words
from .branding import Look
from .pages import template


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
    language: Language
    troubles: Mapping[str, tuple[datetime, ServiceError]]
    """When and why services last died or failed, by name; they may be well again."""

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

    def work_in_words(self, operation: Operation) -> str:
        """Say what ``operation`` is about."""
        return status_words.work_in_words(operation.kind, self.title_of(operation.service))

    def so_far(self, since: datetime) -> str:
        """Say how long something has been so."""
        return words.span((self.now - since).total_seconds())

    def render(self) -> str:
        """Give the HTML."""
        return template("status.html").render(
            page=self, status=self.status, look=self.look, language=self.language
        )

    @property
    def script_words(self) -> Json:
        """What the page's own script says."""
        return self.language.body(dict(_SCRIPT_WORDS))


_SCRIPT_WORDS: Final[Mapping[str, str]] = {
    "loggedOut": say(
        "You have been logged out, so this page no longer updates. Reload it to log in again."
    ),
    "lost": say(
        "The server does not answer. What you see below is from the time it says; this page goes "
        "on trying."
    ),
    "paused": say("Updates are paused."),
    "updating": say("Updates by itself."),
    "resume": say("Resume updates"),
    "pause": say("Pause updates"),
}

"""What a report and a bundle are made of, and their making. Blocks: to be called in a thread."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from ..models import Capability, Service
from ..models_status import Status
from ..services.redaction import Redactor
from .api import ApiHandler
from .branding import branding_of
from .report_bundle import ZipStream, members, whole
from .report_private import private_facts
from .report_text import LINES_SHOWN, Facts, not_fine, report

if TYPE_CHECKING:
    from ..services.registry import Registry

BUNDLE_LINES: Final = 1_000
"""Lines of each service's log in the bundle."""


def make_report(handler: ApiHandler, status: Status) -> str:
    """The report's text, with nothing private in it."""
    facts = _gather(handler, status, not_fine(status), LINES_SHOWN)
    return Redactor(private_facts(handler)).text(report(facts))


def make_bundle(handler: ApiHandler, status: Status) -> Iterator[bytes]:
    """Report, status, declarations and logs in one zip, each part as soon as it is made."""
    logged = [service for service in status.services if Capability.LOGS in service.capabilities]
    facts = _gather(handler, status, logged, BUNDLE_LINES)
    registry = handler.registry
    specs = [registry.get(name).spec for name in registry.names()]
    stream = ZipStream()
    for file in members(facts, specs, Redactor(private_facts(handler))):
        yield stream.add(*file)
    yield stream.end()


def _gather(handler: ApiHandler, status: Status, services: Iterable[Service], lines: int) -> Facts:
    return Facts(
        title=branding_of(handler.settings).title,
        status=status,
        logs={one.name: _log(handler.registry, one.name, lines) for one in services},
        now=datetime.now(UTC),
        language=handler.language,
    )


def _log(registry: Registry, name: str, lines: int) -> list[str]:
    return [whole(line) for line in registry.logs(name, lines).splitlines()]

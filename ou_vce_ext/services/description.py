"""A service as the REST API shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..models import Capability, Operation, Service, Usage
from ..states import RUNNING
from .lifecycle import Lifecycle

if TYPE_CHECKING:
    from ..models_backup import BackupSummary

_OF_DATA: Final = frozenset({Capability.RESET, Capability.BACKUP, Capability.RESTORE})


def describe(
    item: Lifecycle,
    usage: Usage,
    working: Operation | None,
    base_url: str,
    newest: BackupSummary | None = None,
) -> Service:
    """What is known of ``item``: its cost, the operation on it, its newest backup."""
    spec, driver = item.spec, item.driver
    opens = Capability.OPEN in driver.capabilities
    return Service(
        name=spec.name,
        title=spec.title,
        kind=spec.kind,
        icon=f"{base_url}vce/api/services/{spec.name}/icon" if spec.icon else None,
        state=item.state,
        since=item.since,
        ready_seconds=item.ready_seconds,
        pid=item.pid,
        url=f"{base_url}vce/app/{spec.name}/" if opens else None,
        open=spec.open,
        connection=None if spec.problem else driver.connection(),
        usage=usage if item.state in RUNNING else Usage(),
        restarts=item.restarts,
        retry_at=item.retry_at,
        autostart=spec.autostart,
        requires=spec.requires,
        operation=working.id if working else None,
        error=item.error,
        capabilities=capabilities(item),
        data_dir=str(driver.data_dir),
        last_backup=newest,
        recovered_from=item.recovered_from if item.state in RUNNING else None,
    )


def capabilities(item: Lifecycle) -> frozenset[Capability]:
    """What can be done with this service: by kind, and less where it is not ours."""
    if item.spec.external:
        return item.driver.capabilities & {
            Capability.OPEN,
            Capability.BACKUP,
            Capability.RESTORE,
        }
    if item.driver.data_where_declared and not item.spec.data_dir:
        return item.driver.capabilities - _OF_DATA
    return item.driver.capabilities

"""A look at everything, for the status page, its JSON and the report. It waits for nothing long."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

from ..disk import DiskWatch
from ..models import OperationState, Service
from ..models_status import MemoryUsage, Status
from ..sentences import say
from ..services.machine_memory import machine_memory
from .base import VCEHandler
from .status_versions import GLANCE, VersionWatch

ENDED_SHOWN: Final = 10
"""How many ended operations the status tells of."""


async def look(handler: VCEHandler, *, patience: float = GLANCE) -> Status:
    """How everything is now. ``patience`` (seconds) is for releases nobody has looked up yet."""
    registry, settings = handler.registry, handler.settings
    services = await registry.describe_all()
    operations = sorted(registry.operations.list(), key=lambda each: each.started, reverse=True)
    ended = [each for each in operations if each.state is not OperationState.RUNNING]
    left_out = {each.id for each in ended[ENDED_SHOWN:]}
    disk = cast("DiskWatch", settings.setdefault("vce_disk_watch", DiskWatch()))
    versions = cast("VersionWatch", settings.setdefault("vce_version_watch", VersionWatch()))
    root = Path(settings["serverapp"].root_dir)
    usage = await disk.usage(_places(root, services))
    return Status(
        services=services,
        operations=[each for each in operations if each.id not in left_out],
        disk=usage,
        memory=MemoryUsage(*machine_memory()),
        versions=await versions.versions(registry, patience=patience),
        # What has failed comes first: a full disk may be why.
        problems=[*registry.problems(), *disk.problems()],
    )


def _places(root: Path, services: Sequence[Service]) -> list[tuple[str, Path]]:
    places: list[tuple[str, Path]] = [(say("Home folder"), root)]
    for service in services:
        if service.data_dir:
            places.append((say("Data of {title}", title=service.title), Path(service.data_dir)))
    return places

"""What a reset would remove, said before anybody agrees to it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

from ..models_backup import DataItem, ResetPreview
from ..services.lifecycle import Lifecycle
from .room import free_bytes
from .strategy import Strategy


async def preview(item: Lifecycle, strategy: Strategy, folder: Path) -> ResetPreview:
    """Look at a service's data; ``folder`` is where its safety copy would go. Raises VceError."""
    goes = await strategy.look()
    return ResetPreview(
        service=item.spec.name,
        goes=goes,
        goes_bytes=total_bytes(goes),
        stays=strategy.stays(),
        becomes=strategy.becomes(),
        safety_copy_bytes=await strategy.estimate(),
        free_bytes=await asyncio.to_thread(free_bytes, folder),
    )


def total_bytes(items: Iterable[DataItem]) -> int:
    """The size of ``items`` together; what lies within another that has a size is not added."""
    listed = list(items)
    whole = {each.name for each in listed if each.within is None and each.bytes is not None}
    return sum(each.bytes or 0 for each in listed if each.within not in whole)

"""Removing what builds that were cut off have left, once nothing runs on it any more."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from ...drivers.postgres.lock import lock_file_for, lock_is_free
from ...models import Site
from .. import scratch

_LOCK: Final = ".lock"


def clear(site: Site, home: Path) -> None:
    """Scratch folders beside the live data in ``home``, and in the private folder.

    What a server still runs on is left for the next time. Blocks; never raises.
    """
    for path in home.parent.glob(f"{home.name}{scratch.MARK}*"):
        if path.name.endswith(_LOCK):
            folder = path.with_name(path.name.removesuffix(_LOCK))
            if not folder.exists() and lock_is_free(path):
                path.unlink(missing_ok=True)
        elif lock_is_free(lock_file_for(path)):
            shutil.rmtree(path, ignore_errors=True)
            lock_file_for(path).unlink(missing_ok=True)
    tags = [path.name for path in site.private_dir.glob(f"{scratch.MARK}*")]
    for tag in tags:
        if not any(home.parent.glob(f"{home.name}{tag}")):
            shutil.rmtree(site.private_dir / tag, ignore_errors=True)
            sockets = site.runtime_dir.with_name(f"s{tag.removeprefix(scratch.MARK)}")
            shutil.rmtree(sockets, ignore_errors=True)

"""How tests are spread over processes: one by one, and files that share a server as a whole."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).parents[1]


class Spread(LoadScopeScheduling):  # type: ignore[misc]
    """Each process takes the next test, or the next such file; the longest files come first."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if _shares(file) else nodeid


@cache
def _shares(file: str) -> bool:
    """Whether something is made once for a file, which each process would make for itself."""
    return 'scope="module"' in (ROOT / file).read_text("utf-8")

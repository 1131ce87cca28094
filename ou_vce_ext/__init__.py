"""Services of a virtual computing environment, supervised behind the one Jupyter port.

This module only tells Jupyter where things are, and imports nothing else until it is asked:
keepers come by here as well, and are to stay small.
"""

from __future__ import annotations

from ._version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["__version__"]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Name the server extension's application, as jupyter_server expects it."""
    from .app import VCE

    return [{"module": "ou_vce_ext.app", "app": VCE}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Name the prebuilt Lab side: `src` in this package, `dest` among JupyterLab's extensions."""
    return [{"src": "labextension", "dest": "ou-vce-ext"}]

"""The apps behind the one Jupyter port: streamed both ways, for those who may and nobody else."""

from __future__ import annotations

from .client import close_clients
from .handlers import handlers

__all__ = ["close_clients", "handlers"]

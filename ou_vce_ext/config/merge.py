"""Laying declarations over one another, key by key, and remembering where each key stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .files import Layer


@dataclass(slots=True)
class Declaration:
    """All that is declared of one service, before anything of it has been judged.

    ``value`` stands where a layer holds something that is no table. ``layers`` tells for each key
    (``env``, and ``env.PORT`` in a table) the last layer that says something of it.
    """

    name: str
    values: dict[str, object] = field(default_factory=dict)
    layers: dict[str, Layer] = field(default_factory=dict)
    last: Layer | None = None
    no_table: Layer | None = None

    def source(self, key: str = "") -> str:
        """Where ``key`` stands; of the service as a whole, the last layer that names it."""
        while key:
            if key in self.layers:
                return self.layers[key].source
            key = key.rpartition(".")[0]
        return self.last.source if self.last else ""

    def folder(self, key: str) -> Path | None:
        """The folder of the file that ``key`` stands in; None where it stands in none."""
        layer = self.layers.get(key)
        return layer.folder if layer else None


def merge(layers: Sequence[Layer]) -> dict[str, Declaration]:
    """Merge ``layers``, lowest priority first. Services keep the order they are first named in."""
    merged: dict[str, Declaration] = {}
    for layer in layers:
        for name, declared in layer.services.items():
            name = str(name)
            declaration = merged.setdefault(name, Declaration(name))
            declaration.last = layer
            if not isinstance(declared, Mapping):
                declaration.no_table = layer
                continue
            for key, value in declared.items():
                _put(declaration, str(key), value, layer)
    return merged


def _put(declaration: Declaration, key: str, value: object, layer: Layer) -> None:
    declaration.layers[key] = layer
    if not isinstance(value, Mapping):
        declaration.values[key] = value
        return
    table = {str(name): item for name, item in value.items()}
    below = declaration.values.get(key)
    if isinstance(below, dict):
        table = {**below, **table}
    declaration.values[key] = table
    for name in value:
        declaration.layers[f"{key}.{name}"] = layer
